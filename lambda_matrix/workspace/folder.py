"""The workspace of an agent, and in it the folder of each chat: all that other floors need.

Files lie at `chats/<platform_chat_id>/<name>` below the workspace's root. Paths that are given to
and taken from agents are relative to that root.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

import trio
from attrs import field, frozen

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.workspace import beneath
from lambda_matrix.workspace.errors import named_faults, named_refusals
from lambda_matrix.workspace.incoming import Incoming, RunSync, clear_drafts, open_draft
from lambda_matrix.workspace.offered import OfferedFile, open_regular
from lambda_matrix.workspace.paths import CHATS, parts_in_chat

R = TypeVar("R")

_THREADS: Final = 4
"""Of one workspace: a disk that hangs must not take the threads of everything else."""


@frozen
class ChatFolder:
    """The folder of one chat, made when something comes in. Holds nothing open."""

    _root: Path
    _chat: PlatformChatId
    _run: RunSync

    @asynccontextmanager
    async def receive(
        self, claimed_name: str, claimed_type: str, limit: int
    ) -> AsyncIterator[Incoming]:
        """A file that comes in: `write` its chunks, then `publish` it.

        What was not published when the block ends is gone. At most `limit` bytes are taken.

        Raises:
            WorkspaceError: the workspace cannot be used.
        """
        draft = await self._call(partial(open_draft, self._root))
        try:
            yield Incoming(draft, self._chat, self._run, limit, claimed_name, claimed_type)
        finally:
            with trio.CancelScope(shield=True):
                await self._run(draft.discard)

    @asynccontextmanager
    async def open_offered(self, said: str, limit: int) -> AsyncIterator[OfferedFile]:
        """The file that an agent named, open while the block lasts. At most `limit` bytes large.

        Opened beneath this chat's folder without following links: a regular file with one name.

        Raises:
            FileRefused: it is not given out, and why.
            WorkspaceError: the workspace cannot be used.
        """
        open_it = partial(open_regular, self._root, self._chat, said, limit, self._run)
        file, reading = await self._run(open_it)
        try:
            yield file
        finally:
            with trio.CancelScope(shield=True):
                await self._run(reading.close)

    async def read_whole(self, path: str, limit: int) -> bytes:
        """Return what is in a file, for an agent that takes files within the message.

        Raises:
            FileRefused: it is not given out, or larger than `limit` bytes.
            WorkspaceError: the workspace cannot be used.
        """
        async with self.open_offered(path, limit) as file:
            return b"".join([chunk async for chunk in file.chunks()])

    async def remove(self, path: str) -> None:
        """Remove a file; one that is gone is none amiss.

        Raises:
            FileRefused: it is not of this chat, no file, or may not be removed.
            WorkspaceError: the workspace cannot be used.
        """
        await self._run(partial(_remove, self._root, self._chat, path))

    async def remove_all(self) -> None:
        """Remove the folder with all that is in it; links are removed, not followed.

        Raises:
            WorkspaceError: something of it could not be removed.
        """
        await self._call(partial(_remove_all, self._root, self._chat))

    async def _call(self, call: Callable[[], R]) -> R:
        def named() -> R:
            with named_faults(self._root):
                return call()

        return await self._run(named)


def _in_few_threads() -> RunSync:
    return partial(trio.to_thread.run_sync, limiter=trio.CapacityLimiter(_THREADS))


@frozen
class Workspace:
    """The folder shared with one agent, as seen from here. Made once for each agent."""

    root: Path
    _run: RunSync = field(factory=_in_few_threads, eq=False, repr=False)

    def chat(self, chat: PlatformChatId) -> ChatFolder:
        """Return the folder of a chat; nothing is made or looked at yet."""
        return ChatFolder(self.root, chat, self._run)

    async def prepare(self) -> int:
        """Make what the workspace needs, at start, before anything is received.

        Returns how many files were removed that an earlier process had not received to the end.

        Raises:
            WorkspaceError: the root is missing, no folder, or may not be written to.
        """

        def call() -> int:
            with named_faults(self.root):
                with beneath.made_folder(self.root, CHATS):
                    pass
                return clear_drafts(self.root)

        return await self._run(call)


def _remove(root: Path, chat: PlatformChatId, path: str) -> None:
    *folders, name = parts_in_chat(path, root, chat)
    with (
        named_refusals(path),
        suppress(FileNotFoundError),
        beneath.opened_folder(root, CHATS, str(chat), *folders) as folder,
    ):
        os.unlink(name, dir_fd=folder)


def _remove_all(root: Path, chat: PlatformChatId) -> None:
    name = str(chat)
    with (
        beneath.opened_folder(root) as top,
        suppress(FileNotFoundError),
        beneath.opened_folder_at(top, CHATS) as chats,
    ):
        shutil.rmtree(name, ignore_errors=True, dir_fd=chats)
        try:
            os.unlink(name, dir_fd=chats)  # a link or a file in the folder's place
        except IsADirectoryError:
            shutil.rmtree(name, dir_fd=chats)  # something was left, and this says why
