"""The agents of docs/agents.md, run as they stand there, and registered as it says there."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lambda_matrix.agent.registry import load_registry
from lambda_matrix.agent_events import RunFinished
from tests.agent.agent_process import ROOT, serving
from tests.agent.dialogue import Dialogue

TEXT = (ROOT / "docs/agents.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n# (\w+)\.\w+.*?\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
PROGRAMS = {name: text for kind, name, text in BLOCKS if kind == "python"}
SCRIPT = Path(__file__).with_name("serve_app.py")


@contextmanager
def running(
    name: str, folder: Path, python: Path | str = sys.executable, model: str = "test", **more: str
) -> Iterator[Dialogue]:
    """Run one of the programs, and register it by the lines that come after it."""
    for each, text in PROGRAMS.items():
        (folder / f"{each}.py").write_text(text)
    kinds = [(kind, each) for kind, each, _ in BLOCKS]
    toml = BLOCKS[kinds.index(("python", name)) + 1][2]
    with serving(
        python, SCRIPT, folder / f"{name}.py", environment={"MODEL": model, **more}
    ) as address:
        (folder / "agents.toml").write_text(toml.replace("127.0.0.1:8000", address))
        registry = load_registry(folder / "agents.toml", {})
        yield Dialogue(registry.agents[registry.default])


def test_every_program_is_tried() -> None:
    assert PROGRAMS.keys() == {"echo_agent", "pydantic_agent", "websocket_agent", "deep_agent"}


async def test_a_whole_agent(tmp_path: Path) -> None:
    with running("echo_agent", tmp_path) as dialogue:
        assert await dialogue.ask("Hello") == "You said: Hello"
        assert isinstance(dialogue.outcome, RunFinished)


@pytest.mark.parametrize("name", ["pydantic_agent", "websocket_agent"])
async def test_a_pydantic_ai_agent(tmp_path: Path, name: str) -> None:
    # pydantic-ai's own model for tests calls every tool, and then says what they gave.
    with running(name, tmp_path) as dialogue:
        await dialogue.ask("Hello")
        assert dialogue.asked() == ('Approve delete_note({"name":"a"})?',)
        assert await dialogue.decide("all") == '{"delete_note":"a is deleted."}'


async def test_a_deep_agent(tmp_path: Path, agents_python: Path) -> None:
    with (
        serving(sys.executable, "-m", "tests.agent.scripted_model") as model,
        running(
            "deep_agent",
            tmp_path,
            agents_python,
            "openai:scripted",
            OPENAI_BASE_URL=f"http://{model}/v1",
            OPENAI_API_KEY="none",
            PYTHONPATH="",
        ) as dialogue,
    ):
        assert await dialogue.ask("delete a.txt") == "Let me see."
        assert dialogue.asked() == ('delete_file({"path": "a.txt"})',)
        assert await dialogue.decide("all") == "a.txt is deleted."
        assert await dialogue.ask("Hello") == "2: Hello"
