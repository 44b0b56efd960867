"""A file that an agent offers: opened once, beneath its chat's folder, and read as opened."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Final

import trio
from attrs import define, field

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.workspace import beneath
from lambda_matrix.workspace.errors import FileRefused, Refusal, named_faults, named_refusals
from lambda_matrix.workspace.incoming import RunSync
from lambda_matrix.workspace.naming import safe_name
from lambda_matrix.workspace.paths import CHATS, parts_in_chat, path_of
from lambda_matrix.workspace.sniffing import HEAD, Media, media_of

_CHUNK: Final = 256 * 1024


@define(eq=False)
class Reading:
    """An open file that is read at offsets, until it is closed. Blocks.

    The lock keeps a thread that still reads from a descriptor that was closed and given to
    another file meanwhile: an upload may outlive the wish for it (ADR 0003).
    """

    _descriptor: int
    _lock: Lock = field(init=False, factory=Lock)
    _closed: bool = field(init=False, default=False)

    def read(self, size: int, offset: int) -> bytes:
        """Return up to `size` bytes from `offset` on.

        Raises:
            trio.ClosedResourceError: it was closed.
        """
        with self._lock:
            return os.pread(self.fileno(), size, offset)

    def fileno(self) -> int:
        """Return the descriptor.

        Raises:
            trio.ClosedResourceError: it was closed.
        """
        if self._closed:
            raise trio.ClosedResourceError("the file was closed")
        return self._descriptor

    def close(self) -> None:
        """Close it, when whoever reads has read."""
        with self._lock:
            self._closed = True
            os.close(self._descriptor)


@define(eq=False)
class OfferedFile:
    """A regular file of a chat's folder, open for reading: see `ChatFolder.open_offered`.

    `path` is relative to the workspace; `name` is safe to show and to send; `size` is that of the
    moment when it was opened.
    """

    path: str
    name: str
    size: int
    media: Media
    _root: Path
    _reading: Reading
    _run: RunSync

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield exactly `size` bytes from the beginning; can be asked for again (another try).

        Raises:
            FileRefused: CHANGED, there is less in it now.
            WorkspaceError: the disk fails.
            trio.ClosedResourceError: its block has ended.
        """
        reader = self.reader()
        while chunk := await reader.read(_CHUNK):
            yield chunk

    def reader(self) -> Reader:
        """Return what reads it from the beginning, as an upload wants it."""
        return Reader(self)

    async def read_at(self, offset: int, most: int) -> bytes:
        """Return up to `most` bytes from `offset` on; none at the end.

        Raises:
            As `chunks`.
        """
        wanted = min(most, self.size - offset)
        if wanted <= 0:
            return b""
        with named_faults(self._root):
            chunk = await self._run(partial(self._reading.read, wanted, offset))
        if not chunk:
            raise FileRefused(Refusal.CHANGED, self.path)
        return chunk

    def fileno(self) -> int:
        """Return the descriptor, for a process that is to read the file; its offset is free."""
        return self._reading.fileno()


@define(eq=False)
class Reader:
    """Reads an open file once, from its beginning to the end that it had when it was opened."""

    _file: OfferedFile
    _offset: int = 0

    async def read(self, most: int, /) -> bytes:
        """Return up to `most` bytes; none at the end. Raises as `OfferedFile.chunks`."""
        chunk = await self._file.read_at(self._offset, most)
        self._offset += len(chunk)
        return chunk


def open_regular(
    root: Path, chat: PlatformChatId, said: str, limit: int, run: RunSync
) -> tuple[OfferedFile, Reading]:
    """Open what an agent named, and what closes it. Blocks.

    Raises:
        FileRefused: it is not given out.
        WorkspaceError: the workspace itself is not there.
    """
    inside = parts_in_chat(said, root, chat)
    with named_faults(root), beneath.opened_folder(root) as top, named_refusals(said):
        descriptor = beneath.open_file(top, (CHATS, str(chat), *inside))
    try:
        with named_refusals(said):
            size = _admitted(os.fstat(descriptor), said, limit)
            media = media_of(os.pread(descriptor, HEAD, 0))
    except BaseException:
        os.close(descriptor)
        raise
    reading = Reading(descriptor)
    name = safe_name(inside[-1], media.nameless)
    return OfferedFile(path_of(chat, *inside), name, size, media, root, reading, run), reading


def _admitted(status: os.stat_result, said: str, limit: int) -> int:
    """Return the size of a file that may be given out."""
    if not stat.S_ISREG(status.st_mode):
        raise FileRefused(Refusal.NOT_A_FILE, said)
    # Another name of the file may lie outside the chat's folder, where the agent has no business.
    if status.st_nlink != 1:
        raise FileRefused(Refusal.SHARED, said)
    if status.st_size > limit:
        raise FileRefused(Refusal.TOO_LARGE, said)
    return status.st_size
