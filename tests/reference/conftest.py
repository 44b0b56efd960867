import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lambda_matrix.reference.memory import open_memory
from lambda_matrix.reference.run import Agent
from tests.lab.log_ear import LogEar, hearing
from tests.reference.asking import Line, open_line


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Agent]:
    """An agent with a memory and a workspace, which loses no time where it is slow."""
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    with open_memory(tmp_path / "state") as memory:
        yield Agent(memory, workspace=workspace, pace=0.001)


@pytest.fixture
async def line(agent: Agent) -> AsyncIterator[Line]:
    """That agent, served."""
    async with open_line(agent) as line:
        yield line


@pytest.fixture
def ear() -> Iterator[LogEar]:
    """Hears what the agent logs."""
    with hearing("lambda_matrix.reference", logging.INFO) as ear:
        yield ear
