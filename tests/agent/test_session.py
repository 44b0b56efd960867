"""Runs over WebSockets, against real servers that do what agents do, and worse."""

import base64
import hashlib
import json
import re
import ssl
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
import trustme
from trio_websocket import ConnectionClosed, WebSocketConnection, WebSocketRequest

from lambda_matrix.agent import bounds, session, websocket
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
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import open_run
from lambda_matrix.agent_events import (
    AgentEvent,
    RunFailure,
    RunFinished,
    StateReplaced,
    TextDelta,
    TextStarted,
)
from lambda_matrix.secret import Secret
from tests.agent.servers import (
    FINISHED,
    HELLO,
    STARTED,
    accept,
    entry_at,
    say,
    tcp_agent,
    websocket_agent,
)

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


async def test_a_run_is_followed_to_its_end(run_input: RunInput) -> None:
    requests: list[tuple[str, tuple[str, ...], dict[bytes, bytes], dict[str, Any]]] = []

    async def agent(request: WebSocketRequest) -> None:
        headers = dict(request.headers)
        socket, said = await accept(request)
        requests.append((request.path, request.proposed_subprotocols, headers, said))
        await say(socket, *HELLO)

    async with websocket_agent(agent) as url:
        assert await follow(entry_at(url, token=Secret("t0ken")), run_input) == SAID_HELLO
        assert await follow(entry_at(url), run_input) == SAID_HELLO

    (path, offered, headers, said), (_, _, bare_headers, _) = requests  # a connection for each
    assert path == "/agent_ws/?thread_id=1000"
    assert offered == ("ag-ui.v1+json",)
    assert headers[b"authorization"] == b"Bearer t0ken"
    assert b"authorization" not in bare_headers
    assert said["threadId"] == "1000"
    assert said["messages"][0]["content"] == "Как дела?"


async def test_an_agent_without_the_subprotocol_will_do(run_input: RunInput) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket = await request.accept()
        await say(socket, *HELLO)
        await socket.aclose()

    async with websocket_agent(agent) as url:
        assert await follow(entry_at(url), run_input) == SAID_HELLO


async def test_a_long_frame_comes_whole(run_input: RunInput) -> None:
    delta = "щ" * 150_000

    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        text = {"type": "TEXT_MESSAGE_CHUNK", "messageId": "m", "delta": delta}
        await say(socket, STARTED, text, FINISHED)

    async with websocket_agent(agent) as url:
        events = await follow(entry_at(url), run_input)
    assert events == [TextStarted("m"), TextDelta("m", delta), RunFinished()]


async def test_what_the_journal_may_know_is_counted(run_input: RunInput) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, STARTED, {"type": "OF_TOMORROW"}, FINISHED)

    async with websocket_agent(agent) as url, open_run(entry_at(url), run_input) as run:
        assert [event async for event in run.events()] == [RunFinished()]
        assert run.skipped == 1


async def test_events_end_for_good_after_the_terminal_one(run_input: RunInput) -> None:
    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, *HELLO)

    async with websocket_agent(agent) as url, open_run(entry_at(url), run_input) as run:
        assert [event async for event in run.events()] == SAID_HELLO
        assert [event async for event in run.events()] == []


# -- ways to fail: each its own type --


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


async def hang(_: trio.SocketStream) -> None:
    await trio.sleep_forever()


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


# -- our side ends it --


async def wait_for_close(request: WebSocketRequest, seen: Closings, begun: trio.Event) -> None:
    socket, _ = await accept(request)
    await say(socket, *HELLO[:3])
    begun.set()
    await seen.saw_of(socket)


async def test_leaving_early_cancels_the_run(run_input: RunInput) -> None:
    seen = Closings()
    begun = trio.Event()
    async with websocket_agent(lambda request: wait_for_close(request, seen, begun)) as url:
        async with open_run(entry_at(url), run_input) as run:
            assert await anext(run.events()) == TextStarted("m")
        assert await seen.next() == (1000, "cancelled")


async def test_a_cancelled_scope_cancels_the_run(run_input: RunInput) -> None:
    seen = Closings()
    begun = trio.Event()
    async with websocket_agent(lambda request: wait_for_close(request, seen, begun)) as url:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(follow, entry_at(url), run_input)
            await begun.wait()
            nursery.cancel_scope.cancel()
        assert await seen.next() == (1000, "cancelled")


async def break_down(entry: AgentEntry, run_input: RunInput) -> None:
    async with open_run(entry, run_input) as run:
        await anext(run.events())
        raise ZeroDivisionError


async def test_an_error_of_the_consumer_comes_out_as_it_is(run_input: RunInput) -> None:
    seen = Closings()
    async with websocket_agent(lambda request: wait_for_close(request, seen, trio.Event())) as url:
        with pytest.raises(ZeroDivisionError):
            await break_down(entry_at(url), run_input)
        assert await seen.next() == (1000, "cancelled")


async def test_leaving_before_the_connection_stands(run_input: RunInput) -> None:
    async with tcp_agent(hang) as url:
        with trio.fail_after(1):
            async with open_run(entry_at(url), run_input):
                await trio.testing.wait_all_tasks_blocked()


def frames_on_the_wire(*frames: dict[str, Any]) -> bytes:
    """Write events as unmasked text frames of under 126 bytes (RFC 6455, 5.2)."""
    payloads = [json.dumps(frame).encode() for frame in frames]
    return b"".join(bytes((0x81, len(payload))) + payload for payload in payloads)


def accept_key(head: str) -> str:
    key = re.search(r"sec-websocket-key: (\S+)", head, re.IGNORECASE)
    assert key is not None
    digest = hashlib.sha1(f"{key[1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()  # noqa: S324 - RFC 6455, 4.2.2
    return base64.b64encode(digest).decode()


async def freeze_after(stream: trio.SocketStream, *frames: dict[str, Any]) -> None:
    """Say this much, all in one packet, and never read or answer again."""
    head = (await stream.receive_some()).decode("ascii")
    answer = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(head)}\r\n\r\n"
    )
    await stream.send_all(answer.encode() + frames_on_the_wire(*frames))
    await trio.sleep_forever()


async def test_the_end_is_there_at_once_and_leaving_waits_for_nothing(run_input: RunInput) -> None:
    async with tcp_agent(lambda stream: freeze_after(stream, *HELLO)) as url:
        with trio.fail_after(session.CLOSE_TIMEOUT / 2):
            assert await follow(entry_at(url), run_input) == SAID_HELLO


async def test_the_agents_goodbye_is_not_waited_for_for_ever(
    run_input: RunInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The consumer stays in the context long after the end: the connection is gone all the same."""
    monkeypatch.setattr(session, "CLOSE_TIMEOUT", 0.05)
    gone = trio.Event()

    async def agent(stream: trio.SocketStream) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(freeze_after, stream, *HELLO)
            await begun.wait()
            while await stream.receive_some():
                pass
            gone.set()
            nursery.cancel_scope.cancel()

    begun = trio.Event()
    async with tcp_agent(agent) as url, open_run(entry_at(url), run_input) as run:
        assert [event async for event in run.events()] == SAID_HELLO
        begun.set()
        with trio.fail_after(2):
            await gone.wait()


async def test_a_frozen_agent_does_not_hold_up_a_cancelled_run(
    run_input: RunInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "CLOSE_TIMEOUT", 0.05)
    async with tcp_agent(lambda stream: freeze_after(stream, *HELLO[:3])) as url:
        with trio.fail_after(2):
            async with open_run(entry_at(url), run_input) as run:
                assert await anext(run.events()) == TextStarted("m")


# -- the reader never waits for the consumer --


async def test_pings_are_answered_while_the_consumer_is_busy(run_input: RunInput) -> None:
    answered = trio.Event()

    async def agent(request: WebSocketRequest) -> None:
        socket, _ = await accept(request)
        await say(socket, *HELLO[:2])
        for number in range(50):
            await say(socket, {**HELLO[2], "delta": f"{number} "})
        await socket.ping()
        answered.set()
        await say(socket, *HELLO[3:])

    async with websocket_agent(agent) as url, open_run(entry_at(url), run_input) as run:
        await answered.wait()  # busy: nothing is taken meanwhile
        events = [event async for event in run.events()]
    text = "".join(f"{number} " for number in range(50))
    assert events == [TextStarted("m"), TextDelta("m", text), RunFinished()]


# -- TLS --


async def hello(request: WebSocketRequest) -> None:
    socket, _ = await accept(request)
    await say(socket, *HELLO)


async def test_the_operators_ca_file_is_trusted_and_nobody_else(
    run_input: RunInput, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    async with websocket_agent(hello, context) as url:
        assert await follow(entry_at(url, ca_file=tmp_path / "ca.pem"), run_input) == SAID_HELLO
        error = await failure_of(entry_at(url), run_input)
    assert type(error) is Unreachable
    assert "certificate" in error.detail.lower()
