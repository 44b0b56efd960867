"""A stock deepagents agent in a process and an environment of its own, with a scripted model.

It remembers by itself, in LangGraph's checkpoints (`history = "agent"`). Told everything again it
gets along too, as long as it is told the same.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lambda_matrix.agent_events import Attachment, RunFinished
from lambda_matrix.conversation.thread import settled
from tests.agent.agent_process import serving
from tests.agent.dialogue import Dialogue
from tests.agent.servers import entry_at

THREADS = iter(range(1000, 2000))


@contextmanager
def running(agents_python: Path, *arguments: str) -> Iterator[str]:
    """Run the model and the agent; gives the agent's host and port."""
    script = Path(__file__).with_name("langgraph_agent.py")
    with serving(sys.executable, "-m", "tests.agent.scripted_model") as model:
        # The environment is another's: nothing of ours is to be imported, or measured, there.
        clean = {"OPENAI_BASE_URL": f"http://{model}/v1", "PYTHONPATH": ""}
        with serving(agents_python, script, *arguments, environment=clean) as address:
            yield address


@pytest.fixture(scope="module")
def langgraph_agent(agents_python: Path) -> Iterator[str]:
    """The agent's host and port."""
    with running(agents_python) as address:
        yield address


async def test_a_model_that_does_not_stream_is_heard_all_the_same(agents_python: Path) -> None:
    with running(agents_python, "whole") as address:
        dialogue = Dialogue(entry_at(f"ws://{address}", path="/ws", idle_timeout=30.0))
        assert await dialogue.ask("Hello") == "1: Hello"
        assert await dialogue.ask("Please delete a.txt") == "Let me see."
        assert await dialogue.decide("all") == "Deleted a.txt."
        assert await dialogue.ask("And now?") == "3: And now?"
        assert [message.content for message in dialogue.thread if message.role != "tool"] == [
            "Hello",
            "1: Hello",
            "Please delete a.txt",
            "Let me see.",
            "Deleted a.txt. ",
            "And now?",
            "3: And now?",
        ]


@pytest.fixture(params=["ws agent", "ws client", "http agent", "http client"])
def dialogue(langgraph_agent: str, request: pytest.FixtureRequest) -> Dialogue:
    scheme, history = request.param.split()
    path = "/ws" if scheme == "ws" else "/sse"
    entry = entry_at(
        f"{scheme}://{langgraph_agent}",
        path=path,
        history=history,
        inline_files=True,
        idle_timeout=30.0,
    )
    return Dialogue(entry, thread_id=next(THREADS))


async def test_a_conversation_goes_on(dialogue: Dialogue) -> None:
    assert await dialogue.ask("Hello") == "1: Hello"
    assert await dialogue.ask("And now?") == "2: And now?"
    assert [message.content for message in dialogue.thread] == [
        "Hello",
        "1: Hello",
        "And now?",
        "2: And now?",
    ]


async def test_a_tool_runs_once_it_is_approved(dialogue: Dialogue) -> None:
    assert await dialogue.ask("Please delete a.txt") == "Let me see."
    assert dialogue.asked() == ('delete_file({"path": "a.txt"})',)
    assert "Deleted" in await dialogue.decide("all")
    assert isinstance(dialogue.outcome, RunFinished)
    assert [message.role for message in dialogue.thread] == [
        "user",
        "assistant",
        "tool",
        "assistant",
    ]
    assert settled(dialogue.thread) == dialogue.thread
    assert await dialogue.ask("And now?") == "2: And now?"


async def test_a_tool_does_not_run_when_it_is_refused(dialogue: Dialogue) -> None:
    await dialogue.ask("Please delete b.txt")
    assert "I need it" in await dialogue.decide(frozenset(), "I need it")
    assert await dialogue.ask("And now?") == "2: And now?"


async def test_some_of_several_are_approved(dialogue: Dialogue) -> None:
    await dialogue.ask("Please delete a.txt and b.txt")
    assert dialogue.asked() == (
        'delete_file({"path": "a.txt"})',
        'delete_file({"path": "b.txt"})',
    )
    said = await dialogue.decide(frozenset({1}), "I need it")
    assert "Deleted" in said
    assert "I need it" in said
    assert {call.id for message in dialogue.thread for call in message.tool_calls} == {
        message.tool_call_id for message in dialogue.thread if message.role == "tool"
    }


async def test_an_image_goes_within_the_message(dialogue: Dialogue) -> None:
    image = Attachment("image", "17/a.png", "image/png", "a.png")
    said = await dialogue.ask("What is it?", image, inlined={"17/a.png": b"\x89PNG" * 300_000})
    assert said == "1: What is it?, 1600022 characters of an image"
    assert dialogue.state is None
    assert dialogue.problem == "the state has over 1048576 characters", "the image, once more"
    if dialogue.entry.history == "agent":  # told that question without its image it asks it anew
        assert await dialogue.ask("And now?") == "2: And now?"
