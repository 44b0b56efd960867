"""What a test needs and this machine lacks."""

from __future__ import annotations

from typing import NoReturn

import pytest

from tests.lab.openapi import in_ci


def lacking(reason: str) -> NoReturn:
    """Skip the test, and say why; in CI nothing may lack, and it fails."""
    if in_ci():
        pytest.fail(reason)
    pytest.skip(reason)
