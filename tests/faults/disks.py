"""The disk refuses, forgets in a power cut, or gives back a damaged database."""

from __future__ import annotations

import errno
import signal
from functools import partial
from random import Random
from typing import Final

import trio

from tests.faults import shims
from tests.faults.fault import Fault, Stage
from tests.faults.shims import Disk
from tests.faults.world import World
from tests.lab.proxy import Exchange

_MOST_TOLD: Final = 3
"""Once for each start; one that opened the database may be refused again at work."""
_IN_TIME: Final = 60.0
_LOOK_AGAIN: Final = 0.1
_BEFORE_USE: Final = r"/(versions|login|account/whoami)\b"
_ENDED_BY_US: Final = {0, -signal.SIGKILL}


async def _put_under(world: World) -> Disk:
    """Have the service go on with a disk of ours under its state directory."""
    await world.kill(restart=False)
    disk, world.service.program = await trio.to_thread.run_sync(
        Disk.under, world.service.program, world.state, world.state.parent / "disk"
    )
    world.service.start()
    return disk


async def _refuse(number: int, world: World, draw: Random) -> None:
    """The service waits, started or killed meanwhile or not, and goes on once the disk obeys."""
    disk = await _put_under(world)
    await world.wait_said(draw.randint(1, 4))
    await trio.sleep(draw.uniform(0, 1))
    disk.refuse(number)
    await world.ask("anna 1", f"to be kept {draw.random()}")
    await _wait_told(world, 1)
    await trio.sleep(draw.uniform(0, 2))
    if draw.random() < 0.5:
        await world.kill()
        await _wait_told(world, 2)
    starts = world.service.starts
    disk.refuse(0)
    await world.answer("anna 1", await world.ask("anna 1", f"kept {draw.random()}"))
    assert world.service.starts == starts, "it went on by itself"
    assert set(world.service.ends) <= _ENDED_BY_US, world.service.ends
    assert _told(world) <= _MOST_TOLD
    assert "Traceback" not in world.service.log


def _told(world: World) -> int:
    """How often the journal says that the disk is waited for."""
    return world.service.log.count("waiting for the disk")


async def _wait_told(world: World, times: int) -> None:
    with trio.fail_after(_IN_TIME):
        while _told(world) < times:  # noqa: ASYNC110 - a log file has no events
            await trio.sleep(_LOOK_AGAIN)


async def _lose_power(world: World, draw: Random, *, strict: bool) -> None:
    disk = await _put_under(world)
    for _ in range(draw.randint(1, 3)):
        await trio.sleep(draw.uniform(0.3, 3))
        await world.kill(restart=False)
        await trio.to_thread.run_sync(disk.lose_power, None if strict else draw)
        world.service.start()
    await world.onboarded.wait()
    assert set(world.service.ends) <= _ENDED_BY_US, world.service.ends
    assert "Traceback" not in world.service.log
    assert not _logins_after_use(world), "the session survived"


def _logins_after_use(world: World) -> list[Exchange]:
    """Logins made after a session was at work: it is kept before it is used for anything.

    A start that is killed before its session is kept is followed by another login.
    """
    made = iter(world.proxy.exchanges)
    next(one for one in made if not one.matches(_BEFORE_USE))
    return [one for one in made if one.matches("^POST .*/login")]


FAULTS: Final = (
    *(
        Fault(
            name=f"the disk is {what}",
            happen=partial(_refuse, number),
            combines=False,
            missing=shims.MISSING,
        )
        for what, number in {
            "full": errno.ENOSPC,
            "read-only": errno.EROFS,
            "failing": errno.EIO,
        }.items()
    ),
    *(
        Fault(
            name=name,
            happen=partial(_lose_power, strict=strict),
            stage=stage,
            combines=False,
            missing=shims.MISSING,
        )
        for name, strict, stage in (
            ("the power fails: only what was synced is there", True, Stage.TALKING),
            ("the power fails: some of the rest is there, too", False, Stage.TALKING),
            ("the power fails while a person is given rooms", True, Stage.ONBOARDING),
        )
    ),
)
