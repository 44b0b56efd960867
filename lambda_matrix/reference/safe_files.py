"""Files beneath a folder, reached without following a link out of it. Blocking; no Trio.

Other programs write in the same folder, and a path may come from a model, so nothing is believed:
a path is split and judged first, then each of its parts is opened beneath the one before it, never
through a symbolic link. What is opened is a regular file and nothing else: a pipe would be waited
on for ever. A file of another user of the machine is read and never changed. A file appears whole
or not at all.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from attrs import frozen

MAX_PART: Final = 255
"""Bytes of one name, as file systems have it."""
MAX_PARTS: Final = 8
DRAFT: Final = ".draft-"
"""Begins the name of a file that is not whole yet; such names are neither listed nor given."""

_MISLEADING = frozenset("\x7f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that make a name look like another one where it is shown."""
_SHARED = 0o2770
"""A folder's mode, whatever the umask is: the group that shares the workspace writes here too."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_WRITING = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafePathError(ValueError):
    """The path is none that is used here; the text is one sentence without the path."""


@frozen
class Entry:
    """A file that is there: its path beneath the folder that was listed, and bytes."""

    path: str
    size: int


def split_path(path: str) -> tuple[str, ...]:
    """Split a relative path into its parts.

    Raises:
        UnsafePathError: it is absolute, leads upwards, or has a name that no file should have.
    """
    if path.startswith("/"):
        raise UnsafePathError("the path must be relative")
    parts = tuple(part for part in path.split("/") if part not in ("", "."))
    if not parts or len(parts) > MAX_PARTS:
        raise UnsafePathError(f"the path must have one to {MAX_PARTS} parts")
    for part in parts:
        _check_part(part)
    return parts


def _check_part(part: str) -> None:
    if part == "..":
        raise UnsafePathError("the path must not lead upwards")
    try:
        length = len(part.encode())
    except UnicodeEncodeError:
        raise UnsafePathError("the path must be text") from None
    if length > MAX_PART:
        raise UnsafePathError(f"a name must not have more than {MAX_PART} bytes")
    if any(ord(character) < ord(" ") or character in _MISLEADING for character in part):
        raise UnsafePathError("a name must not have control characters")
    if part.startswith(DRAFT):
        raise UnsafePathError("this name is taken by files that are being written")


@contextmanager
def open_folder(root: Path, parts: Sequence[str], *, make: bool = False) -> Iterator[int]:
    """Open a folder beneath `root`, part by part; `make` makes those that are missing.

    Raises:
        OSError: there is none, or a part of the way is no folder (a link, say).
    """
    handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            deeper = _step(handle, part, make=make)
            os.close(handle)
            handle = deeper
        yield handle
    finally:
        os.close(handle)


def _step(handle: int, part: str, *, make: bool) -> int:
    try:
        return os.open(part, _FOLDER, dir_fd=handle)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(part, 0o770, dir_fd=handle)
        os.chmod(part, _SHARED, dir_fd=handle)
    return os.open(part, _FOLDER, dir_fd=handle)


@contextmanager
def open_file(root: Path, parts: Sequence[str]) -> Iterator[BinaryIO]:
    """Open a regular file beneath `root` for reading.

    Raises:
        OSError: there is none, or it is something else.
    """
    with open_folder(root, parts[:-1]) as folder:
        handle = os.open(parts[-1], _READING, dir_fd=folder)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        yield file


def size_of(root: Path, parts: Sequence[str]) -> int:
    """Return the bytes of a regular file. Raises as `open_file` does."""
    with open_file(root, parts) as file:
        return os.fstat(file.fileno()).st_size


def exists(root: Path, parts: Sequence[str]) -> bool:
    """Tell whether something has this name, whatever it is.

    Raises:
        OSError: the way there cannot be gone.
    """
    try:
        with open_folder(root, parts[:-1]) as folder:
            os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def list_files(root: Path, parts: Sequence[str], limit: int) -> list[Entry]:
    """List regular files beneath a folder, at most `limit`, in order of their paths.

    A folder that is missing has none; what cannot be looked at is left out.
    """
    try:
        with open_folder(root, parts) as folder:
            return list(_walk(folder, "", limit, MAX_PARTS))
    except FileNotFoundError:
        return []


def _walk(folder: int, prefix: str, limit: int, depth: int) -> Iterator[Entry]:
    found = 0
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries if not entry.name.startswith(DRAFT))
    for name in names:
        with suppress(OSError):
            facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(facts.st_mode):
                yield Entry(prefix + name, facts.st_size)
                found += 1
            elif stat.S_ISDIR(facts.st_mode) and depth > 1:
                deeper = os.open(name, _FOLDER, dir_fd=folder)
                try:
                    for entry in _walk(deeper, f"{prefix}{name}/", limit - found, depth - 1):
                        yield entry
                        found += 1
                finally:
                    os.close(deeper)
        if found >= limit:
            return


def put_file(root: Path, parts: Sequence[str], content: bytes, *, replace: bool) -> None:
    """Write a file whole, readable by the group; folders on its way are made.

    Raises:
        FileExistsError: something has this name, and `replace` is False.
        PermissionError: the file to replace is another user's.
        OSError: it cannot be written.
    """
    with open_folder(root, parts[:-1], make=True) as folder:
        draft = f"{DRAFT}{secrets.token_hex(8)}"
        handle = os.open(draft, _WRITING, 0o640, dir_fd=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                os.fchmod(file.fileno(), 0o640)
            if replace:
                _refuse_anothers(folder, parts[-1])
                os.rename(draft, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
            else:  # unlike a rename, a link takes no name that is taken
                os.link(draft, parts[-1], src_dir_fd=folder, dst_dir_fd=folder)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=folder)


def check_ours(root: Path, parts: Sequence[str]) -> None:
    """Look whether a file is there that may be replaced or deleted.

    Raises:
        IsADirectoryError: it is a folder.
        PermissionError: it is another user's.
        OSError: there is none.
    """
    with open_folder(root, parts[:-1]) as folder:
        facts = os.stat(parts[-1], dir_fd=folder, follow_symlinks=False)
        if stat.S_ISDIR(facts.st_mode):
            raise IsADirectoryError(errno.EISDIR, "this is a folder")
        _refuse_anothers(folder, parts[-1])


def remove_file(root: Path, parts: Sequence[str]) -> None:
    """Delete a regular file, or a link (and not what it leads to).

    Raises:
        PermissionError: it is another user's.
        OSError: there is none, or it cannot be deleted.
    """
    with open_folder(root, parts[:-1]) as folder:
        _refuse_anothers(folder, parts[-1])
        os.unlink(parts[-1], dir_fd=folder)


def _refuse_anothers(folder: int, name: str) -> None:
    try:
        owner = os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid
    except FileNotFoundError:
        return
    if owner != os.geteuid():
        raise PermissionError(errno.EPERM, "this file was put here by somebody else")
