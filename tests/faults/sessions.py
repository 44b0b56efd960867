"""The bot's access token is worth nothing any more."""

from __future__ import annotations

import json
from random import Random
from typing import Final

import trio

from lambda_matrix.demo.bare_http import open_caller
from tests.faults.fault import Fault
from tests.faults.world import World
from tests.lab.proxy import Answer

_SESSION_DEAD: Final = 70
_SOFT: Final = Answer(
    401, b'{"errcode":"M_UNKNOWN_TOKEN","error":"soft logout","soft_logout":true}'
)


async def _revoke(world: World, draw: Random) -> None:
    """Somebody ends the session; the service ends with its own status, until a new login."""
    await world.wait_said(draw.randint(1, 5))
    await trio.sleep(draw.uniform(0, 1))
    session = trio.Path(world.state / "session.json")
    token = json.loads(await session.read_text())["access_token"]
    async with open_caller(world.homeserver.url) as caller:
        await caller.call("POST", "_matrix", "client", "v3", "logout", token=token, body={})
    with trio.fail_after(60):
        status = await world.service.wait_end()
    assert status == _SESSION_DEAD, f"it ended with {status}"
    last = world.service.log.splitlines()[-1]
    assert "lambda-matrix login" in last, last
    assert "Traceback" not in world.service.log
    await session.unlink()
    world.service.start()


async def _log_out_softly(world: World, draw: Random) -> None:
    await world.wait_said(draw.randint(1, 5))
    logins = len(world.proxy.made("^POST .*/login"))
    rules = [world.proxy.spoil(kind, _SOFT, times=1) for kind in ("^GET .*/sync", "/whoami")]
    await world.proxy.wait_made("^POST .*/login", logins + 1, within=60)
    for rule in rules:
        world.proxy.mend(rule)


FAULTS: Final = (
    Fault(name="the access token revoked", happen=_revoke, combines=False),
    Fault(name="a soft logout", happen=_log_out_softly, combines=False),
)
