"""An answer while it is being made. Its pace is seen in test_answering.py; here are the edges."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from lambda_matrix.conversation.settings import PersonSettings, ReplyStyle
from lambda_matrix.store import people
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import AgentRun, Service, in_steps, open_lab


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


async def choose(service: Service, **chosen: object) -> None:
    """Have Anna choose settings."""
    settings = PersonSettings(**chosen)  # type: ignore[arg-type]  # what each test names
    await service.store.transact(people.note_settings, ANNA, settings)


async def test_without_streaming_there_is_typing_and_the_whole_answer(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await choose(service, streaming=False)
        lab.agent.behave = in_steps("One ", "two ", "three")
        assert await service.ask("Count") == "One two three"
        assert lab.homeserver.bodies(service.room) == ["One two three"]
        await trio.sleep(1)
        assert [on for _, on in lab.homeserver.typing] == [True, False]


async def test_without_tool_lines_only_the_text_is_shown(clock: MockClock, tmp_path: Path) -> None:
    async def use_a_tool(run: AgentRun) -> None:
        await run.start()
        await run.text("Let me see.")
        await trio.sleep(2)
        await run.say({"type": "TOOL_CALL_START", "toolCallId": "t", "toolCallName": "search"})
        await trio.sleep(3)
        await run.finish()

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await choose(service, tool_lines=False)
        lab.agent.behave = use_a_tool
        assert await service.ask("Look") == "Let me see."
        assert not any("search" in body for body in lab.homeserver.bodies(service.room))


async def test_in_plain_style_no_event_has_html(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("**One** ", "_two_ ", "`three`")
        assert await service.ask("Count") == "**One** _two_ `three`"
        assert all("formatted_body" in e["content"] for e in lab.homeserver.sent(service.room)[:1])
        await choose(service, reply_style=ReplyStyle.PLAIN)
        before = len(lab.homeserver.sent(service.room))
        assert await service.ask("Count") == "**One** _two_ `three`"
        for event in lab.homeserver.sent(service.room)[before:]:
            content = event["content"]
            assert "formatted_body" not in content.get("m.new_content", content)
