"""What the homeserver tells by /sync comes twice, late, again, or not all of it at once."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Final

import trio
from attrs import define, field

from lambda_matrix.demo.bare_http import Json
from lambda_matrix.demo.view import object_at
from tests.faults.fault import Fault, Meanwhile
from tests.faults.plan import CHATS
from tests.faults.world import World
from tests.lab.proxy import Answer, Doctored

_SYNC: Final = r"^GET .*/sync\?.*since="
_LASTS: Final = 15.0


@define
class _Teller:
    """Tells older answers again, in any order, and in new ones each event twice."""

    draw: Random
    told: list[bytes] = field(factory=list)

    def again(self, answer: bytes) -> bytes:
        """The homeserver's answer, or, in its place, one that it gave before."""
        if self.told and self.draw.random() < 0.5:
            newest = self.draw.random() < 0.5
            return self.told[-1] if newest else self.draw.choice(self.told)
        if b'"rooms"' in answer:
            self.told.append(answer)
        return answer

    def doubled(self, answer: bytes) -> bytes:
        """The answer with each event of its timelines twice, beside itself or further on."""
        batch: Json = json.loads(answer)
        for room in object_at(batch, "rooms", "join").values():
            timeline = object_at(room, "timeline")
            events = timeline.get("events")
            if not isinstance(events, list):
                continue
            at_once = self.draw.random() < 0.5
            timeline["events"] = (
                [event for event in events for _ in range(2)] if at_once else [*events, *events]
            )
        return json.dumps(batch).encode()


async def _tell_again(world: World, draw: Random) -> None:
    await _doctor(world, _Teller(draw).again)


async def _tell_doubled(world: World, draw: Random) -> None:
    await _doctor(world, _Teller(draw).doubled)


async def _doctor(world: World, change: Callable[[bytes], bytes]) -> None:
    rule = world.proxy.spoil(_SYNC, Doctored(change))
    await trio.sleep(_LASTS)
    await world.proxy.wait_hit(rule)
    world.proxy.mend(rule)


async def _refuse_token(world: World, draw: Random) -> None:
    """The homeserver does not know its own token any more, as after a restore from a backup."""
    await world.wait_said(draw.randint(1, 4))
    unknown = Answer(400, b'{"errcode":"M_INVALID_PARAM","error":"Unknown token"}')
    rule = world.proxy.spoil(_SYNC, unknown, times=draw.randint(1, 6))
    await trio.sleep(_LASTS)
    await world.proxy.wait_hit(rule)
    world.proxy.mend(rule)


async def _spoil_token(world: World, draw: Random) -> None:
    """The token in the database is none."""
    await world.wait_said(draw.randint(1, 4))
    await world.kill(restart=False)
    await trio.to_thread.run_sync(_overwrite_token, str(world.database))
    world.service.start()


def _overwrite_token(database: str) -> None:
    connection = sqlite3.connect(database)
    with connection:
        changed = connection.execute(
            "UPDATE meta SET value = 's0_nonsense' WHERE key = 'sync_token'"
        )
        assert changed.rowcount == 1
    connection.close()


async def _fall_behind(chats: int, messages: int, every: int, world: World, draw: Random) -> None:
    """So much is said while the service is down that /sync tells only the end of it."""
    for number in range(len(CHATS), chats):
        await world.open_chat(f"anna {number}", f"Number {number}")
    await world.service.stop()
    async with trio.open_nursery() as nursery:
        for chat in world.rooms:
            nursery.start_soon(_say_much, world, chat, messages, every)
    synced = len(world.proxy.made(_SYNC))
    world.service.start()
    told = await world.proxy.wait_made(_SYNC, synced + 2, within=60)
    assert any(b'"limited":true' in each.answer for each in told[synced:])


async def _say_much(world: World, chat: str, messages: int, every: int) -> None:
    person, room = world.person(chat), world.rooms[chat]
    for number in range(messages):
        if number % every == 0:
            await world.ask(chat, f"q{world.plan.seed}-{chat.replace(' ', '')}-{number}")
        else:
            await person.send(room, {"msgtype": "m.notice", "body": f"notice {number}"})


FAULTS: Final = (
    Fault(name="sync answers told again, in any order", happen=_tell_again),
    Fault(name="each event of a sync answer twice", happen=_tell_doubled),
    Fault(name="a refused sync token", happen=_refuse_token),
    Fault(name="a spoilt sync token", happen=_spoil_token),
    Fault(
        name="limited timelines after downtime",
        happen=partial(_fall_behind, len(CHATS), 120, 12),
        meanwhile=Meanwhile.NOTHING,
        combines=False,
        patience=300,
    ),
    Fault(
        name="limited timelines after downtime: 300 messages in each of 20 rooms",
        happen=partial(_fall_behind, 20, 300, 6),
        meanwhile=Meanwhile.NOTHING,
        combines=False,
        patience=1200,
        only_long=True,
    ),
)
