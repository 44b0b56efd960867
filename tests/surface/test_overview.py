"""The one picture of what is at work."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import open_lab, say_nothing


async def test_what_is_at_work_and_what_waits_behind_it(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        idle = await service.bridge.overview()
        assert idle.runs == ()
        assert (idle.figures.chats, idle.figures.waiting) == (1, 0)
        for question in ("One?", "Two?"):
            lab.homeserver.say(service.room, ANNA, question)
        await lab.agent.run()
        await service.bridge.running.somebody_waits(service.room)
        busy = await service.bridge.overview()
        (run,) = busy.runs
        assert (run.room_id, run.asker, run.agent) == (service.room, ANNA, lab.entry.id)
        assert busy.figures.waiting == 1
