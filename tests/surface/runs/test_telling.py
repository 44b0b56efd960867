from __future__ import annotations

import logging

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.agent.errors import IdleTimeout, Unreachable
from lambda_matrix.agent_events import RunFailed, RunFinished, TextDelta, TextStarted
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.ids import AgentId, RunId
from lambda_matrix.message_ids import MessageId
from lambda_matrix.surface.runs.telling import RunStories

MAIN, OTHER = AgentId("main"), AgentId("other")


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")


def loud(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Return what is not debug, and forget it all."""
    said = [
        (record.levelname, record.getMessage())
        for record in caplog.records
        if record.levelno > logging.DEBUG
    ]
    caplog.clear()
    return said


def finished() -> AnswerDraft:
    draft = AnswerDraft()
    draft.feed(RunFinished())
    return draft


def failed(message: str, code: str | None) -> AnswerDraft:
    draft = AnswerDraft()
    draft.feed(RunFailed(message, code))
    return draft


async def test_a_run_is_told_from_its_beginning_to_its_end(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    draft = AnswerDraft()
    story = RunStories().begin(MAIN, RunId("7.2"), 2)
    for event in (TextStarted("m"), TextDelta("m", "Yes"), TextDelta("m", "."), RunFinished()):
        await trio.sleep(0.25)
        draft.feed(event)
        story.look(draft)
    story.ended(draft)
    assert caplog.messages == [
        "run begun at agent main, attempt 2",
        "first text after 500 ms",
        "run ended after 1.0 s: RunFinished",
    ]
    assert loud(caplog) == []


async def test_an_agent_that_fails_is_told_once_for_each_way_and_once_that_it_answers(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    stories = RunStories()
    for _ in range(3):
        stories.begin(MAIN, RunId("1.1"), 1).failed(Unreachable("refused"))
    assert loud(caplog) == [("WARNING", "run 1.1 of agent main failed after 0.0 s: refused")]
    await trio.sleep(60)
    for run in ("2.1", "3.1"):
        stories.begin(MAIN, RunId(run), 1).failed(IdleTimeout("silent"))
    assert loud(caplog) == [("WARNING", "run 2.1 of agent main failed after 0.0 s: silent")]
    stories.begin(OTHER, RunId("4.1"), 1).ended(finished())
    assert loud(caplog) == []
    stories.begin(MAIN, RunId("5.1"), 1).ended(finished())
    assert caplog.records[-2].__dict__["message_id"] == MessageId.AGENT_ANSWERS.value
    assert loud(caplog) == [("INFO", "agent main answers again; runs that had failed: 5 in 60 s")]
    stories.begin(MAIN, RunId("6.1"), 1).failed(Unreachable("refused"))
    assert caplog.records[-1].__dict__["message_id"] == MessageId.AGENT_FAILS.value
    assert loud(caplog) == [("WARNING", "run 6.1 of agent main failed after 0.0 s: refused")]


async def test_what_agents_say_of_their_failures_differs_by_its_code(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stories = RunStories()
    for message, code in (("no key", "auth"), ("still none", "auth"), ("too much", None)):
        stories.begin(MAIN, RunId("1.1"), 1).ended(failed(message, code))
    assert [said.partition("says: ")[2] for _, said in loud(caplog)] == [
        "no key (code auth)",
        "too much (code None)",
    ]


async def test_a_try_that_reached_nobody_is_part_of_the_story(
    caplog: pytest.LogCaptureFixture,
) -> None:
    RunStories().begin(MAIN, RunId("1.1"), 1).tried(Unreachable("refused"), 0.5)
    assert caplog.messages[-1] == "agent main not reached, again in 0.5 s: refused"
    assert loud(caplog) == []
