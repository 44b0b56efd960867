"""Waves: one question in each of many rooms at the same moment, each by a person of its own.

Nobody follows along: that would be as much work for the homeserver as the answers. The service's
database says when it is through, and then each room's history says what came of it. Times are those
of the homeserver's own events.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack

import trio
from attrs import frozen
from connection import Connection, Json, open_connection, path_of
from population import Resident
from starting import State
from usage import Used, peak_memory, resident_memory, sample, used

from lambda_matrix.demo.view import list_at, object_at, text_at
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import ANSWER_KEY

_THROUGH_WITHIN = 300.0
_LOOK_EVERY = 0.1
_LATE = 2.0
"""Seconds that a second answer to a question is given to show itself."""
_PAGE = "100"


@frozen
class Wave:
    """What became of a wave. Times are in seconds since the first question was there.

    `asked` is when the last question was there. An answer's `waits` are from its own question until
    the answer was whole. `texts` counts all events of the service in the rooms, edits too.
    """

    title: str
    questions: int
    asked: float
    first: float
    last: float
    waits: Sequence[float]
    texts: int
    lost: int
    doubled: int
    used: Used
    peak: float
    resident: float

    @property
    def faults(self) -> int:
        """Answers that are missing, or too many."""
        return self.lost + self.doubled


@frozen
class _Seen:
    """What one room's history says of one question: when it was there, and its answers."""

    at: float
    wholes: Mapping[str, float]
    events: int


@frozen
class Shore:
    """Where waves arrive: the homeserver's address, the bot, its processes, and its database."""

    url: str
    bot: UserId
    processes: Mapping[str, int]
    state: State

    async def wave(self, title: str, people: Sequence[Resident], text: str) -> Wave:
        """Have each of the people ask `text` in the last of their chats, all at once."""
        rooms = [person.chats[-1] for person in people]
        before = sample(self.processes)
        async with AsyncExitStack() as opened:
            lines = [
                await opened.enter_async_context(
                    open_connection(self.url, person.account.access_token)
                )
                for person in people
            ]
            asked: dict[RoomId, str] = {}
            async with trio.open_nursery() as nursery:
                for line, room in zip(lines, rooms, strict=True):
                    nursery.start_soon(_ask, line, room, text, asked)
            await self._through(asked)
            spent = used(before, sample(self.processes))
            service = self.processes["service"]
            memory = peak_memory(service), resident_memory(service)
            seen = [
                await self._look_back(line, room, asked[room])
                for line, room in zip(lines, rooms, strict=True)
            ]
        began = min(each.at for each in seen)
        firsts = [min(each.wholes.values()) - each.at for each in seen if each.wholes]
        ends = [min(each.wholes.values()) - began for each in seen if each.wholes]
        return Wave(
            title=title,
            questions=len(seen),
            asked=max(each.at for each in seen) - began,
            first=min(ends, default=float("nan")),
            last=max(ends, default=float("nan")),
            waits=sorted(firsts),
            texts=sum(each.events for each in seen),
            lost=sum(not each.wholes for each in seen),
            doubled=sum(max(0, len(each.wholes) - 1) for each in seen),
            used=spent,
            peak=memory[0],
            resident=memory[1],
        )

    async def _through(self, asked: Mapping[RoomId, str]) -> None:
        """Wait until the service has answered, and given to the homeserver, all that was asked."""
        with trio.move_on_after(_THROUGH_WITHIN):
            while not self._is_through(asked):  # noqa: ASYNC110 - another process's doing
                await trio.sleep(_LOOK_EVERY)
        await trio.sleep(_LATE)

    def _is_through(self, asked: Mapping[RoomId, str]) -> bool:
        questions = ", ".join("?" * len(asked))
        answered = "SELECT count(*) FROM requests WHERE outcome IS NOT NULL AND question IN"
        pending = "SELECT count(*) FROM outbox WHERE state = 'pending'"
        return (
            self.state.ask(f"{answered} ({questions})", *asked.values()) == len(asked)
            and self.state.ask(pending) == 0
        )

    async def _look_back(self, line: Connection, room: RoomId, question: str) -> _Seen:
        """Read the room back to the question."""
        asked_at, events = 0.0, 0
        wholes: dict[str, float] = {}
        async for event in _backwards(line, room):
            if text_at(event, "event_id") == question:
                asked_at = _at(event)
                break
            if text_at(event, "sender") != self.bot:
                continue
            content = object_at(event, "content")
            newest = object_at(content, "m.new_content") or content
            mark = object_at(newest, ANSWER_KEY)
            if mark.get("question") == question:
                events += 1
                if mark.get("state") == "final":
                    root = text_at(content, "m.relates_to", "event_id")
                    wholes[root or text_at(event, "event_id") or ""] = _at(event)
        return _Seen(asked_at, wholes, events)


async def _ask(line: Connection, room: RoomId, text: str, asked: dict[RoomId, str]) -> None:
    path = path_of("rooms", room, "send", "m.room.message", f"wave-{time.time_ns()}")
    answer = await line.call("PUT", path, {"msgtype": "m.text", "body": text})
    asked[room] = text_at(answer, "event_id") or ""


async def _backwards(line: Connection, room: RoomId) -> AsyncIterator[Json]:
    query = {"dir": "b", "limit": _PAGE}
    while True:
        page = await line.call("GET", path_of("rooms", room, "messages", **query))
        for event in list_at(page, "chunk"):
            yield event
        end = text_at(page, "end")
        if end is None:
            return
        query["from"] = end


def _at(event: Json) -> float:
    at = event.get("origin_server_ts")
    return at / 1000 if isinstance(at, int) else 0.0
