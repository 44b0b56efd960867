"""The homeserver has done what it was asked to, and its answer is lost: for each kind of write."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Final

import trio

from tests.faults.fault import Fault, Stage
from tests.faults.world import World
from tests.lab.proxy import Loss

_IN_TIME: Final = 60.0
"""Seconds in which a lost answer must have hurt somebody."""


async def _nothing_more(_: World) -> None:
    """The questions and the onboarding make the request by themselves."""


async def _take_back(world: World) -> None:
    """A question that is taken back takes its answer along."""
    chat = "anna 2"
    person, room = world.person(chat), world.rooms[chat]
    asked, _ = await world.say_numbered(chat, "to be taken back")
    answer = await person.wait_for_answer(room, asked, world.bot, world.patience)
    await person.redact(room, asked)
    gone = answer.parts[0].event_id
    await person.wait_for(
        room,
        lambda view: [said for said in view.messages if said.event_id == gone and said.redacted],
        within=world.patience,
        what="the answer to be taken back",
    )


async def _want_a_file(world: World) -> None:
    await world.ask_for_file("anna 1")


async def _come_back(world: World) -> None:
    """Who left the Space is invited again by !new."""
    anna = world.people["anna"]
    space = world.spaces["anna"]
    await anna.leave(space)
    await world.command("anna 1", "!new Another", "")
    world.made["anna"] += 1
    await anna.wait_for(
        space, lambda view: view.membership == "invite", world.patience, "a new invite"
    )


async def _lose(
    patterns: tuple[str, ...],
    cause: Callable[[World], Awaitable[None]],
    world: World,
    draw: Random,
) -> None:
    rules = [
        world.proxy.spoil(pattern, Loss.ANSWER, times=draw.randint(1, 3)) for pattern in patterns
    ]
    await world.onboarded.wait()
    await cause(world)
    for pattern in patterns:
        await world.proxy.wait_made(pattern, within=_IN_TIME)
    await trio.sleep(draw.uniform(0, 3))
    for rule in rules:
        await world.proxy.wait_hit(rule)
        world.proxy.mend(rule)


_KINDS: Final[dict[str, tuple[tuple[str, ...], Callable[[World], Awaitable[None]]]]] = {
    "send": ((r"^PUT .*/send/",), _nothing_more),
    "createRoom": ((r"^POST .*/createRoom",), _nothing_more),
    "join": ((r"^POST .*/join",), _nothing_more),
    "invite": ((r"^POST .*/invite",), _come_back),
    "state": ((r"^PUT .*/state/",), _nothing_more),
    "media upload": ((r"^POST .*/upload",), _want_a_file),
    "account data": (
        (r"^PUT .*/rooms/.*/account_data/", r"^PUT .*/v3/user/[^/]*/account_data/"),
        _nothing_more,
    ),
    "redact": ((r"^PUT .*/redact/",), _take_back),
    "receipt, typing": ((r"^POST .*/receipt/", r"^PUT .*/typing/"), _nothing_more),
    "login, filter, profile": (
        (r"^POST .*/login", r"^POST .*/filter", r"^PUT .*/profile/"),
        _nothing_more,
    ),
}

FAULTS: Final = tuple(
    Fault(
        name=f"the answer of a processed request is lost: {kind}",
        happen=partial(_lose, patterns, cause),
        stage=Stage.ONBOARDING,
    )
    for kind, (patterns, cause) in _KINDS.items()
)
