from __future__ import annotations

import errno
import os

import pytest

from lambda_matrix.disk import DiskHealth, DiskObeys, DiskPatience, DiskRefuses, passes_by_itself
from lambda_matrix.pulse import LONGEST_STORING, Part, Step


@pytest.mark.parametrize(
    ("number", "passes"),
    [
        (errno.ENOSPC, True),
        (errno.EDQUOT, True),
        (errno.EFBIG, True),
        (errno.EROFS, True),
        (errno.EIO, True),
        (errno.EACCES, False),
        (errno.ENOTDIR, False),
        (errno.EISDIR, False),
        (errno.ENOENT, False),
    ],
)
def test_what_passes_by_itself(number: int, *, passes: bool) -> None:
    assert passes_by_itself(OSError(number, os.strerror(number))) is passes


def test_waits_grow_to_a_bound_and_start_over(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    now = [100.0]
    health: list[DiskHealth] = []
    disk = Part("the disk", lambda: now[0])
    patience = DiskPatience(health.append, lambda: now[0], part=disk)
    patience.obeyed()
    assert disk.age is None
    assert [patience.refused("It is full") for _ in range(7)] == [0.5, 1, 2, 4, 8, 10, 10]
    assert disk.at == Step("waiting for the disk", now[0], 10 + LONGEST_STORING)
    now[0] += 35
    patience.obeyed()
    assert disk.age is None
    assert patience.refused("It is full again") == 0.5
    assert health == [DiskRefuses("It is full"), DiskObeys(35), DiskRefuses("It is full again")]
    assert caplog.messages == [
        "It is full; waiting for the disk, nothing is lost meanwhile",
        "the disk takes what is written again, after 35 s",
        "It is full again; waiting for the disk, nothing is lost meanwhile",
    ]
