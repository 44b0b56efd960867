"""Runs followed to their end, and what their agents see of it."""

from __future__ import annotations

from contextlib import suppress

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketConnection

from lambda_matrix.agent.errors import AgentError
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import open_run
from lambda_matrix.agent_events import AgentEvent, RunFinished, TextDelta, TextStarted

SAID_HELLO = [TextStarted("m"), TextDelta("m", "Hello"), RunFinished()]


async def follow(entry: AgentEntry, run_input: RunInput) -> list[AgentEvent]:
    async with open_run(entry, run_input) as run:
        return [event async for event in run.events()]


async def failure_of(entry: AgentEntry, run_input: RunInput) -> AgentError:
    with pytest.raises(AgentError) as caught:
        await follow(entry, run_input)
    return caught.value


class Closings:
    """The closing frames that an agent has seen, for the test to wait for."""

    def __init__(self) -> None:
        self._send, self._receive = trio.open_memory_channel[tuple[int, str | None]](10)

    async def saw_of(self, socket: WebSocketConnection) -> None:
        self._send.send_nowait(await closing_of(socket))

    async def next(self) -> tuple[int, str | None]:
        with trio.fail_after(5):
            return await self._receive.receive()


async def closing_of(socket: WebSocketConnection) -> tuple[int, str | None]:
    """Wait for the client's closing frame; gives its code and reason."""
    with suppress(ConnectionClosed):
        while True:
            await socket.get_message()
    assert socket.closed is not None
    return socket.closed.code, socket.closed.reason
