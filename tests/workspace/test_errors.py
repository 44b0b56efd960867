from __future__ import annotations

import errno
from pathlib import Path

import pytest

from lambda_matrix.workspace.errors import (
    Fault,
    FileRefused,
    Refusal,
    WorkspaceError,
    named_faults,
    named_refusals,
)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.ENOENT, Fault.MISSING),
        (errno.ENOSPC, Fault.FULL),
        (errno.EDQUOT, Fault.FULL),
        (errno.EROFS, Fault.FORBIDDEN),
        (errno.EACCES, Fault.FORBIDDEN),
        (errno.EIO, Fault.BROKEN),
        (None, Fault.BROKEN),
    ],
)
def test_each_fault_is_one_sentence(number: int | None, fault: Fault) -> None:
    error = OSError() if number is None else OSError(number, "what the system says")
    with pytest.raises(WorkspaceError) as named, named_faults(Path("/agents/main")):
        raise error
    assert named.value.fault is fault
    assert str(named.value).startswith(f"The workspace /agents/main cannot be used: {fault}")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOENT, Refusal.MISSING),
        (errno.EACCES, Refusal.FORBIDDEN),
        (errno.ELOOP, Refusal.NOT_A_FILE),
        (errno.ENXIO, Refusal.NOT_A_FILE),
    ],
)
def test_each_refusal_has_its_reason(number: int, reason: Refusal) -> None:
    with pytest.raises(FileRefused) as named, named_refusals("a\nb"):
        raise OSError(number, "what the system says")
    assert named.value.reason is reason
    assert str(named.value) == reason  # what it is called is nobody's business
    assert named.value.path == "a\nb"
