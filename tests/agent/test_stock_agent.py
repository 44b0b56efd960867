"""A stock pydantic-ai agent in a process of its own, behind a WebSocket and over its own SSE.

Whatever it says is held against the official models and the AG-UI validator as well.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ag_ui_validate import create_validator
from attrs import evolve

from lambda_matrix.agent.decoder import FrameDecoder
from lambda_matrix.agent.errors import Truncated
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import Frames, open_run
from lambda_matrix.agent.sse import open_sse
from lambda_matrix.agent.websocket import open_websocket
from lambda_matrix.agent_events import (
    AgentEvent,
    Attachment,
    RunFinished,
    TextDelta,
    ThreadMessage,
    ToolFinished,
    ToolStarted,
)
from lambda_matrix.conversation.thread import settled
from tests.agent.agent_process import serving
from tests.agent.corpus import is_official
from tests.agent.dialogue import Dialogue
from tests.agent.servers import entry_at

ANSWER = "It is sunny in Paris, **very** sunny."


@pytest.fixture(scope="module")
def stock_agent() -> Iterator[str]:
    """Start the agent; gives host and port."""
    with serving(sys.executable, Path(__file__).with_name("stock_agent.py")) as address:
        yield address


@pytest.fixture
def conversation(run_input: RunInput) -> RunInput:
    """Make what an agent with `history = "client"` gets: all of it."""
    return evolve(
        run_input,
        messages=(
            ThreadMessage(id="$1", role="user", content="Hello"),
            ThreadMessage(id="$2", role="assistant", content="Hello, Alice"),
            ThreadMessage(id="$3", role="user", content="How is the weather?"),
        ),
    )


def check_answer(events: list[AgentEvent]) -> None:
    assert (
        "".join(event.delta for event in events if isinstance(event, TextDelta))
        == "Let me see. " + ANSWER
    )
    [tool] = [event for event in events if isinstance(event, ToolStarted)]
    assert tool.name == "get_weather"
    assert ToolFinished(tool.tool_call_id) in events
    end = events[-1]
    assert isinstance(end, RunFinished)
    assert end.usage is None or end.usage.output_tokens


def entry_of(stock_agent: str, scheme: str) -> AgentEntry:
    path = "/ws?thread_id={platform_chat_id}" if scheme == "ws" else "/sse"
    return entry_at(
        f"{scheme}://{stock_agent}",
        path=path,
        history="client",
        inline_files=True,
        idle_timeout=30.0,
    )


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_stock_agent_answers(stock_agent: str, conversation: RunInput, scheme: str) -> None:
    async with open_run(entry_of(stock_agent, scheme), conversation) as run:
        check_answer([event async for event in run.events()])


async def test_what_it_says_over_a_websocket_is_ag_ui(
    stock_agent: str, conversation: RunInput
) -> None:
    async with open_websocket(entry_of(stock_agent, "ws"), conversation) as frames:
        check_stream(await all_of(frames), conversation)


async def test_what_it_says_over_sse_is_ag_ui(stock_agent: str, conversation: RunInput) -> None:
    async with open_sse(entry_of(stock_agent, "http"), conversation) as frames:
        check_stream(await all_of(frames), conversation)


async def all_of(frames: Frames) -> list[str]:
    heard = []
    while True:
        try:
            heard.append(await frames.receive())
        except Truncated:  # nothing comes after the end
            return heard


def check_stream(frames: list[str], conversation: RunInput) -> None:
    validator = create_validator()
    decoder = FrameDecoder(conversation.thread_id, conversation.run_id)
    events: list[AgentEvent] = []
    for frame in frames:
        assert is_official(frame)
        validator.feed(json.loads(frame))
        events += decoder.feed(frame)
    validator.finalize()
    report: Any = validator.report()
    assert not report.internal_errors
    assert [found for found in report.diagnostics if found.severity == "error"] == []
    assert decoder.skipped == 0
    check_answer(events)


@pytest.fixture(params=["ws", "http"])
def dialogue(stock_agent: str, request: pytest.FixtureRequest) -> Dialogue:
    return Dialogue(entry_of(stock_agent, request.param))


async def test_what_was_said_and_done_is_told_again(dialogue: Dialogue) -> None:
    assert await dialogue.ask("How is the weather?") == f"Let me see.\n\n{ANSWER}"
    _, calling, result, answer = dialogue.thread
    assert [call.name for call in calling.tool_calls] == ["get_weather"]
    assert json.loads(calling.tool_calls[0].arguments) == {"city": "Paris"}
    assert result.content == "sunny in Paris"
    assert answer.content == ANSWER
    # Question, call, result and answer are four of its messages, and the new question the fifth.
    assert await dialogue.ask("And now?") == "5: And now?"


async def test_a_tool_runs_once_it_is_approved(dialogue: Dialogue) -> None:
    assert await dialogue.ask("Please delete a.txt") == "Let me see."
    assert dialogue.asked() == ('Approve delete_file({"path":"a.txt"})?',)
    assert await dialogue.decide("all") == "Deleted a.txt."
    assert isinstance(dialogue.outcome, RunFinished)
    assert dialogue.state == '{"deleted": ["a.txt"]}'
    await dialogue.ask("Please delete b.txt")
    assert await dialogue.decide(frozenset({1})) == "Deleted a.txt, b.txt.", "it had the state"
    assert settled(dialogue.thread) == dialogue.thread
    assert (await dialogue.ask("And now?")).endswith(": And now?")


async def test_a_tool_does_not_run_when_it_is_refused(dialogue: Dialogue) -> None:
    await dialogue.ask("Please delete a.txt")
    assert await dialogue.decide(frozenset(), "I need it") == "I need it"
    assert dialogue.state is None
    assert (await dialogue.ask("And now?")).endswith(": And now?")


async def test_some_of_several_are_approved(dialogue: Dialogue) -> None:
    await dialogue.ask("What is the weather? And delete a.txt and b.txt")
    assert dialogue.asked() == (
        'Approve delete_file({"path":"a.txt"})?',
        'Approve delete_file({"path":"b.txt"})?',
    )
    assert await dialogue.decide(frozenset({2}), "I need it") == ANSWER
    assert dialogue.state == '{"deleted": ["b.txt"]}'
    results = [message.content for message in dialogue.thread if message.role == "tool"]
    assert sorted(results) == ["Deleted b.txt.", "I need it", "sunny in Paris"]


async def test_a_question_that_nobody_answered_does_not_stand_in_the_way(
    dialogue: Dialogue,
) -> None:
    await dialogue.ask("Please delete a.txt")
    assert (await dialogue.ask("Never mind.")).endswith(": Never mind.")
    assert isinstance(dialogue.outcome, RunFinished)


async def test_an_image_goes_within_the_message(dialogue: Dialogue) -> None:
    image = Attachment("image", "17/a.png", "image/png", "a.png")
    said = await dialogue.ask("What is it?", image, inlined={"17/a.png": b"\x89PNG" * 50_000})
    assert said == "1: What is it?, image/png of 200000 bytes"
    assert await dialogue.ask("And now?") == "3: And now?"
