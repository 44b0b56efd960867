"""The service's database is gone, while everybody talks: all that was in it comes back."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Final

import trio

from tests.faults.fault import Fault, Meanwhile, Stage
from tests.faults.kills import Moment, kill_at
from tests.faults.world import World

_LIVES: Final = 3
_ALSO_SHORT: Final = {Moment.SYNC_ANSWER, Moment.PREVIEW_DONE, Moment.FINAL_DONE}


async def _lose(world: World, draw: Random) -> None:
    """Killed at some moment, its database deleted; and again."""
    await world.wait_said(draw.randint(0, 6))
    for _ in range(draw.randint(1, _LIVES)):
        await trio.sleep(draw.uniform(0, 4))
        await _lose_now(world)


async def _lose_at(moment: Moment, world: World, draw: Random) -> None:
    await kill_at(moment, world, draw, restart=False)
    await _delete(world)


async def _lose_now(world: World) -> None:
    await world.kill(restart=False)
    await _delete(world)


async def _delete(world: World) -> None:
    for ending in ("", "-wal", "-shm"):
        await trio.Path(f"{world.database}{ending}").unlink(missing_ok=True)
    world.service.start()


FAULTS: Final = (
    Fault(name="the database is deleted at any moment", happen=_lose, combines=False),
    Fault(
        name="the database is deleted while a person is given rooms",
        happen=_lose,
        stage=Stage.ONBOARDING,
        combines=False,
    ),
    Fault(
        name="the database is deleted while a person gives commands",
        happen=_lose,
        meanwhile=Meanwhile.COMMAND,
        combines=False,
        excuses=True,
    ),
    *(
        Fault(
            name=f"the database is deleted when {moment.value}",
            happen=partial(_lose_at, moment),
            combines=False,
            only_long=moment not in _ALSO_SHORT,
        )
        for moment in Moment
    ),
)
