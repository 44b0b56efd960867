"""Folders and files by the descriptor of the folder above: no link is followed, no path is raced.

Everything here blocks and raises `OSError`; it is called in threads.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

FOLDER_MODE = 0o770
"""Without the setgid bit: a folder takes that, and the group, from the one above it (DECISIONS 29),
and a service under `RestrictSUIDSGID=` may not name it."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_BENEATH = _FOLDER | os.O_NOFOLLOW
_PASSING = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
"""O_NONBLOCK: a pipe that nobody writes to must not be waited for."""


@contextmanager
def opened_folder(root: Path, *names: str) -> Iterator[int]:
    """The folder `names` below `root`. `root` itself is the operator's, and may be a link."""
    top = os.open(root, _FOLDER)
    try:
        with opened_folder_at(top, *names) as folder:
            yield folder
    finally:
        os.close(top)


@contextmanager
def opened_folder_at(folder: int, *names: str) -> Iterator[int]:
    """The folder that `names` lead to from `folder`; none of them may be a link."""
    descriptor = os.dup(folder)
    try:
        for name in names:
            above, descriptor = descriptor, os.open(name, _PASSING, dir_fd=descriptor)
            os.close(above)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def made_folder(root: Path, *names: str, mode: int = FOLDER_MODE) -> Iterator[int]:
    """The folder `names` below `root`, which must be there; the others are made where missing."""
    descriptor = os.open(root, _FOLDER)
    try:
        for name in names:
            with suppress(FileExistsError):
                os.mkdir(name, mode, dir_fd=descriptor)
            above, descriptor = descriptor, os.open(name, _BENEATH, dir_fd=descriptor)
            with _opened(above):
                _permit(descriptor, mode, name, above)
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _opened(descriptor: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)


def _permit(folder: int, mode: int, name: str, above: int) -> None:
    """Give a folder of ours its mode, which the umask (or a kill) may have kept it from."""
    status = os.fstat(folder)
    present = stat.S_IMODE(status.st_mode)
    if present & 0o777 == mode or status.st_uid != os.geteuid():
        return
    try:
        os.fchmod(folder, present & ~0o777 | mode)
    except PermissionError as error:
        with suppress(OSError):  # the next time, under another umask, it is made well
            os.rmdir(name, dir_fd=above)
        reason = f"the folder {name} needs the mode {mode:o}; set UMask=0007 in the unit"
        raise PermissionError(error.errno, reason) from error


def open_file(folder: int, names: Sequence[str]) -> int:
    """Open what `names` lead to from `folder` for reading, whatever it is; none may be a link."""
    *folders, name = names
    with opened_folder_at(folder, *folders) as above:
        return os.open(name, _FILE, dir_fd=above)
