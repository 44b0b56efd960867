"""What a run leaves behind: its part of the conversation, tokens, state, and what it asks."""

from __future__ import annotations

import time

import pytest
from attrs import evolve

from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent_events import (
    AgentEvent,
    Interrupt,
    ResumeEntry,
    RunFailed,
    RunFinished,
    RunInterrupted,
    StateReplaced,
    TextDelta,
    ThreadMessage,
    ToolFinished,
    ToolReturned,
    ToolStarted,
    Usage,
)
from lambda_matrix.conversation.ending import LONGEST_ANSWER
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId, RunId, UserId
from lambda_matrix.store.records import Exchange, Request, Thread
from lambda_matrix.surface.runs.asking import Asked
from lambda_matrix.surface.runs.closing import LEAST_PATIENCE, PATIENCE, Closing

QUESTION = ThreadMessage(id="$q", role="user", content="> quoted\n\nHello?")
INTERRUPT = Interrupt("i", "why", "Delete it?")
REQUEST = Request(
    request_id=RequestId("r"),
    question=EventId("$q"),
    room_id=RoomId("!room"),
    asker=UserId("@anna:example.org"),
    text="Hello?",
    agent=AgentId("main"),
    platform_chat_id=PlatformChatId(1),
    as_reply=False,
    attempts=1,
    runs=1,
    stopped=False,
    outcome=None,
)
RESUMED = evolve(REQUEST, resume=(ResumeEntry("i", "resolved"),))


def closing(
    *events: AgentEvent,
    sent: tuple[ThreadMessage, ...] = (QUESTION,),
    known: tuple[ThreadMessage, ...] = (),
) -> Closing:
    """A run in which all this came."""
    run_input = RunInput(
        thread_id=PlatformChatId(1),
        run_id=RunId("r.1"),
        request_id=RequestId("r"),
        messages=sent,
        user="@anna:example.org",
        room="!room",
        locale="en",
        state='{"old": 1}',
    )
    thread = Thread(loaded=(), messages=known, state='{"old": 1}', interrupts=())
    made = Closing(Asked(run_input, thread))
    for event in events:
        made.feed(event)
    return made


def said(text: str, message_id: str = "a") -> ThreadMessage:
    return ThreadMessage(id=message_id, role="assistant", content=text)


def test_a_whole_answer_leaves_all_of_it() -> None:
    made = closing(
        TextDelta("a", "Hello"), StateReplaced('{"new": 2}'), RunFinished(Usage(12, None))
    )
    assert made.exchange(REQUEST, is_cut=False) == Exchange(
        messages=(QUESTION, said("Hello")), state='{"new": 2}', input_tokens=12
    )
    assert made.confirmation(REQUEST) is None
    assert made.problem is None


def test_the_newest_message_is_the_question_however_many_went_along() -> None:
    earlier = (ThreadMessage(id="$p", role="user", content="Hi"), said("Hi", "p"))
    made = closing(TextDelta("a", "Hello"), RunFinished(), sent=(*earlier, QUESTION))
    exchange = made.exchange(REQUEST, is_cut=False)
    assert exchange is not None
    assert exchange.messages == (QUESTION, said("Hello"))


def test_what_was_cut_off_leaves_what_was_shown() -> None:
    made = closing(TextDelta("a", "Half"), StateReplaced('{"new": 2}'))
    assert made.exchange(REQUEST, is_cut=True) == Exchange(
        messages=(QUESTION, said("Half")), state=None, interrupts=None
    )


@pytest.mark.parametrize("events", [(), (RunFailed("boom"),), (TextDelta("a", ""),)])
def test_what_was_cut_off_before_a_word_leaves_nothing(events: tuple[AgentEvent, ...]) -> None:
    assert closing(*events).exchange(REQUEST, is_cut=True) is None


def test_a_word_that_did_not_get_through_leaves_what_it_answers() -> None:
    made = closing(TextDelta("a", "Half"), sent=())
    assert made.exchange(RESUMED, is_cut=True) is None


def test_a_word_is_no_message_of_the_thread() -> None:
    made = closing(TextDelta("a", "Done"), RunFinished(), sent=(said("Earlier", "e"),))
    exchange = made.exchange(RESUMED, is_cut=False)
    assert exchange is not None
    assert exchange.messages == (said("Done"),)


def test_what_a_run_asks_is_kept_and_waited_for() -> None:
    made = closing(RunInterrupted((INTERRUPT,), Usage(None, 5)))
    exchange = made.exchange(REQUEST, is_cut=False)
    assert exchange is not None
    assert (exchange.interrupts, exchange.output_tokens) == ((INTERRUPT,), 5)
    asked = made.confirmation(REQUEST)
    assert asked is not None
    assert (asked.user_id, asked.request, asked.platform_chat_id) == (REQUEST.asker, "r", 1)
    assert asked.expires_at == pytest.approx(time.time() + PATIENCE, abs=5)


@pytest.mark.parametrize(
    ("in_seconds", "wait"), [((600.0, 300.0, None), 300.0), ((-5.0,), LEAST_PATIENCE)]
)
def test_it_waits_as_long_as_the_agent(in_seconds: tuple[float | None, ...], wait: float) -> None:
    now = time.time()
    expiries = (None if each is None else now + each for each in in_seconds)
    interrupts = tuple(evolve(INTERRUPT, expires_at=each) for each in expiries)
    assert closing(RunInterrupted(interrupts)).wait == pytest.approx(wait, abs=5)


def test_the_thread_knows_the_call_that_is_asked_about() -> None:
    made = closing(ToolStarted("t", "delete"), ToolFinished("t"), RunInterrupted((INTERRUPT,)))
    (call,) = made.thread[-1].tool_calls
    assert call.name == "delete"


def test_an_agent_may_use_the_same_ids_in_each_run() -> None:
    known = (QUESTION, said("Hello"))
    made = closing(
        TextDelta("a", "Hello again"),
        RunFinished(),
        sent=(evolve(QUESTION, id="$q2"),),
        known=known,
    )
    exchange = made.exchange(evolve(REQUEST, question=EventId("$q2")), is_cut=False)
    assert exchange is not None
    assert exchange.messages[-1] == said("Hello again", "r.1.a")


def test_what_is_only_told_again_is_not_kept_twice() -> None:
    made = closing(TextDelta("a", "Hello"), RunFinished(), known=(said("Hello"),))
    exchange = made.exchange(REQUEST, is_cut=False)
    assert exchange is not None
    assert exchange.messages == (QUESTION,)


def test_calls_and_results_are_kept_and_endless_texts_cut() -> None:
    made = closing(
        ToolStarted("t", "look", "a"),
        ToolFinished("t"),
        ToolReturned("t", "result", "seen"),
        TextDelta("b", "x" * (LONGEST_ANSWER + 1)),
        RunFinished(),
    )
    exchange = made.exchange(REQUEST, is_cut=False)
    assert exchange is not None
    _, call, result, text = exchange.messages
    assert call.tool_calls[0].id == result.tool_call_id == "t"
    assert len(text.content) == LONGEST_ANSWER
