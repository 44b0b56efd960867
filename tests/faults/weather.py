"""The homeserver is away, is not well, or is far: for a while, for every request."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Final

import trio

from tests.faults.fault import Fault, Stage
from tests.faults.world import World
from tests.lab.proxy import Answer, Delay, Fault as Spoiling, Loss, bad_gateway, rate_limited

_NOBODY: Final = "http://127.0.0.1:1"
_SEND: Final = r"^PUT .*/send/"
_SYNC: Final = r"^GET .*/sync\?"
_SHORT: Final = 20.0
_LONGER: Final = 60.0
_TEN_MINUTES: Final = 600.0
_HEALING: Final = 150.0
"""Seconds for everything to be answered afterwards: the longest pause between two tries is 60."""


def _lasts(world: World, draw: Random) -> float:
    """How long it lasts, in seconds; longer in the long form."""
    longest = _LONGER if world.is_long else _SHORT
    return draw.uniform(_SHORT / 3, longest)


async def _away(world: World, draw: Random) -> None:
    """Nobody listens at the homeserver's port."""
    await world.wait_said(draw.randint(0, 3))
    there, world.proxy.upstream = world.proxy.upstream, _NOBODY
    await trio.sleep(_lasts(world, draw))
    world.proxy.upstream = there


async def _storm(
    spoilings: tuple[Spoiling, ...], share: float, lasts: float | None, world: World, draw: Random
) -> None:
    """By `share` a request gets one of `spoilings`; it lasts so many seconds."""
    await world.wait_said(draw.randint(0, 3))
    rules = [
        world.proxy.spoil(".*", spoiling, chance=lambda: draw.random() < share / len(spoilings))
        for spoiling in spoilings
    ]
    await trio.sleep(lasts or _lasts(world, draw))
    await world.proxy.wait_hit(*rules)
    for rule in rules:
        world.proxy.mend(rule)


async def _far(world: World, draw: Random) -> None:
    """Each answer takes up to two seconds longer."""
    await world.wait_said(draw.randint(0, 3))
    rule = world.proxy.spoil(".*", Delay(lambda: draw.uniform(0, 2)))
    await trio.sleep(_lasts(world, draw))
    world.proxy.mend(rule)


async def _restart(world: World, draw: Random) -> None:
    """The homeserver is killed and started again, on the same data."""
    assert world.own is not None
    for _ in range(2 if world.is_long else 1):
        await world.wait_said(draw.randint(1, 5))
        await trio.sleep(draw.uniform(0, 2))
        await world.own.kill()
        await trio.sleep(draw.uniform(0, 5))
        await world.own.start()


async def _send_unseen(world: World, draw: Random) -> None:
    """What was sent is there, but neither its answer nor its echo comes in time."""
    rules = [
        world.proxy.spoil(_SEND, Loss.ANSWER, chance=lambda: draw.random() < 0.5),
        world.proxy.spoil(_SYNC, Delay(lambda: draw.uniform(2, 4))),
    ]
    await trio.sleep(_lasts(world, draw))
    await world.proxy.wait_hit(rules[0])
    for rule in rules:
        world.proxy.mend(rule)


def _weather(
    name: str,
    *spoilings: Spoiling,
    share: float = 1.0,
    stage: Stage = Stage.TALKING,
    lasts: float | None = None,
) -> Fault:
    return Fault(
        name=name,
        happen=partial(_storm, spoilings, share, lasts),
        stage=stage,
        patience=_HEALING if lasts is None else lasts + _HEALING,
        only_long=lasts is not None,
        combines=lasts is None,
    )


FAULTS: Final = (
    Fault(name="the homeserver is away", happen=_away, patience=_HEALING),
    Fault(
        name="the homeserver is killed and starts again",
        happen=_restart,
        patience=_HEALING,
        own_homeserver=True,
    ),
    _weather("502 with an HTML body", bad_gateway(), stage=Stage.TALKING),
    _weather("502 with an HTML body", bad_gateway(), stage=Stage.ONBOARDING),
    _weather("502 with an HTML body for ten minutes", bad_gateway(), lasts=_TEN_MINUTES),
    _weather(
        "429 storms",
        *(rate_limited(wait) for wait in (50, 500, 3000)),
        share=0.8,
        stage=Stage.TALKING,
    ),
    _weather("429 storms", rate_limited(300), share=0.8, stage=Stage.ONBOARDING),
    _weather(
        "500, 503 and 504 now and then",
        Answer(500),
        Answer(503, b""),
        Answer(504, b"<html></html>", {"Content-Type": "text/html"}),
        share=0.4,
        stage=Stage.TALKING,
    ),
    _weather("requests are lost", Loss.REQUEST, share=0.4, stage=Stage.ONBOARDING),
    _weather("answers are lost", Loss.ANSWER, share=0.4, stage=Stage.ONBOARDING),
    _weather("answers are cut", Loss.HALF, share=0.4, stage=Stage.TALKING),
    Fault(name="answers take long", happen=_far),
    Fault(name="what was sent is neither answered for nor told", happen=_send_unseen),
)
