from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.service.monitoring import seen


@pytest.fixture
async def service() -> AsyncIterator[seen.Service]:
    """A service that starts."""
    with seen.service() as started:
        yield started
