"""Each way in which a run may fail has an error of its own type."""

from __future__ import annotations

import json
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
import trio
from trio_websocket import ConnectionClosed, WebSocketRequest

from lambda_matrix.agent import bounds, websocket
from lambda_matrix.agent.errors import (
    AgentError,
    BadFrame,
    FrameTooLarge,
    HandshakeRefused,
    IdleTimeout,
    InputRefused,
    RunTimeout,
    Truncated,
    Unauthorized,
    Unreachable,
)
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import open_run
from lambda_matrix.agent_events import RunFailure, RunFinished, StateReplaced
from lambda_matrix.secret import Secret
from tests.agent.following import SAID_HELLO, Closings, closing_of, failure_of, follow
from tests.agent.servers import (
    HELLO,
    STARTED,
    accept,
    entry_at,
    hang,
    say,
    tcp_agent,
    websocket_agent,
)


async def reject(request: WebSocketRequest, status: int) -> None:
    await request.reject(status, body=b"no")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, Unauthorized),
        (403, Unauthorized),
        (404, HandshakeRefused),
        (500, HandshakeRefused),
        (302, HandshakeRefused),
    ],
)
async def test_a_handshake_that_is_refused(
    run_input: RunInput, status: int, kind: type[AgentError]
) -> None:
    async with websocket_agent(lambda request: reject(request, status)) as url:
        error = await failure_of(entry_at(url, token=Secret("t0ken")), run_input)
    assert type(error) is kind
    assert error.detail == f"HTTP status {status} at the handshake"


async def test_a_port_that_nobody_listens_on(run_input: RunInput) -> None:
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        error = await failure_of(entry_at(f"ws://127.0.0.1:{port}"), run_input)
    assert type(error) is Unreachable
    assert error.failure is RunFailure.UNREACHABLE


class NoNames(trio.abc.HostnameResolver):
    async def getaddrinfo(self, *_: Any, **__: Any) -> Any:
        raise trio.socket.gaierror(-2, "Name or service not known")

    async def getnameinfo(self, *_: Any) -> Any:
        raise trio.socket.gaierror(-2, "Name or service not known")


async def test_a_name_that_nobody_knows(run_input: RunInput) -> None:
    trio.socket.set_custom_hostname_resolver(NoNames())
    error = await failure_of(entry_at("ws://agent.invalid"), run_input)
    assert type(error) is Unreachable
    assert "agent.invalid:80" in error.detail


async def test_a_connection_that_never_comes_about(
    run_input: RunInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS towards a server that stays silent; the same scope bounds TCP."""
    monkeypatch.setattr(websocket, "CONNECT_TIMEOUT", 0.05)
    async with tcp_agent(hang, "wss") as url:
        error = await failure_of(entry_at(url), run_input)
    assert type(error) is Unreachable


async def test_a_handshake_that_is_never_answered(run_input: RunInput) -> None:
    async with tcp_agent(hang) as url:
        error = await failure_of(entry_at(url, idle_timeout=0.05), run_input)
    assert type(error) is IdleTimeout


async def garbage(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"220 mail.example.org ESMTP\r\n\r\n")
    await stream.receive_some()


async def web_page(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    await stream.send_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
    await stream.receive_some()


async def hang_up(stream: trio.SocketStream) -> None:
    await stream.receive_some()


async def hang_up_at_once(_: trio.SocketStream) -> None:
    """The unread request makes it a reset."""


def reset_on_close(stream: trio.SocketStream) -> None:
    linger = struct.pack("ii", 1, 0)
    stream.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, linger)


async def reset(stream: trio.SocketStream) -> None:
    await stream.receive_some()
    reset_on_close(stream)


@pytest.mark.parametrize("handler", [garbage, web_page, hang_up, hang_up_at_once, reset])
async def test_what_is_no_websocket(
    run_input: RunInput, handler: Callable[[trio.SocketStream], Awaitable[None]]
) -> None:
    async with tcp_agent(handler) as url:
        error = await failure_of(entry_at(url), run_input)
    assert type(error) is HandshakeRefused


async def test_a_silent_agent_is_given_up_and_told(run_input: RunInput) -> None:
    seen = Closings()

    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, *HELLO[:-1])
        await seen.saw_of(socket)

    async with websocket_agent(agent) as url:
        async with open_run(entry_at(url, idle_timeout=0.1), run_input) as run:
            events = run.events()
            assert [await anext(events), await anext(events)] == SAID_HELLO[:2]
            with pytest.raises(IdleTimeout):
                await anext(events)
        assert await seen.next() == (1000, "cancelled")


async def test_a_run_may_not_last_for_ever_however_lively(run_input: RunInput) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, STARTED)
        with suppress(ConnectionClosed):
            while True:
                await say(socket, {"type": "STEP_STARTED", "stepName": "s"})
                await trio.sleep(0.02)  # the agent's pace: well within idle_timeout

    async with websocket_agent(agent) as url:
        error = await failure_of(entry_at(url, idle_timeout=2, run_timeout=0.2), run_input)
    assert type(error) is RunTimeout
    assert error.detail == "the run is not over after 0.2 s"


@pytest.mark.parametrize("events", [(), HELLO[:3]])
@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_a_close_before_the_end_is_no_success(
    run_input: RunInput, events: tuple[dict[str, Any], ...], code: int
) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, *events)
        await socket.aclose(code, "bye\n")

    async with websocket_agent(agent) as url:
        error = await failure_of(entry_at(url), run_input)
    assert type(error) is Truncated
    assert error.detail.startswith(f"closed with code {code}, reason 'bye")


@pytest.mark.parametrize("abruptly", [False, True], ids=["end", "reset"])
async def test_a_connection_that_is_cut_is_no_success(run_input: RunInput, abruptly: bool) -> None:  # noqa: FBT001 - pytest gives it
    heard = trio.Event()

    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, *HELLO[:3])
        await heard.wait()
        assert isinstance(socket._stream, trio.SocketStream)
        if abruptly:
            reset_on_close(socket._stream)
        await trio.aclose_forcefully(socket._stream)

    async with websocket_agent(agent) as url, open_run(entry_at(url), run_input) as run:
        events = run.events()
        assert [await anext(events), await anext(events)] == SAID_HELLO[:2]
        heard.set()
        with pytest.raises(Truncated):
            await anext(events)


@pytest.mark.parametrize("code", [1007, 1009])
async def test_an_input_that_the_agent_cannot_read(run_input: RunInput, code: int) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await socket.aclose(code, "2 errors in RunAgentInput")

    async with websocket_agent(agent) as url:
        error = await failure_of(entry_at(url), run_input)
    assert type(error) is InputRefused
    assert "2 errors" in error.detail


async def test_1007_after_an_event_is_no_refusal(run_input: RunInput) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, STARTED)
        await socket.aclose(1007)

    async with websocket_agent(agent) as url:
        assert type(await failure_of(entry_at(url), run_input)) is Truncated


@pytest.mark.parametrize(
    "message",
    ["no JSON", "[]", b"binary", '{"type": "RUN_STARTED", "threadId": "7", "runId": "q1.1"}'],
    ids=["text", "array", "binary", "other thread"],
)
async def test_what_is_no_event(run_input: RunInput, message: str | bytes) -> None:
    seen = Closings()

    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await socket.send_message(message)
        await seen.saw_of(socket)

    async with websocket_agent(agent) as url:
        assert type(await failure_of(entry_at(url), run_input)) is BadFrame
        assert await seen.next() == (1007, "bad_frame")


async def test_a_frame_of_unreasonable_size(
    run_input: RunInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(websocket, "MAX_FRAME", 1 << 20)

    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        with pytest.raises(ConnectionClosed):
            await socket.send_message("x" * (websocket.MAX_FRAME * 8))

    async with websocket_agent(agent) as url:
        assert type(await failure_of(entry_at(url), run_input)) is FrameTooLarge


async def test_an_agent_may_tell_a_whole_conversation_at_once(run_input: RunInput) -> None:
    snapshot = {"type": "STATE_SNAPSHOT", "snapshot": {"messages": ["слово " * 200_000]}}

    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        for frame in (HELLO[0], snapshot, *HELLO[1:]):
            await socket.send_message(json.dumps(frame))
        await closing_of(socket)

    async with websocket_agent(agent) as url:
        events = await follow(entry_at(url), run_input)
    assert events[0] == StateReplaced(json.dumps(snapshot["snapshot"]))
    assert events[-1] == RunFinished()


@pytest.mark.parametrize(
    "frame",
    [b"\x81\x02\xff\xff", b"\xf1\x00", b"\x83\x00", b"\x80\x01a"],
    ids=["not UTF-8", "reserved bits", "unknown opcode", "continuation of nothing"],
)
async def test_a_broken_frame(run_input: RunInput, frame: bytes) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await socket._stream.send_all(frame)
        await closing_of(socket)

    async with websocket_agent(agent) as url:
        assert type(await failure_of(entry_at(url), run_input)) is BadFrame


async def test_a_run_may_not_be_endless_in_size(
    run_input: RunInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "MAX_RUN", 1000)

    async with websocket_agent(endless) as url:
        assert type(await failure_of(entry_at(url), run_input)) is FrameTooLarge


async def endless(request: WebSocketRequest) -> None:
    socket, _ = await accept(request)
    with suppress(ConnectionClosed):
        while True:
            await say(socket, {"type": "OF_TOMORROW"})
