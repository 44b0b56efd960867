"""Runs over WebSockets, against real servers that do what agents do, and worse."""

import base64
import hashlib
import json
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
import trustme
from trio_websocket import WebSocketRequest

from lambda_matrix.agent import session
from lambda_matrix.agent.errors import Unreachable
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import open_run
from lambda_matrix.agent_events import RunFinished, TextDelta, TextStarted
from lambda_matrix.secret import Secret
from tests.agent.following import SAID_HELLO, Closings, failure_of, follow
from tests.agent.servers import (
    FINISHED,
    HELLO,
    STARTED,
    accept,
    entry_at,
    hang,
    say,
    tcp_agent,
    websocket_agent,
)


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
