"""An old database that comes back: a backup, or what a power cut has left."""

from __future__ import annotations

import shutil
from pathlib import Path

import trio
from trio.testing import MockClock

from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import Lab, open_lab


def keep_a_copy(lab: Lab) -> Path:
    """Copy the state directory as it is now."""
    copy = lab.directory.with_name("old")
    shutil.copytree(lab.directory, copy)
    return copy


async def test_nothing_is_answered_twice_and_nothing_is_lost(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
            await service.ask("One")
            waiting = lab.homeserver.say(room, ANNA, "Two")
            await lab.agent.run(2)
            old = keep_a_copy(lab)
            assert await lab.homeserver.answer(room, waiting) == "Answer to Two"
            for text in ("Three", "!help", "Four"):
                await service.ask(text)
        said = lab.homeserver.bodies(room)
        lab.directory = old
        missed = lab.homeserver.say(room, ANNA, "Five")
        async with lab.service():
            assert await lab.homeserver.answer(room, missed) == "Answer to Five"
            await trio.sleep(60)
        assert lab.homeserver.bodies(room) == [*said, "Answer to Five"]
        assert lab.agent.questions == ["One", "Two", "Three", "Four", "Five"]
