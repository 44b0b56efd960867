"""Times and sizes as they are read."""

from __future__ import annotations

import pytest

from lambda_matrix.service.monitoring.wording import clock, duration, since, size


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (59.9, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (86_400, "1 d 0 h"),
        (1_000_000, "11 d 13 h"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_moments() -> None:
    assert clock(0) == "1970-01-01 00:00:00 UTC"
    assert since(0, 61) == "1970-01-01 00:00:00 UTC (1 min 1 s ago)"
    assert since(61, 0).endswith("(0 s ago)"), "a clock was set back"


def test_sizes() -> None:
    assert size(55 * 2**20 + 2**19) == "55.5 MiB"
