"""A file that comes in: written where no agent looks, then in its chat's folder, whole."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, Protocol, TypeVar

from attrs import define, field, frozen

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.workspace import beneath
from lambda_matrix.workspace.errors import FileTooLarge, named_faults
from lambda_matrix.workspace.naming import free_names, safe_name
from lambda_matrix.workspace.paths import CHATS, path_of
from lambda_matrix.workspace.sniffing import HEAD, Media, media_of

R = TypeVar("R")

INCOMING: Final = ".incoming"
"""The folder in a workspace, the service's own, where files are until they are whole."""
_PRIVATE_FOLDER: Final = 0o700
_FILE_MODE: Final = 0o640
_MOST_OF_ONE_NAME: Final = 10_000


class RunSync(Protocol):
    """How a blocking call is made: in one of the workspace's threads."""

    def __call__(self, call: Callable[[], R], /) -> Awaitable[R]:
        """Run `call` and return what it returns."""
        ...


@frozen
class Received:
    """A file that is in the workspace now. `path` is relative to it, as agents are told."""

    path: str
    name: str
    size: int
    media: Media


@define(eq=False)
class Draft:
    """A file without a place yet. Everything here blocks; `discard` ends it in any case."""

    root: Path
    descriptor: int
    name: str

    def write(self, data: bytes) -> None:
        """Append all of `data`."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def place(self, chat: PlatformChatId, name: str) -> str:
        """Put it into the chat's folder, on the disk for good, and return the name it got there.

        A link is made under the first free name and never over another file's, whoever else does
        the same at once; so the file is there whole or not at all.
        """
        os.fchmod(self.descriptor, _FILE_MODE)
        os.fsync(self.descriptor)
        with (
            beneath.opened_folder(self.root, INCOMING) as drafts,
            beneath.made_folder(self.root, CHATS, str(chat)) as folder,
        ):
            for free in islice(free_names(name), _MOST_OF_ONE_NAME):
                with suppress(FileExistsError):
                    os.link(
                        self.name, free, src_dir_fd=drafts, dst_dir_fd=folder, follow_symlinks=False
                    )
                    os.unlink(self.name, dir_fd=drafts)
                    os.fsync(folder)
                    return free
        raise OSError(errno.EEXIST, f"there are {_MOST_OF_ONE_NAME} files of that name")

    def discard(self) -> None:
        """Close it, and remove it unless it was placed."""
        os.close(self.descriptor)
        with suppress(OSError), beneath.opened_folder(self.root, INCOMING) as drafts:
            os.unlink(self.name, dir_fd=drafts)


def open_draft(root: Path) -> Draft:
    """Begin a file. Blocks."""
    name = secrets.token_hex(16)
    with beneath.made_folder(root, INCOMING, mode=_PRIVATE_FOLDER) as drafts:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return Draft(root, os.open(name, flags, 0o600, dir_fd=drafts), name)


def clear_drafts(root: Path) -> int:
    """Remove what an earlier process of the service left, and return how many that were. Blocks."""
    with beneath.made_folder(root, INCOMING, mode=_PRIVATE_FOLDER) as drafts:
        leftovers = os.listdir(drafts)  # noqa: PTH208 - pathlib knows no descriptors
        for name in leftovers:
            os.unlink(name, dir_fd=drafts)
    return len(leftovers)


@define(eq=False)
class Incoming:
    """A file that is being received; see `ChatFolder.receive`."""

    _draft: Draft
    _chat: PlatformChatId
    _run: RunSync
    _limit: int
    _claimed_name: str
    _claimed_type: str
    _head: bytes = field(init=False, default=b"")
    _size: int = field(init=False, default=0)

    async def write(self, chunk: bytes) -> None:
        """Append a chunk.

        Raises:
            FileTooLarge: with it the file is larger than the limit.
            WorkspaceError: the disk is full, or fails.
        """
        self._size += len(chunk)
        if self._size > self._limit:
            raise FileTooLarge(self._limit)
        self._head += chunk[: HEAD - len(self._head)]
        await self._call(partial(self._draft.write, chunk))

    @property
    def media(self) -> Media:
        """What it is, as far as its beginning has come in."""
        return media_of(self._head, self._claimed_type)

    async def publish(self) -> Received:
        """Make the file visible, whole, under a free name like the claimed one. Once.

        Raises:
            WorkspaceError: the disk is full, or fails.
        """
        media = self.media
        wanted = safe_name(self._claimed_name, media.nameless)
        name = await self._call(partial(self._draft.place, self._chat, wanted))
        return Received(path_of(self._chat, name), name, self._size, media)

    async def _call(self, call: Callable[[], R]) -> R:
        def named() -> R:
            with named_faults(self._draft.root):
                return call()

        return await self._run(named)
