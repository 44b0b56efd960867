"""The clock of tests in which people wait."""

import pytest
from trio.testing import MockClock


@pytest.fixture
def clock() -> MockClock:
    """Time that passes only while everybody waits: 10 ms of idling are loopback's slack."""
    return MockClock(autojump_threshold=0.01)
