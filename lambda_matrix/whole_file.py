"""Files written whole or not at all: a killed writer or a full disk leaves what there was."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

_OWNER_ONLY: Final = 0o600


@contextmanager
def replacing(path: Path, mode: int) -> Iterator[BinaryIO]:
    """Open a file that takes the name `path` when the block ends well, and is on the disk then.

    It has `mode` whatever the umask, and until then it is its owner's alone. One writer at a time:
    they share the name that it has meanwhile.

    Raises:
        OSError: The disk refuses, or the folder is not there.
    """
    with free_name(path) as name:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, _OWNER_ONLY), "wb") as file:
            yield file
            file.flush()
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) != mode:  # not all disks have modes
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        name.replace(path)
    sync_folder(path.parent)


@contextmanager
def free_name(path: Path) -> Iterator[Path]:
    """Give a name beside `path` that nothing has; what has it when the block ends is removed."""
    name = unfinished(path)
    name.unlink(missing_ok=True)  # of a writer that was killed
    try:
        yield name
    finally:
        with suppress(OSError):  # which would hide why it was not written
            name.unlink(missing_ok=True)


def unfinished(path: Path) -> Path:
    """Return the name of what is on its way to `path`: always the same, so that it is found."""
    return path.with_name(f".{path.name}.new")


def sync_folder(folder: Path) -> None:
    """Make the names in a folder as durable as the files. Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
