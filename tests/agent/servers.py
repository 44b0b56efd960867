"""Agents to talk to: real servers on loopback that behave as the test says."""

import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import trio
from trio_websocket import WebSocketConnection, WebSocketRequest, serve_websocket

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.ids import AgentId

STARTED = {"type": "RUN_STARTED", "threadId": "1000", "runId": "q1.1"}
FINISHED = {"type": "RUN_FINISHED", "threadId": "1000", "runId": "q1.1"}
HELLO: tuple[dict[str, Any], ...] = (
    STARTED,
    {"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "assistant"},
    {"type": "TEXT_MESSAGE_CONTENT", "messageId": "m", "delta": "Hello"},
    {"type": "TEXT_MESSAGE_END", "messageId": "m"},
    FINISHED,
)

WebSocketHandler = Callable[[WebSocketRequest], Awaitable[None]]
StreamHandler = Callable[[trio.SocketStream], Awaitable[None]]


def entry_at(base_url: str, **more: Any) -> AgentEntry:
    """Register an agent at this address, with short timeouts unless the test says otherwise."""
    return AgentEntry(AgentId("main"), "Lambda", base_url, **{"idle_timeout": 5.0, **more})


@asynccontextmanager
async def websocket_agent(
    handler: WebSocketHandler, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve WebSockets; gives the base URL."""
    async with trio.open_nursery() as nursery:
        server = await nursery.start(
            partial(serve_websocket, handler, "127.0.0.1", 0, ssl_context=ssl_context)
        )
        scheme, host = ("ws", "127.0.0.1") if ssl_context is None else ("wss", "localhost")
        yield f"{scheme}://{host}:{server.port}"
        nursery.cancel_scope.cancel()


async def hang(_: trio.SocketStream) -> None:
    """Say nothing, for ever."""
    await trio.sleep_forever()


@asynccontextmanager
async def tcp_agent(handler: StreamHandler, scheme: str = "ws") -> AsyncIterator[str]:
    """Serve bare TCP; gives the base URL."""
    async with trio.open_nursery() as nursery:
        listeners: list[trio.SocketListener] = await nursery.start(
            partial(trio.serve_tcp, handler, 0, host="127.0.0.1")
        )
        port = listeners[0].socket.getsockname()[1]
        yield f"{scheme}://127.0.0.1:{port}"
        nursery.cancel_scope.cancel()


async def accept(request: WebSocketRequest) -> tuple[WebSocketConnection, dict[str, Any]]:
    """Accept a run; gives its connection and its input."""
    proposed = request.proposed_subprotocols
    socket = await request.accept(subprotocol=proposed[0] if proposed else None)
    run_input: dict[str, Any] = json.loads(await socket.get_message())
    return socket, run_input


async def say(socket: WebSocketConnection, *frames: dict[str, Any]) -> None:
    """Send events, one frame each."""
    for frame in frames:
        await socket.send_message(json.dumps(frame))


async def read_request(stream: trio.SocketStream) -> tuple[str, bytes]:
    """Read one HTTP request with a known length; gives its head, in small letters, and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += await stream.receive_some()
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("ascii").lower()
    length = int(lines.partition("content-length: ")[2].split("\r\n")[0] or 0)
    while len(body) < length:
        body += await stream.receive_some()
    return lines, body


def sse(*frames: dict[str, Any]) -> bytes:
    """Write events as an event stream does."""
    return b"".join(b"data: " + json.dumps(frame).encode() + b"\n\n" for frame in frames)


def sse_head(status: str = "200 OK", kind: str = "text/event-stream") -> bytes:
    """Write the head of an answer that ends with the connection."""
    return f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode()
