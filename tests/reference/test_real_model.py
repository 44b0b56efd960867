"""The assistant with a real language model: SmolLM2 of 135 million parameters, by llama.cpp.

It is too small to be believed or to use tools. What is looked at is that a server which nobody here
wrote streams, is cut, and is asked with less when a conversation outgrows it. It wants 150 MB of
packages and a CPU for itself, so this is a target of its own (`make model-test`).
"""

import json
import os
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import trio
from attrs import evolve

from lambda_matrix.reference.endpoint import Endpoint, open_completion
from lambda_matrix.reference.model_settings import ModelSettings
from lambda_matrix.reference.run import Agent
from lambda_matrix.reference.speaking import Assistant
from tests.lab.log_ear import LogEar
from tests.reference.asking import Line, open_line, run_input

PYTHON = Path(os.environ.get("MODEL_PYTHON") or ".venv-model/bin/python")
SERVER = Path(__file__).parents[1] / "lab/model_server.py"
WINDOW = 1024
"""Tokens that the model takes at once."""


pytestmark = [
    pytest.mark.skipif(
        not PYTHON.exists(), reason="no environment with a model: `make model-test` makes it"
    ),
    pytest.mark.timeout(600),  # on a machine that has other things to do
]


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    """A running server of the model."""
    command = [PYTHON, SERVER, str(WINDOW)]
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(
            partial(
                trio.run_process,
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                capture_stderr=True,
                check=False,
            )
        )
        assert process.stdout is not None
        said = b""
        while not said.endswith(b"\n"):
            said += await process.stdout.receive_some()
        yield Endpoint(f"{said.decode().strip()}/v1", idle_timeout=60)
        process.terminate()


@pytest.fixture
async def model(agent: Agent, endpoint: Endpoint) -> AsyncIterator[Line]:
    """The agent with that model."""
    settings = ModelSettings(
        base_url=endpoint.base_url,
        model="smollm2",
        tools=False,
        instructions="Answer in English.",
        parameters={"temperature": 0.0, "max_tokens": 40},
    )
    async with open_line(evolve(agent, assistant=Assistant(endpoint, settings))) as line:
        yield line


async def test_it_answers_piece_by_piece(model: Line) -> None:
    heard = await model.say("What is the capital of France?", "q")
    assert "Paris" in heard.text
    assert heard.types.count("TEXT_MESSAGE_CONTENT") > 3
    assert (await model.say("What is the capital of France?", "q", attempt=2)).text == heard.text


async def test_a_conversation_that_outgrows_it_goes_on(model: Line) -> None:
    for number in range(4):
        heard = await model.say(f"Number {number}. " + "Apples and pears. " * 80, f"q{number}")
        assert heard.types[-1] == "RUN_FINISHED"
    assert "Paris" in (await model.say("What is the capital of France?", "q")).text


async def test_a_question_that_is_too_long_alone_fails_and_spoils_nothing(model: Line) -> None:
    heard = await model.say("Apples and pears. " * 1000, "q1")
    assert heard.events[-1]["code"] in {"answer_cut", "context_too_long"}
    assert "Paris" in (await model.say("What is the capital of France?", "q2")).text


async def test_the_model_is_free_at_once_when_the_person_goes(
    model: Line, endpoint: Endpoint, ear: LogEar
) -> None:
    async with model.open() as socket:
        await socket.send_message(json.dumps(run_input("Tell me a long story.", "q")))
        while "TEXT_MESSAGE_CONTENT" not in await socket.get_message():
            pass
        await socket.aclose(1000, "cancelled")
    await ear.wait_for("run q.1: cut")
    body = {
        "model": "smollm2",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "max_tokens": 1,
    }
    with trio.fail_after(20):  # the server has one model, and serves one after the other
        async with open_completion(endpoint, body) as chunks:
            assert await chunks.receive() is not None
