"""What lies in the state directory, and which of it is dropped by a reset.

Dropped is what the homeserver can give back, and what is worth nothing without it: the database
with its journal, those that were set aside as damaged, and the files that were kept for agents who
get them in messages. The session stays: a new login would be one of few, and the device is the same
one anyway. The lock is held while this is done, and stays. What is not ours is left alone.
"""

from __future__ import annotations

import os
import shutil
from enum import Enum
from pathlib import Path

from attrs import frozen

from lambda_matrix.store.opening import DATABASE

_FILES = "files"


class Fate(Enum):
    """What a reset does with something in the state directory."""

    DROPPED = "dropped"
    KEPT = "kept"


@frozen(kw_only=True)
class LocalItem:
    """A file or folder of the state directory: its size in bytes, and how many files it is."""

    path: Path
    fate: Fate
    size: int
    files: int


def look_around(directory: Path) -> tuple[LocalItem, ...]:
    """Return what lies in the state directory, in the order in which it would be dropped.

    The database goes before its journal: SQLite ignores a journal whose database is not there. A
    socket holds nothing: the next start removes what the last one left.
    """
    if not directory.is_dir():
        return ()
    return tuple(_item(path) for path in sorted(directory.iterdir()) if not path.is_socket())


def _item(path: Path) -> LocalItem:
    ours = path.name.startswith(DATABASE) or path.name == _FILES
    sizes = [_size(path)] if path.is_symlink() or not path.is_dir() else _sizes_below(path)
    return LocalItem(
        path=path,
        fate=Fate.DROPPED if ours else Fate.KEPT,
        size=sum(sizes),
        files=len(sizes),
    )


def _sizes_below(folder: Path) -> list[int]:
    return [_size(Path(root, name)) for root, _, names in os.walk(folder) for name in names]


def _size(path: Path) -> int:
    return path.lstat().st_size


def drop(items: tuple[LocalItem, ...]) -> None:
    """Remove what is to be dropped. Safe to be cut off, and done again.

    Raises:
        OSError: something cannot be removed.
    """
    for item in items:
        if item.fate is Fate.KEPT:
            continue
        if item.path.is_dir() and not item.path.is_symlink():
            shutil.rmtree(item.path)
        else:
            item.path.unlink(missing_ok=True)
