"""Whether an agent would take a run, as far as that shows without beginning one.

Nothing is told to the agent and no model is called: a WebSocket is opened with the token and closed
again; an agent of the other transport, which knows nothing but whole runs, is sent a GET, which its
address need not take, but which its doorkeeper judges by the token.
"""

from __future__ import annotations

from attrs import frozen

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.sse import knock
from lambda_matrix.agent.websocket import open_connection
from lambda_matrix.ids import PlatformChatId

_NO_CONTEXT = PlatformChatId(0)
"""Contexts are numbered from 1 on."""
_GOODBYE = 1000


@frozen
class Welcomed:
    """The agent has opened a connection for a run."""


@frozen
class Answered:
    """Something answers there with this HTTP status, and not that the token is wrong."""

    status: int


Greeting = Welcomed | Answered


async def greet(entry: AgentEntry) -> Greeting:
    """Say hello. The caller bounds the time that it may take.

    Raises:
        Unreachable, Unauthorized, HandshakeRefused: see there.
    """
    if not entry.is_websocket:
        return Answered(await knock(entry, _NO_CONTEXT))
    async with open_connection(entry, _NO_CONTEXT) as connection:
        await connection.close(_GOODBYE, "a check")
    return Welcomed()
