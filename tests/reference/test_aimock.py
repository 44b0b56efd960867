"""The assistant with a scripted model that nobody here wrote: npm's `@copilotkit/aimock`."""

import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest
import trio
from attrs import evolve

from lambda_matrix.reference.endpoint import Endpoint
from lambda_matrix.reference.model_settings import ModelSettings
from lambda_matrix.reference.run import Agent
from lambda_matrix.reference.speaking import Assistant
from lambda_matrix.secret import Secret
from tests.lab.lacking import lacking
from tests.reference.asking import Line, open_line, resume_input, run_input

PROGRAM = Path(__file__).parents[1] / "lab/aimock/node_modules/@copilotkit/aimock/dist/cli.js"
WRITING = {"name": "write_file", "arguments": {"path": "a.txt", "content": "pears"}}
SCRIPT = [
    ({"endpoint": "transcription"}, {"transcription": {"text": "hello from a voice"}}, {}),
    (
        {"userMessage": "cut"},
        {"content": "This sentence is cut in the middle, alas."},
        {"truncateAfterChunks": 3, "chunkSize": 5, "latency": 20},
    ),
    (
        {"userMessage": "busy", "sequenceIndex": 0},
        {"error": {"message": "Rate limited", "type": "rate_limit_error"}, "status": 429},
        {},
    ),
    ({"userMessage": "busy"}, {"content": "Free again."}, {}),
    ({"userMessage": "write", "hasToolResult": False}, {"toolCalls": [WRITING, WRITING]}, {}),
    ({"userMessage": "write", "toolResultContains": "exactly this"}, {"content": "Once."}, {}),
    ({"userMessage": "write", "toolResultContains": "Written"}, {"content": "Written."}, {}),
    ({"userMessage": "write", "toolResultContains": "not allow"}, {"content": "Not then."}, {}),
    ({"userMessage": "hello"}, {"content": "Hello from the script, in pieces."}, {"chunkSize": 4}),
]


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """The base URL of a running aimock."""
    node = shutil.which("node")
    if node is None or not PROGRAM.exists():
        lacking("no node on this machine" if node is None else "`npm ci` has not made aimock")
    fixtures = [{"match": match, "response": said, **how} for match, said, how in SCRIPT]
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"fixtures": fixtures}))
    command = [node, str(PROGRAM), "--port", "0", "--fixtures", str(script), "--strict"]
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(
            partial(trio.run_process, command, stdout=subprocess.PIPE, check=False)
        )
        yield f"{await _address(process)}/v1"
        process.terminate()


async def _address(process: trio.Process) -> str:
    assert process.stdout is not None
    log = ""
    async for data in process.stdout:
        log += data.decode()
        if found := re.search(r"listening on (http://\S+)", log):
            return found[1]
    raise AssertionError(log)


@pytest.fixture
async def model(agent: Agent, url: str) -> AsyncIterator[Line]:
    """The agent with aimock as its model."""
    settings = ModelSettings(
        base_url=url, model="gpt-4o", retries=1, transcription_model="whisper-1"
    )
    assistant = Assistant(Endpoint(url, Secret("k")), settings)
    async with open_line(evolve(agent, assistant=assistant)) as line:
        yield line


async def test_it_streams_and_tells_the_usage(model: Line) -> None:
    heard = await model.say("hello", "q")
    assert heard.text == "Hello from the script, in pieces."
    assert heard.types.count("TEXT_MESSAGE_CONTENT") == 9
    assert heard.events[-1]["usage"][0]["outputTokens"] > 0


async def test_tools_are_called_and_consent_is_asked(model: Line, agent: Agent) -> None:
    assert agent.workspace is not None
    file = agent.workspace / "chats" / "7" / "a.txt"
    assert (await model.say("write", "q1")).text == "Once."
    assert file.read_text() == "pears"
    for answer, text, content in ((False, "Not then.", "plums"), (True, "Written.", "pears")):
        file.write_text("plums")
        asked = await model.say("write", f"q-{answer}")
        interrupts = asked.events[-1]["outcome"]["interrupts"]
        decided = dict.fromkeys((one["id"] for one in interrupts), answer)
        heard = (await model.ask(resume_input(f"r-{answer}", decided))).checked()
        assert heard.text == text
        assert file.read_text() == content


async def test_what_goes_wrong_has_its_code(model: Line) -> None:
    assert (await model.say("cut", "q1")).events[-1]["code"] == "answer_cut"
    assert (await model.say("busy", "q2")).text == "Free again."
    unknown = await model.say("nothing that is scripted", "q3")
    assert unknown.events[-1]["type"] == "RUN_ERROR"


async def test_a_voice_message_is_heard(model: Line) -> None:
    source = {"type": "data", "value": "T2dnUw==", "mimeType": "audio/ogg"}
    content = [{"type": "audio", "source": source}]
    message = {"id": "$q", "role": "user", "content": content}
    heard = (await model.ask(run_input("", "q", messages=[message]))).checked()
    assert heard.text == "Hello from the script, in pieces."
