"""A conversation with an agent that nobody here wrote, its approvals included. Time is real."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from trio.testing import MockClock

from tests.agent import stock_agent
from tests.agent.agent_process import serving
from tests.surface.bridging import open_lab


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Start the agent; gives host and port."""
    with serving(sys.executable, Path(stock_agent.__file__)) as served:
        yield served


async def test_approvals_of_a_stock_agent(address: str, tmp_path: Path) -> None:
    async with open_lab(MockClock(), tmp_path) as lab:
        lab.with_agent(
            base_url=f"ws://{address}",
            path="/ws?thread_id={platform_chat_id}",
            history="client",
            inline_files=True,
        )
        async with lab.chat() as service:
            asked = await service.ask("Please delete a.txt and b.txt")
            assert asked.startswith("Let me see.")
            assert "a.txt" in asked
            assert "b.txt" in asked
            decided = await service.ask("!yes 1")
            assert decided.startswith("Deleted a.txt.")
            assert "denied" in decided
            await service.ask("!retry")
            assert "Deleted" not in await service.ask("!no")
            count, text = (await service.ask("Hello?")).split(": ")
            assert int(count) > 1, "it is told the whole conversation"
            assert text == "Hello?"
