"""An agent that fails, hangs, breaks off, or talks garbage: one sentence, and on it goes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lambda_matrix.demo.homeserver import Homeserver
from tests.lab.chatting import Chatting, open_chatting, open_stack


@pytest.fixture
async def impatient(synapse: Homeserver, tmp_path: Path) -> AsyncIterator[Chatting]:
    """A service that waits two seconds for an agent's next word, and four for a run."""
    async with open_stack(synapse, tmp_path, idle_timeout=2, run_timeout=4) as stack:
        await stack.service.start()
        async with open_chatting(stack) as opened:
            yield opened


@pytest.mark.parametrize(
    ("question", "sentence"),
    [
        ("fail", "ran into an error"),
        ("break", "broke off"),
        ("garbage", "I do not understand"),
        ("hang", "fell silent"),
        ("slow 15 one two three four five six seven eight nine", "broke off"),
    ],
)
async def test_each_failure_is_one_sentence_and_the_next_question_is_answered(
    impatient: Chatting, question: str, sentence: str
) -> None:
    answer = await impatient.ask(question)
    assert sentence in answer.text
    assert "Traceback" not in answer.text
    assert (await impatient.ask("next")).text.startswith("You said: next")


async def test_a_failure_in_one_room_is_not_felt_in_another(impatient: Chatting) -> None:
    second = await impatient.new_chat()
    failing = await impatient.say("hang")
    for number in range(3):
        answer = await impatient.ask(f"number {number}", second)
        assert answer.text.startswith(f"You said: number {number}")
    assert "fell silent" in (await impatient.answer(failing)).text


async def test_an_agent_that_is_away_is_told_so_and_works_again_when_it_is_back(
    chatting: Chatting,
) -> None:
    await chatting.stack.agent.program.stop()
    assert "cannot reach the agent" in (await chatting.ask("hello?")).text
    await chatting.stack.agent.program.start()
    assert (await chatting.ask("and now?")).text.startswith("You said: and now?")


async def test_an_agent_that_is_killed_in_the_middle_is_told_so(chatting: Chatting) -> None:
    question = await chatting.say("slow 60 until the end")
    await chatting.growing(question)
    await chatting.stack.agent.program.kill()
    answer = await chatting.answer(question)
    assert "broke off" in answer.text
    assert answer.doubled == ()


async def test_an_agent_that_refuses_the_token_is_told_so(chatting: Chatting) -> None:
    (chatting.stack.settings.directory / "agent.token").write_text("wrong\n")
    await chatting.service.stop()
    await chatting.service.start()
    assert "does not let me in" in (await chatting.ask("hello?")).text


async def test_the_cause_is_in_the_journal_under_the_request(impatient: Chatting) -> None:
    answer = await impatient.ask("fail")
    mark = answer.parts[0].mark
    assert mark is not None
    assert any(
        mark.request in line and "failed" in line for line in impatient.service.log.splitlines()
    )
