"""What a batch of sync costs an account in many rooms, beside one in few, on one homeserver.

A batch is one event in one room. A notice asks for nothing, so that what it costs is the taking in
alone; a question is the round trip that a person feels.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import trio
from asker import Asker, open_asker
from attrs import define, field, frozen
from connection import Connection, open_connection, path_of
from population import Resident
from starting import State
from usage import Used, add, sample, used

from lambda_matrix.ids import RoomId, UserId

_LOOK_EVERY = 0.002
_TAKEN_WITHIN = 30.0
_TOKEN = "SELECT value FROM meta WHERE key = 'sync_token'"


@define
class Cost:
    """What was found for one account. `taken` and `trips` are in seconds, one for each batch.

    `taken`: from the homeserver's word that it has an event until the service has it on disk.
    """

    name: str
    rooms: int
    taken: list[float] = field(factory=list)
    notices: Used | None = None
    trips: list[float] = field(factory=list)
    lost: int = 0
    stored: float = 0.0


@frozen
class Side:
    """One of the two accounts: its service, and a person who talks with it."""

    cost: Cost
    service: int
    homeserver: int
    state: State
    asker: Asker
    room: RoomId
    line: Connection

    async def notices(self, many: int) -> None:
        """Send notices, each when the one before has been taken in."""
        processes = {"service": self.service, "homeserver": self.homeserver}
        before = sample(processes)
        for _ in range(many):
            token = self.state.text(_TOKEN)
            path = path_of("rooms", self.room, "send", "m.room.message", f"n-{time.time_ns()}")
            await self.line.call("PUT", path, {"msgtype": "m.notice", "body": "no question"})
            began = time.monotonic()
            with trio.fail_after(_TAKEN_WITHIN):
                while self.state.text(_TOKEN) == token:  # noqa: ASYNC110 - another process's
                    await trio.sleep(_LOOK_EVERY)
            self.cost.taken.append(time.monotonic() - began)
        spent = used(before, sample(processes))
        self.cost.notices = spent if self.cost.notices is None else add(self.cost.notices, spent)

    async def questions(self, many: int) -> None:
        """Ask, one question after the other."""
        for _ in range(many):
            trip = await self.asker.ask(self.room)
            if trip.answered is None:
                self.cost.lost += 1
            else:
                self.cost.trips.append(trip.answered)


@asynccontextmanager
async def open_side(
    cost: Cost, url: str, person: Resident, bot: UserId, pids: tuple[int, int], state: State
) -> AsyncIterator[Side]:
    """One account, with the person at work. `pids` are the service's and the homeserver's."""
    async with (
        open_asker(url, person.account, bot) as asker,
        open_connection(url, person.account.access_token) as line,
    ):
        yield Side(cost, *pids, state, asker, person.chats[-1], line)
        cost.stored = state.size


async def compare(sides: Sequence[Side], rounds: int, each: int) -> None:
    """Measure the sides in turn, in short blocks, whose order changes from round to round."""
    for number in range(rounds):
        for side in sides if number % 2 else tuple(reversed(sides)):
            await side.notices(each)
            await side.questions(each)
