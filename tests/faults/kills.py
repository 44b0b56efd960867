"""SIGKILL at a moment: of what is seen from outside, and of exchanges that are held half done."""

from __future__ import annotations

from enum import Enum
from functools import partial
from random import Random
from typing import Final

import trio

from tests.faults.fault import Fault, Stage
from tests.faults.plan import CHATS
from tests.faults.world import World
from tests.lab.proxy import Hold

_MOMENT_WITHIN: Final = 8.0
"""Seconds for a moment to come; else the kill happens then."""
_LONGEST_DELAY: Final = 0.4
_MANY: Final = 10
"""Kills of a run of the long form, and such runs in a round."""
_SEND: Final = r"^PUT .*/send/m\.room\.message/"


class Moment(Enum):
    """After what the service is killed."""

    QUESTION = "a question was sent"
    PREVIEW_SEEN = "a preview was seen"
    ANSWER_SEEN = "a whole answer was seen"
    SYNC_ANSWER = "a sync's answer is on its way"
    PREVIEW_ASKED = "an answer's first event is on its way"
    PREVIEW_DONE = "the homeserver has an answer's first event, and has not said so"
    FINAL_ASKED = "a final is on its way"
    FINAL_DONE = "the homeserver has a final, and has not said so"
    RECEIPT_DONE = "the homeserver has a receipt, and has not said so"


_HELD: Final[dict[Moment, tuple[str, bytes, bool]]] = {
    Moment.SYNC_ANSWER: (r"^GET .*/sync\?.*since=", b"", True),
    Moment.PREVIEW_ASKED: (_SEND, b'"open"', False),
    Moment.PREVIEW_DONE: (_SEND, b'"open"', True),
    Moment.FINAL_ASKED: (_SEND, b'"final"', False),
    Moment.FINAL_DONE: (_SEND, b'"final"', True),
    Moment.RECEIPT_DONE: (r"^POST .*/receipt/", b"", True),
}
"""Moments at which the proxy holds an exchange: pattern, part of the body, whether its answer."""


async def kill_at(moment: Moment, world: World, draw: Random, *, restart: bool = True) -> None:
    """SIGKILL the service at such a moment, or, if it does not come, in a while."""
    nth, delay = draw.randint(1, 3), draw.uniform(0, _LONGEST_DELAY)
    with trio.move_on_after(_MOMENT_WITHIN) as patience:
        match moment:
            case Moment.QUESTION:
                await world.wait_said(nth)
            case Moment.PREVIEW_SEEN | Moment.ANSWER_SEEN:
                await world.wait_seen(nth, whole=moment is Moment.ANSWER_SEEN)
            case _:
                await _kill_held(moment, nth, world, restart=restart)
                return
        await trio.sleep(delay)
    world.late += patience.cancelled_caught
    await world.kill(restart=restart)


async def _kill_held(moment: Moment, nth: int, world: World, *, restart: bool) -> None:
    """Let go of all but the `nth` exchange, and kill while that one is held."""
    pattern, containing, answer = _HELD[moment]
    for turn in range(1, nth + 1):
        hold = Hold(answer=answer)
        rule = world.proxy.spoil(pattern, hold, 1, containing)
        try:
            await hold.caught.wait()
            if turn == nth:
                await world.kill(restart=restart)
        finally:
            world.proxy.mend(rule)


async def _kill_while_onboarding(world: World, draw: Random) -> None:
    await world.wait_said(0)
    await trio.sleep(draw.uniform(0, 1.5))
    await world.kill()


async def _kill_while_starting(world: World, draw: Random) -> None:
    """Killed, and once more before it is ready."""
    await world.wait_said(draw.randint(1, 3))
    for _ in range(2):
        await world.kill()
        await trio.sleep(draw.uniform(0, 1.5))
    await world.kill()


async def _kill_at_random(kills: int, world: World, draw: Random) -> None:
    """Killed at any moment, again and again; something is asked between the kills."""
    for kill in range(kills):
        await trio.sleep(draw.uniform(0, 3))
        await world.kill()
        chat = draw.choice(CHATS)
        await world.ask(chat, f"q{world.plan.seed}-after-kill-{kill}")


FAULTS: Final = (
    Fault(
        name="SIGKILL while a person is given rooms",
        happen=_kill_while_onboarding,
        stage=Stage.ONBOARDING,
    ),
    Fault(name="SIGKILL while it starts", happen=_kill_while_starting),
    *(
        Fault(name=f"SIGKILL when {moment.value}", happen=partial(kill_at, moment))
        for moment in Moment
    ),
    Fault(name="SIGKILL at random moments", happen=partial(_kill_at_random, 3)),
    *(
        Fault(
            name="SIGKILL at random moments",
            happen=partial(_kill_at_random, _MANY),
            combines=False,
            only_long=True,
        )
        for _ in range(_MANY)
    ),
)
