"""The host's wall clock is wrong by a day, and jumps while the service runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from random import Random
from typing import Final

import trio

from tests.faults import shims
from tests.faults.fault import Fault
from tests.faults.shims import Clock
from tests.faults.world import World

_DAY: Final = 86_400.0


async def _put_under(world: World, seconds: float) -> Clock:
    """Have the service go on with a clock of ours, which is wrong by `seconds`."""
    await world.kill(restart=False)
    clock, world.service.program = Clock.under(world.service.program, world.state.parent / "clock")
    clock.jump(seconds)
    world.service.start()
    return clock


async def _wrong(seconds: float, world: World, draw: Random) -> None:
    """It starts with a wrong clock, and once more with the right one."""
    clock = await _put_under(world, seconds)
    await world.wait_said(draw.randint(2, 6))
    await trio.sleep(draw.uniform(0, 2))
    await world.kill(restart=False)
    clock.jump(0)
    world.service.start()


async def _jump(world: World, draw: Random) -> None:
    clock = await _put_under(world, 0)
    for _ in range(draw.randint(4, 10)):
        await trio.sleep(draw.uniform(0, 1))
        clock.jump(draw.choice((-_DAY, -3600.0, -1.0, 0.0, 1.0, 3600.0, _DAY)))
        if draw.random() < 0.2:
            await world.kill()


_KINDS: Final[dict[str, Callable[[World, Random], Awaitable[None]]]] = {
    "the clock is 24 hours ahead": partial(_wrong, _DAY),
    "the clock is 24 hours behind": partial(_wrong, -_DAY),
    "the clock jumps": _jump,
}
FAULTS: Final = tuple(
    Fault(name=name, happen=happen, combines=False, missing=shims.MISSING)
    for name, happen in _KINDS.items()
)
