"""Runs over HTTP and server-sent events, against servers that write what the test says."""

import json
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme

from lambda_matrix.agent import session, sse as transport
from lambda_matrix.agent.errors import (
    AgentError,
    BadFrame,
    FrameTooLarge,
    HandshakeRefused,
    IdleTimeout,
    InputRefused,
    Truncated,
    Unauthorized,
    Unreachable,
)
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import open_run
from lambda_matrix.agent_events import AgentEvent, RunFinished, TextDelta, TextStarted
from lambda_matrix.secret import Secret
from tests.agent.servers import (
    HELLO,
    STARTED,
    StreamHandler,
    entry_at,
    read_request,
    sse,
    sse_head,
    tcp_agent,
)

SAID_HELLO = [TextStarted("m"), TextDelta("m", "Hello"), RunFinished()]


async def follow(entry: AgentEntry, run_input: RunInput) -> list[AgentEvent]:
    async with open_run(entry, run_input) as run:
        return [event async for event in run.events()]


async def failure_of(entry: AgentEntry, run_input: RunInput) -> AgentError:
    with pytest.raises(AgentError) as caught:
        await follow(entry, run_input)
    return caught.value


async def answer(stream: trio.SocketStream, *data: bytes, then_hang: bool = False) -> None:
    async with stream:
        await read_request(stream)
        for part in data:
            await stream.send_all(part)
        if then_hang:
            await stream.receive_some()


def answering(*data: bytes, then_hang: bool = False) -> StreamHandler:
    return lambda stream: answer(stream, *data, then_hang=then_hang)


async def test_a_run_is_followed_to_its_end(run_input: RunInput) -> None:
    requests: list[tuple[str, bytes]] = []

    async def agent(stream: trio.SocketStream) -> None:
        async with stream:
            requests.append(await read_request(stream))
            await stream.send_all(sse_head("200 OK", "text/event-stream; charset=utf-8"))
            await stream.send_all(
                b": a comment\n\nretry: 10\n\nid: 1\nevent: message\n" + sse(*HELLO)
            )

    async with tcp_agent(agent, "http") as url:
        entry = entry_at(url + "/agent", token=Secret("t0ken"))
        assert await follow(entry, run_input) == SAID_HELLO
    [(head, body)] = requests
    assert head.startswith("post /agent http/1.1\r\n")
    assert "\r\naccept: text/event-stream\r\n" in head
    assert "\r\nauthorization: bearer t0ken" in head
    assert json.loads(body)["threadId"] == "1000"


async def test_the_stream_may_stay_open_after_the_end(run_input: RunInput) -> None:
    async with tcp_agent(answering(sse_head(), sse(*HELLO), then_hang=True), "http") as url:
        with trio.fail_after(session.CLOSE_TIMEOUT / 2):
            assert await follow(entry_at(url), run_input) == SAID_HELLO


async def test_events_come_whole_however_they_are_cut(run_input: RunInput) -> None:
    data = sse(*HELLO)
    pieces = [data[start : start + 7] for start in range(0, len(data), 7)]
    async with tcp_agent(answering(sse_head(), *pieces), "http") as url:
        assert await follow(entry_at(url), run_input) == SAID_HELLO


@pytest.mark.parametrize(
    ("handler", "kind"),
    [
        (answering(sse_head("401 Unauthorized")), Unauthorized),
        (answering(sse_head("403 Forbidden")), Unauthorized),
        (answering(sse_head("400 Bad Request")), InputRefused),
        (answering(sse_head("413 Content Too Large")), InputRefused),
        (answering(sse_head("422 Unprocessable Content")), InputRefused),
        (answering(sse_head("302 Found")), HandshakeRefused),
        (answering(sse_head("500 Internal Server Error")), HandshakeRefused),
        (answering(sse_head("200 OK", "text/html"), b"<html>"), HandshakeRefused),
        (answering(b"220 mail.example.org ESMTP\r\n\r\n"), HandshakeRefused),
        (answering(), HandshakeRefused),
        (answering(sse_head()), Truncated),
        (answering(sse_head(), sse(*HELLO[:3])), Truncated),
        (
            answering(sse_head("200 OK", "text/event-stream\r\nContent-Length: 99"), b"data: "),
            Truncated,
        ),
        (answering(sse_head(), b"data: garbage\n\n", then_hang=True), BadFrame),
        (answering(sse_head(), sse(HELLO[2]), then_hang=True), BadFrame),
        (answering(sse_head(), b"data: \xff\n\n", then_hang=True), BadFrame),
    ],
)
async def test_each_failure_is_its_own(
    run_input: RunInput,
    handler: Callable[[trio.SocketStream], Awaitable[None]],
    kind: type[AgentError],
) -> None:
    async with tcp_agent(handler, "http") as url:
        error = await failure_of(entry_at(url, token=Secret("t0ken")), run_input)
    assert type(error) is kind
    assert "t0ken" not in error.detail


async def test_garbage_on_two_levels_at_once(run_input: RunInput) -> None:
    """What is left of a run that was given up is not looked at, even if it is broken itself."""
    head = sse_head("200 OK", "text/event-stream\r\nTransfer-Encoding: chunked")
    body = b"data: garbage\n\ndata: more\n\n"
    chunked = b"%x\r\n%b\r\nno chunk\r\n" % (len(body), body)
    async with tcp_agent(answering(head + chunked, then_hang=True), "http") as url:
        assert type(await failure_of(entry_at(url), run_input)) is BadFrame


async def test_a_port_that_nobody_listens_on(run_input: RunInput) -> None:
    with trio.socket.socket() as unused:
        await unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert (
            type(await failure_of(entry_at(f"http://127.0.0.1:{port}"), run_input)) is Unreachable
        )


@pytest.mark.parametrize("more", [b"x", b"x\ndata: ", b"\n: a comment"])
async def test_an_event_of_unreasonable_size(
    run_input: RunInput, monkeypatch: pytest.MonkeyPatch, more: bytes
) -> None:
    monkeypatch.setattr(transport, "MAX_EVENT", 1 << 20)

    async def agent(stream: trio.SocketStream) -> None:
        await read_request(stream)
        await stream.send_all(sse_head() + b"data: ")
        with suppress(trio.BrokenResourceError):
            while True:
                await stream.send_all(more * 5000)

    async with tcp_agent(agent, "http") as url:
        assert type(await failure_of(entry_at(url), run_input)) is FrameTooLarge


async def test_a_long_answer_of_short_lines_is_fine(
    run_input: RunInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "MAX_EVENT", 2000)
    data = sse(*HELLO[:2], *(HELLO[2] for _ in range(100)), *HELLO[3:])
    pieces = [data[start : start + 500] for start in range(0, len(data), 500)]
    async with tcp_agent(answering(sse_head(), *pieces), "http") as url:
        events = await follow(entry_at(url), run_input)
    assert "".join(event.delta for event in events if isinstance(event, TextDelta)) == "Hello" * 100


@pytest.mark.parametrize("data", [(), (sse_head(),), (sse_head(), sse(STARTED))])
async def test_a_silent_agent_is_given_up(run_input: RunInput, data: tuple[bytes, ...]) -> None:
    async with tcp_agent(answering(*data, then_hang=True), "http") as url:
        error = await failure_of(entry_at(url, idle_timeout=0.1), run_input)
    assert type(error) is IdleTimeout


async def test_leaving_early_aborts_the_request(run_input: RunInput) -> None:
    aborted = trio.Event()

    async def agent(stream: trio.SocketStream) -> None:
        await read_request(stream)
        await stream.send_all(sse_head() + sse(*HELLO[:3]))
        assert await stream.receive_some() == b""
        aborted.set()

    async with tcp_agent(agent, "http") as url:
        async with open_run(entry_at(url), run_input) as run:
            assert await anext(run.events()) == TextStarted("m")
        with trio.fail_after(2):
            await aborted.wait()


async def test_the_operators_ca_file_is_trusted_and_nobody_else(
    run_input: RunInput, tmp_path: Path
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)

    async def agent(stream: trio.SSLStream[trio.SocketStream]) -> None:
        try:
            await stream.receive_some()
            await stream.send_all(sse_head() + sse(*HELLO))
        except trio.BrokenResourceError:
            return  # the client did not trust it
        await stream.aclose()

    async with trio.open_nursery() as nursery:
        listeners: list[trio.SSLListener[trio.SocketStream]] = await nursery.start(
            partial(
                trio.serve_ssl_over_tcp,
                agent,
                0,
                context,
                host="127.0.0.1",
                https_compatible=True,
            )
        )
        port = listeners[0].transport_listener.socket.getsockname()[1]  # type: ignore[attr-defined]  # a SocketListener, which the stubs do not tell
        url = f"https://localhost:{port}"
        assert await follow(entry_at(url, ca_file=tmp_path / "ca.pem"), run_input) == SAID_HELLO
        error = await failure_of(entry_at(url), run_input)
        nursery.cancel_scope.cancel()
    assert type(error) is Unreachable
