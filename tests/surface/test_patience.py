"""A homeserver that is away is waited for; one that fails at one request holds up no room."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from tests.lab.proxy import Answer, bad_gateway
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import TEXTS, open_lab

BINDING = "PUT .*/account_data/ru"
FAULT = Answer(500, b'{"errcode": "M_UNKNOWN", "error": "Internal server error"}')


async def test_a_command_at_which_the_homeserver_always_fails_is_refused(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.proxy.spoil(BINDING, FAULT)
        command = lab.homeserver.say(service.room, ANNA, "!clear")
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        with trio.fail_after(300):
            assert await lab.homeserver.answer(service.room, command) == TEXTS.rooms.refused
            assert await lab.homeserver.answer(service.room, question) == "Answer to Hello?"


async def test_what_passes_is_waited_out(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        for spoilt in (FAULT, bad_gateway(), FAULT):
            rule = lab.proxy.spoil(BINDING, spoilt)
            command = lab.homeserver.say(service.room, ANNA, "!clear")
            await trio.sleep(100)
            lab.proxy.mend(rule)
            assert await lab.homeserver.answer(service.room, command) == TEXTS.contexts.cleared
