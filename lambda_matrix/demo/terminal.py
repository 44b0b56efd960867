"""The person's chat in the terminal, after the demo's own conversation."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import trio
from attrs import define, field

from lambda_matrix.demo.story import Story
from lambda_matrix.demo.view import Message
from lambda_matrix.ids import EventId
from lambda_matrix.matrix_events import AnswerState

_CHUNK = 4096


async def lines_of(fd: int) -> AsyncIterator[str]:
    """The lines that are typed, until the end of the input.

    A terminal gives whole lines; they are read when they are there, so that no thread is left
    hanging in a read when the demo ends.
    """
    pending = b""
    while True:
        await trio.lowlevel.wait_readable(fd)
        data = os.read(fd, _CHUNK)
        if not data:
            return
        *whole, pending = (pending + data).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").strip()


@define
class TerminalChat:
    """Lines go to the chat `here`; answers of all chats are shown when they are whole."""

    story: Story
    here: str = "chat 1"
    _shown: set[EventId] = field(factory=set)

    async def run(self, fd: int) -> None:
        """Chat until the end of the input at `fd`."""
        for view in self.story.person.rooms.values():
            self._shown |= {said.event_id for said in view.messages}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._show_answers)
            nursery.start_soon(self._join_new_chats)
            async for line in lines_of(fd):
                await self._take(line)
            nursery.cancel_scope.cancel()

    async def _take(self, line: str) -> None:
        room = line.removeprefix("/")
        if line.startswith("/") and f"chat {room}" in self.story.chats:
            self.here = f"chat {room}"
            self.story.script.note(f"you are in {self.here} now")
        elif line.startswith("/"):
            known = ", ".join(f"/{label.removeprefix('chat ')}" for label in self.story.chats)
            self.story.script.note(f"there are only these chats: {known}")
        elif line:
            await self.story.person.say(self.story.chats[self.here], line)

    async def _show_answers(self) -> None:
        while True:
            label, said = await self.story.person.wait_until(self._next_answer, float("inf"))
            self._shown.add(said.event_id)
            text = said.body if said.address is None else f"[{said.msgtype}] {said.body}"
            self.story.script.said("Lambda", label, text, by_bot=True)

    def _next_answer(self) -> tuple[str, Message] | None:
        for label, room in self.story.chats.items():
            for said in self.story.person.rooms[room].said_by(self.story.bot):
                is_open = said.mark is not None and said.mark.state is AnswerState.OPEN
                if said.event_id not in self._shown and not is_open:
                    return label, said
        return None

    async def _join_new_chats(self) -> None:
        while True:
            room = await self.story.wait_invite(float("inf"), is_space=False)
            await self.story.person.join(room)
            self.here = f"chat {len(self.story.chats) + 1}"
            self.story.chats[self.here] = room
            self.story.script.note(f"you are in {self.here} now; /1 leads back to the first")
