"""Two services as one account, on two machines: the one that started later answers, alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Final

import trio
from attrs import evolve

from lambda_matrix.demo.own_programs import Restartable, service_program
from tests.faults.fault import Fault
from tests.faults.world import World

_SESSION_DEAD: Final = 70
_ANOTHER: Final = 75
_IN_TIME: Final = 60.0


@asynccontextmanager
async def _elsewhere(world: World, device: str | None, *, shares: bool) -> AsyncIterator[None]:
    """A second service on a machine of its own: another state directory, the same account."""
    settings = world.stack.settings
    directory = settings.directory.parent / "elsewhere"
    more = dict(settings.more)
    if device is not None:
        more["homeserver"] = {"device_id": device}
    program = service_program(evolve(settings, directory=directory, more=more))
    if shares:
        state = trio.Path(directory / "state")
        await state.mkdir(mode=0o700)
        session = await trio.Path(world.state / "session.json").read_bytes()
        await (state / "session.json").write_bytes(session)
    service = Restartable(program)
    await service.start(_IN_TIME)
    try:
        yield
    finally:
        await service.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
    assert "Traceback" not in service.log


async def _double(world: World, draw: Random, *, device: str | None, shares: bool) -> None:
    await world.wait_said(draw.randint(1, 6))
    await trio.sleep(draw.uniform(0, 2))
    async with _elsewhere(world, device, shares=shares):
        for number in range(3):
            for chat in ("anna 1", "boris 1"):
                await world.ask(chat, f"which of you {number} {draw.random()}")
        with trio.fail_after(_IN_TIME):
            status = await world.service.wait_end()
        # Of one device a homeserver may keep the newest session alone.
        assert status == _ANOTHER or (device is None and status == _SESSION_DEAD), status
        await world.answer("anna 1", await world.ask("anna 1", f"the newer {draw.random()}"))
    assert "Traceback" not in world.service.log
    if status == _SESSION_DEAD:
        await trio.Path(world.state / "session.json").unlink()
    world.service.start()
    await world.answer("anna 1", await world.ask("anna 1", f"the older again {draw.random()}"))


FAULTS: Final = (
    Fault(
        name="two services on two machines, one session",
        happen=partial(_double, device=None, shares=True),
        combines=False,
    ),
    Fault(
        name="two services on two machines, one device",
        happen=partial(_double, device=None, shares=False),
        combines=False,
    ),
    Fault(
        name="two services on two machines, two devices",
        happen=partial(_double, device="ANOTHER", shares=False),
        combines=False,
    ),
)
