"""HTTP as it is served to those who watch: also to those who do it badly."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import define, field
from trio.abc import Stream
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from lambda_matrix.service.monitoring.serving import (
    ANSWER_WITHIN,
    CONNECTIONS,
    HEAD_WITHIN,
    IDLE,
    LONGEST_HEAD,
    Answer,
    Asked,
    Server,
    plain,
)

GET = b"GET / HTTP/1.1\r\nHost: localhost:9114\r\n\r\n"


@define
class Person:
    """Whoever sits at the other end of a connection."""

    stream: Stream
    heard: bytearray = field(factory=bytearray)

    async def say(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def hear(self, until: bytes) -> str:
        """Return what comes, up to these bytes or the end."""
        while until not in self.heard:
            more = await self.stream.receive_some(65_536)
            if not more:
                break
            self.heard += more
        text, found, rest = bytes(self.heard).partition(until)
        self.heard[:] = rest
        return (text + found).decode()

    async def hear_all(self) -> str:
        """Return everything until the connection ends."""
        return await self.hear(b"\0 nothing says this")


async def ok(_: Asked) -> Answer:
    return plain(200, "ok")


def server(answering: Callable[[Asked], Awaitable[Answer]] = ok, **more: int) -> Server:
    return Server(answering, **more)


@asynccontextmanager
async def connected(to: Server) -> AsyncIterator[Person]:
    ours, theirs = memory_stream_pair()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(to.serve, theirs)
        yield Person(ours)
        nursery.cancel_scope.cancel()


async def test_a_request_and_the_next_on_the_same_connection() -> None:
    asked: list[Asked] = []

    async def remember(request: Asked) -> Answer:
        asked.append(request)
        return plain(503, "stopping")

    async with connected(server(remember)) as person:
        await person.say(b"GET /readyz?x=1 HTTP/1.1\r\nHost: LocalHost:9114\r\nAccept: a/b\r\n\r\n")
        first = await person.hear(b"stopping\n")
        await person.say(b"GET http://[::1]:9114/metrics HTTP/1.1\r\nHost: [::1]:9114\r\n\r\n")
        await person.hear(b"stopping\n")
    assert asked == [
        Asked(method="GET", path="/readyz", host="localhost", accept="a/b"),
        Asked(method="GET", path="/metrics", host="::1"),
    ]
    assert first.startswith("HTTP/1.1 503 ")
    assert "\r\nContent-Length: 9\r\n" in first
    assert "\r\nContent-Type: text/plain; charset=utf-8\r\n" in first
    assert "\r\nCache-Control: no-store\r\n" in first
    assert "\r\nX-Content-Type-Options: nosniff\r\n" in first


async def test_a_head_is_answered_without_a_body() -> None:
    async with connected(server()) as person:
        await person.say(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head = await person.hear(b"\r\n\r\n")
        assert "Content-Length: 3\r\n" in head
        await person.say(GET)
        assert (await person.hear(b"\r\n\r\n")).startswith("HTTP/1.1 200"), "and nothing between"


async def test_two_requests_at_once_are_answered_one_after_the_other() -> None:
    async with connected(server()) as person:
        await person.say(GET + GET)
        assert (await person.hear(b"ok\n")).startswith("HTTP/1.1 200")
        assert (await person.hear(b"ok\n")).startswith("HTTP/1.1 200")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_nothing_can_be_done_here(method: str) -> None:
    async with connected(server()) as person:
        await person.say(f"{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        said = await person.hear(b"\r\n\r\n")
        assert said.startswith("HTTP/1.1 405 ")
        assert "\r\nAllow: GET, HEAD\r\n" in said


@pytest.mark.parametrize(
    "body", [b"Content-Length: 1000000000\r\n\r\nx", b"Transfer-Encoding: chunked\r\n\r\n5\r\n"]
)
async def test_a_body_is_not_read(body: bytes) -> None:
    async with connected(server()) as person:
        await person.say(b"GET / HTTP/1.1\r\nHost: localhost\r\n" + body)
        said = await person.hear_all()
        assert said.startswith("HTTP/1.1 200 ")
        assert "Connection: close" in said


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),  # TLS
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * LONGEST_HEAD, 431),
    ],
)
async def test_what_is_no_request_is_refused_and_ends_the_connection(
    said: bytes, status: int
) -> None:
    async with connected(server()) as person:
        await person.say(said)
        assert (await person.hear_all()).startswith(f"HTTP/1.1 {status} ")


@pytest.mark.parametrize(
    ("target", "host", "path", "name"),
    [
        ("http://[/", "a", "", "a"),
        ("/x", "[", "/x", None),
        ("http://a", "a:99999999", "/", "a"),
    ],
)
async def test_odd_addresses_are_nobodys(
    target: str, host: str, path: str, name: str | None
) -> None:
    async def tell(asked: Asked) -> Answer:
        return plain(200, f"{asked.path!r} {asked.host!r}")

    async with connected(server(tell)) as person:
        await person.say(f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        assert await person.hear(b"\r\n\r\n")
        assert await person.hear(b"\n") == f"{path!r} {name!r}\n"


async def test_a_silent_connection_ends(autojump_clock: MockClock) -> None:
    async with connected(server()) as person:
        assert await person.hear_all() == ""
        assert trio.current_time() == pytest.approx(HEAD_WITHIN)


async def test_between_requests_a_connection_may_be_silent_for_longer(
    autojump_clock: MockClock,
) -> None:
    async with connected(server()) as person:
        await person.say(GET)
        await person.hear(b"ok\n")
        await trio.sleep(IDLE - 1)
        await person.say(GET)
        await person.hear(b"ok\n")
        began = trio.current_time()
        assert await person.hear_all() == ""
        assert trio.current_time() - began == pytest.approx(IDLE)


async def test_a_request_may_not_drip_in(autojump_clock: MockClock) -> None:
    """One byte every second keeps no connection (slow loris)."""

    async def drip(person: Person) -> None:
        for letter in GET:
            await person.say(bytes([letter]))
            await trio.sleep(1)

    async with connected(server()) as person:
        with pytest.raises(trio.BrokenResourceError):
            await drip(person)
        assert trio.current_time() <= HEAD_WITHIN + 1


async def test_who_hangs_up_in_the_middle_is_forgotten() -> None:
    async with connected(server()) as person:
        await person.say(GET[:20])
        await person.stream.aclose()


async def test_who_hangs_up_before_the_answer_is_forgotten() -> None:
    serving = server()
    ours, theirs = memory_stream_pair()
    await ours.send_all(GET)
    await ours.aclose()
    await serving.serve(theirs)


async def test_an_answer_that_hangs_ends_its_connection_alone(autojump_clock: MockClock) -> None:
    async def hang(_: Asked) -> Answer:
        return await trio.sleep_forever()

    async with connected(server(hang)) as person:
        await person.say(GET)
        assert await person.hear_all() == ""
        assert trio.current_time() == pytest.approx(ANSWER_WITHIN)


async def test_a_fault_is_said_logged_and_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    faults = [ZeroDivisionError]

    async def fail_once(asked: Asked) -> Answer:
        if faults:
            raise faults.pop()
        return await ok(asked)

    async with connected(server(fail_once)) as person:
        await person.say(GET)
        assert (await person.hear(b"why.\n")).startswith("HTTP/1.1 500 ")
        await person.say(GET)
        assert (await person.hear(b"ok\n")).startswith("HTTP/1.1 200 ")
    (record,) = caplog.records
    assert (record.levelno, record.exc_info is not None) == (logging.ERROR, True)


async def test_there_are_only_so_many_connections() -> None:
    serving = server()
    async with trio.open_nursery() as nursery:
        people = []
        for _ in range(CONNECTIONS):
            ours, theirs = memory_stream_pair()
            nursery.start_soon(serving.serve, theirs)
            people.append(Person(ours))
        await wait_all_tasks_blocked()
        ours, theirs = memory_stream_pair()
        await serving.serve(theirs)
        assert await Person(ours).hear_all() == "", "one more is closed at once"
        await people[0].stream.aclose()
        await wait_all_tasks_blocked()
        async with connected(serving) as person:
            await person.say(GET)
            assert (await person.hear(b"ok\n")).startswith("HTTP/1.1 200 ")
        nursery.cancel_scope.cancel()


async def test_it_serves_sockets() -> None:
    serving = server()
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(serving.run, listeners)
        port = listeners[0].socket.getsockname()[1]
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(GET)
            assert (await stream.receive_some(65_536)).startswith(b"HTTP/1.1 200 ")
        nursery.cancel_scope.cancel()
