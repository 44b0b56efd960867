"""An agent's entry and a run, as the service would make them."""

import os
from pathlib import Path

import pytest

from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.ids import PlatformChatId, RequestId, RunId
from tests.agent.agent_process import ROOT
from tests.lab.lacking import lacking


@pytest.fixture
def run_input() -> RunInput:
    return RunInput(
        thread_id=PlatformChatId(1000),
        run_id=RunId("q1.1"),
        request_id=RequestId("q1"),
        messages=(ThreadMessage(id="$question", role="user", content="Как дела?"),),
        user="@alice:example.org",
        room="!room",
        locale="ru",
    )


@pytest.fixture(scope="session")
def agents_python() -> Path:
    """The interpreter of the stock agents' own environment; without one the test is skipped."""
    named = os.environ.get("AGENTS_PYTHON")
    python = Path(named) if named else ROOT / ".venv-agents/bin/python"
    if not python.exists():
        lacking(f"no stock agents at {python} (make .venv-agents/.stamp)")
    return python
