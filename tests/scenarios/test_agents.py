"""Agents of several kinds behind the service, on a real homeserver without limits."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from lambda_matrix.demo.settings_files import Table, to_toml
from tests.agent import stock_agent
from tests.agent.agent_process import serving
from tests.lab.chatting import Stack, open_chatting
from tests.reference.fake_endpoint import call, open_fake, refuse, say


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A stock pydantic-ai agent; gives host and port."""
    with serving(sys.executable, Path(stock_agent.__file__)) as served:
        yield served


@pytest.mark.parametrize(
    ("scheme", "path"), [("ws", "/ws?thread_id={platform_chat_id}"), ("http", "/sse")]
)
async def test_a_stock_agent_with_its_approvals(
    stack: Stack, address: str, scheme: str, path: str
) -> None:
    agent: Table = {
        "base_url": f"{scheme}://{address}",
        "path": path,
        "history": "client",
        "inline_files": True,
    }
    registry = stack.settings.directory / "agents.toml"
    registry.write_text('default = "stock"\n' + to_toml({"agent.stock": agent}))
    await stack.service.start()
    async with open_chatting(stack) as chatting:
        asked = (await chatting.ask("Please delete a.txt and b.txt")).text
        assert "a.txt" in asked
        assert "b.txt" in asked
        decided = (await chatting.ask("!yes 1")).text
        assert decided.startswith("Deleted a.txt.")
        assert "denied" in decided
        count, text = (await chatting.ask("Hello?")).text.split(": ")
        assert int(count) > 1, "it is told the whole conversation"
        assert text == "Hello?"


async def test_the_bundled_agent_with_a_model(stack: Stack, tmp_path: Path) -> None:
    """Streams, remembers, uses its tools, asks before it overwrites, and tells what failed."""
    async with open_fake() as endpoint:
        await stack.agent.program.stop()
        config = tmp_path / "model.toml"
        config.write_text(f'base_url = "{endpoint.url}"\nmodel = "small"\nretries = 0\n')
        program = stack.agent.program.program
        command = [*program.command, "--config", str(config)]
        stack.agent.program.program = evolve(program, command=command)
        await stack.agent.program.start()
        await stack.service.start()
        async with open_chatting(stack) as chatting:
            endpoint.script(say("It is ", "**sunny**."))
            answer = await chatting.ask("How is the weather?")
            assert answer.text == "It is **sunny**."
            assert "<strong>sunny</strong>" in (answer.parts[0].html or "")

            endpoint.script(say("Then swim."))
            await chatting.ask("What shall I do?")
            told = json.dumps(endpoint.asked[-1].messages)
            assert "How is the weather?" in told
            assert "sunny" in told

            write = {"path": "note.txt", "content": "milk"}
            endpoint.script(call(("write_file", write)), say("Noted."))
            assert (await chatting.ask("Note: milk")).text == "Noted."
            write = {"path": "note.txt", "content": "bread"}
            endpoint.script(call(("write_file", write)))
            assert "note.txt" in (await chatting.ask("Rather bread")).text
            endpoint.script(say("Left as it is."))
            assert (await chatting.ask("!no I forgot")).text == "Left as it is."

            endpoint.script(refuse(401))
            assert "does not let it in" in (await chatting.ask("Hello?")).text
            endpoint.script(say("Here again."))
            assert (await chatting.ask("!retry")).text == "Here again."
