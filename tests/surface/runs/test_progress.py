"""An answer while it is being made. Its pace is seen in test_answering.py; here are the edges."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import AgentRun, in_steps, open_lab


async def test_a_tool_alone_opens_no_answer(clock: MockClock, tmp_path: Path) -> None:
    async def only_a_tool(run: AgentRun) -> None:
        await run.start()
        await run.say({"type": "TOOL_CALL_START", "toolCallId": "t", "toolCallName": "search"})
        await trio.sleep(10)
        await run.text("Found")
        await run.finish()

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = only_a_tool
        lab.homeserver.say(service.room, ANNA, "Look")
        await lab.agent.run()
        await trio.sleep(8)
        assert lab.puts() == [], "typing is enough while there is no text"
        assert lab.homeserver.typing == [(service.room, True)]
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(service.room)))


async def test_blank_text_opens_no_answer(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("\n", "\n", "Word")
        assert await service.ask("Talk") == "Word"
        assert {body.removeprefix("* ") for body in lab.homeserver.bodies(service.room)} == {"Word"}


async def test_text_that_does_not_change_is_not_shown_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("Word", "", "", "", pause=5)
        assert await service.ask("Talk") == "Word"
        assert len(lab.homeserver.sent(service.room)) == 2
