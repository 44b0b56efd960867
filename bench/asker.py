"""The person's side of the bench: asks numbered questions, and notes when each answer is there."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from time import perf_counter

import trio
from attrs import define, field, frozen
from connection import Connection, Json, open_connection, path_of

from lambda_matrix.demo.homeserver import Account
from lambda_matrix.demo.view import list_at, object_at, text_at
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import ANSWER_KEY

_QUESTION = re.compile(r"question (\d{6})")
_SYNC_MS = "30000"
_ANSWER_WITHIN = 15.0
"""Seconds after which a sequential question counts as lost."""
_BURST_SILENCE = 20.0
"""Seconds without any answer after which what is missing of a burst counts as lost."""
_LATE = 1.0
"""Seconds that a second answer to the same question is given to show itself."""


@frozen
class Trip:
    """One question in seconds: until the homeserver had it, and until the answer was seen."""

    put: float
    answered: float | None


@frozen
class Burst:
    """What became of many questions at once."""

    questions: int
    seconds: float
    lost: int
    doubled: int
    disordered: int


def question_answered(event: Json) -> int | None:
    """The number of the question that this event answers to the end; None for anything else.

    The echo of any bot is its answer; the service also says of each event whether more is to come.
    """
    content = object_at(event, "content")
    newest = object_at(content, "m.new_content") or content
    mark = object_at(newest, ANSWER_KEY)
    found = _QUESTION.search(text_at(newest, "body") or "")
    return int(found[1]) if found and mark.get("state", "final") == "final" else None


@define
class Asker:
    """One person who sees what one bot says; made by `open_asker`."""

    url: str
    account: Account
    bot: UserId
    _sender: Connection
    _receiver: Connection
    _numbers: count[int] = field(factory=lambda: count(1))
    _seen: dict[int, float] = field(factory=dict)
    _news: trio.Event = field(factory=trio.Event)

    async def ask(self, room: RoomId, within: float = _ANSWER_WITHIN) -> Trip:
        """Ask one question and wait for its answer."""
        number = next(self._numbers)
        began = perf_counter()
        await self._put(self._sender, room, number)
        stored = perf_counter()
        with trio.move_on_after(within):
            while number not in self._seen:
                await self._news.wait()
        seen = self._seen.get(number)
        return Trip(stored - began, None if seen is None else seen - began)

    async def burst(self, rooms: Sequence[RoomId], each: int) -> Burst:
        """Ask `each` questions in every room, all rooms at once; wait for all answers."""
        numbers = {room: [next(self._numbers) for _ in range(each)] for room in rooms}
        wanted = {number for asked in numbers.values() for number in asked}
        async with AsyncExitStack() as opened:
            senders = {
                room: await opened.enter_async_context(
                    open_connection(self.url, self.account.access_token)
                )
                for room in rooms
            }
            began = perf_counter()
            async with trio.open_nursery() as nursery:
                for room, sender in senders.items():
                    nursery.start_soon(self._put_all, sender, room, numbers[room])
                await self._wait_all(wanted)
        ended = max((self._seen[n] for n in wanted if n in self._seen), default=began)
        await trio.sleep(_LATE)
        found = [await self._answers(room) for room in rooms]
        roots = [root for answers in found for root in answers if root[0] in wanted]
        answered = [number for number, _ in roots]
        return Burst(
            questions=len(wanted),
            seconds=ended - began,
            lost=len(wanted - set(answered)),
            doubled=len(answered) - len(set(answered)),
            disordered=sum(_disordered([n for n, _ in each if n in wanted]) for each in found),
        )

    async def _put_all(self, sender: Connection, room: RoomId, numbers: Sequence[int]) -> None:
        for number in numbers:
            await self._put(sender, room, number)

    async def _put(self, sender: Connection, room: RoomId, number: int) -> None:
        path = path_of("rooms", room, "send", "m.room.message", f"question-{number}")
        await sender.call("PUT", path, {"msgtype": "m.text", "body": f"question {number:06d}"})

    async def _wait_all(self, wanted: set[int]) -> None:
        while not wanted <= self._seen.keys():
            with trio.move_on_after(_BURST_SILENCE) as patience:
                await self._news.wait()
            if patience.cancelled_caught:
                return

    async def _answers(self, room: RoomId) -> list[tuple[int, str]]:
        """The answers in a room as the homeserver has them: number and message, in order."""
        only = json.dumps({"types": ["m.room.message"], "senders": [self.bot]})
        query = {"dir": "f", "limit": "1000", "filter": only}
        roots: dict[str, int] = {}
        order: list[str] = []
        while True:
            path = path_of("rooms", room, "messages", **query)
            page = await self._sender.call("GET", path)
            for event in list_at(page, "chunk"):
                relation = object_at(event, "content", "m.relates_to")
                edited = text_at(relation, "event_id")
                is_edit = relation.get("rel_type") == "m.replace" and edited is not None
                root = (edited if is_edit else text_at(event, "event_id")) or ""
                if not is_edit:
                    order.append(root)
                if (number := question_answered(event)) is not None:
                    roots[root] = number
            end = text_at(page, "end")
            if end is None:
                return [(roots[root], root) for root in order if root in roots]
            query["from"] = end

    async def follow(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Keep a long poll open and note the moment at which each answer has come."""
        only = json.dumps(
            {
                "presence": {"types": []},
                "account_data": {"types": []},
                "room": {
                    "state": {"types": []},
                    "ephemeral": {"types": []},
                    "account_data": {"types": []},
                    "timeline": {
                        "types": ["m.room.message"],
                        "senders": [self.bot],
                        "limit": 500,
                    },
                },
            }
        )
        query = {"filter": only, "timeout": "0", "set_presence": "offline"}
        while True:
            raw = await self._receiver.call_raw("GET", path_of("sync", **query))
            now = perf_counter()
            batch: Json = json.loads(raw)
            for room in object_at(batch, "rooms", "join").values():
                for event in list_at(room, "timeline", "events"):
                    if (number := question_answered(event)) is not None:
                        self._seen.setdefault(number, now)
            self._news.set()
            self._news = trio.Event()
            if "since" not in query:
                task_status.started()
                query["timeout"] = _SYNC_MS
            query["since"] = text_at(batch, "next_batch") or ""


def _disordered(numbers: Sequence[int]) -> int:
    """How many answers came after the answer to a later question."""
    highest, late = 0, 0
    for number in numbers:
        late += number < highest
        highest = max(highest, number)
    return late


@asynccontextmanager
async def open_asker(url: str, account: Account, bot: UserId) -> AsyncIterator[Asker]:
    """A person at their long poll, for the length of the block."""
    async with (
        open_connection(url, account.access_token) as sender,
        open_connection(url, account.access_token) as receiver,
        trio.open_nursery() as nursery,
    ):
        asker = Asker(url, account, bot, sender, receiver)
        await nursery.start(asker.follow)
        yield asker
        nursery.cancel_scope.cancel()
