"""What can go wrong in a workspace: with the folder itself, or with one file.

The messages are for the journal; what people are told is chosen by `fault` and `reason`.
"""

# ruff: noqa: N818 - named for what happened

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path


class Fault(StrEnum):
    """Why a workspace cannot be used now."""

    MISSING = "it is missing or no folder"
    FORBIDDEN = "it may not be written to"
    FULL = "there is no room left"
    BROKEN = "the disk or the file system refuses"


class WorkspaceError(Exception):
    """The shared folder cannot be used; the message is one sentence for the operator."""

    def __init__(self, fault: Fault, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class FileTooLarge(Exception):
    """More came in than `limit` bytes; nothing of it is kept."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"the file is larger than {limit} bytes")
        self.limit = limit


class Refusal(StrEnum):
    """Why a file that an agent named is not given out."""

    MALFORMED = "that is no path of a file"
    OUTSIDE = "that is outside the chat's folder"
    MISSING = "there is no such file"
    NOT_A_FILE = "that is a link, a folder or a device"
    SHARED = "the file has other names (hard links)"
    FORBIDDEN = "the file may not be read"
    TOO_LARGE = "the file is too large"
    CHANGED = "the file was cut short while it was read"


class FileRefused(Exception):
    """The file is not given out; `path` is what the agent said, and in no message."""

    def __init__(self, reason: Refusal, path: str) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.path = path


_FAULTS = {
    errno.ENOENT: Fault.MISSING,
    errno.ENOTDIR: Fault.MISSING,
    errno.ELOOP: Fault.MISSING,
    errno.EACCES: Fault.FORBIDDEN,
    errno.EPERM: Fault.FORBIDDEN,
    errno.EROFS: Fault.FORBIDDEN,
    errno.ENOSPC: Fault.FULL,
    errno.EDQUOT: Fault.FULL,
    errno.EFBIG: Fault.FULL,
}
_REFUSALS = {
    errno.ENOENT: Refusal.MISSING,
    errno.ENAMETOOLONG: Refusal.MALFORMED,
    errno.EACCES: Refusal.FORBIDDEN,
    errno.EPERM: Refusal.FORBIDDEN,
}


@contextmanager
def named_faults(root: Path) -> Iterator[None]:
    """Turn an `OSError` of the block into a `WorkspaceError` about the workspace `root`."""
    try:
        yield
    except OSError as error:
        fault = _FAULTS.get(error.errno or 0, Fault.BROKEN)
        sentence = f"The workspace {root} cannot be used: {fault} ({error.strerror})."
        raise WorkspaceError(fault, sentence) from error


@contextmanager
def named_refusals(path: str) -> Iterator[None]:
    """Turn an `OSError` of the block into a `FileRefused` about the agent's `path`.

    What is left (ELOOP, ENOTDIR, ENXIO, EISDIR...) all says that something else than a regular
    file is there.
    """
    try:
        yield
    except OSError as error:
        reason = _REFUSALS.get(error.errno or 0, Refusal.NOT_A_FILE)
        raise FileRefused(reason, path) from error
