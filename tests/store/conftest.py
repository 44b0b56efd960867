"""A real database in a directory of the test's own."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from lambda_matrix.store import meta
from lambda_matrix.store.store import Store, open_store
from tests.store.telling import OWN, Told

R = TypeVar("R")


async def at_once(call: Callable[[], R], /) -> R:
    """Run a store's calls in the test's own thread."""
    return call()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store of which nobody has told anything yet."""
    async with open_store(tmp_path / "state", at_once) as opened:
        yield opened


@pytest.fixture
async def told(store: Store) -> Told:
    """The same, started once."""
    await store.transact(meta.begin_instance, OWN)
    return Told(store)
