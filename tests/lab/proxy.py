"""A reverse proxy between the service and the homeserver: sees every exchange, and spoils some.

HTTP/1.1 on h11 and Trio. Every request is held against the official OpenAPI (`tests.lab.openapi`);
`findings` collects what it finds. Faults are rules, looked at for each request in order of their
making; they can be added and taken away while the proxy runs.
"""

from __future__ import annotations

import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from enum import Enum
from urllib.parse import urlsplit

import h11
import trio
from attrs import define, field, frozen

from tests.lab.openapi import load_validator

_CHUNK = 65_536
HTML_502 = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


@define
class Exchange:
    """One request that the service made, and what became of it."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    status: int | None = None
    answer: bytes = b""
    spoiled: str | None = None

    def matches(self, pattern: str) -> bool:
        """Whether the regular expression is found in `METHOD /path?query`."""
        return re.search(pattern, f"{self.method} {self.target}") is not None


@frozen
class Answer:
    """Do not forward; answer this instead."""

    status: int
    body: bytes = b'{"errcode":"M_UNKNOWN","error":"injected"}'
    headers: Mapping[str, str] = {"Content-Type": "application/json"}


def rate_limited(retry_after_ms: int = 100) -> Answer:
    """A 429 as Synapse gives it."""
    body = b'{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":%d}'
    return Answer(429, body % retry_after_ms)


def bad_gateway() -> Answer:
    """A 502 of somebody's reverse proxy, in HTML."""
    return Answer(502, HTML_502, {"Content-Type": "text/html"})


class Loss(Enum):
    """How an exchange is broken."""

    REQUEST = "the request is lost before the homeserver sees it"
    ANSWER = "the homeserver has done it, and its answer is lost"
    HALF = "the connection is cut in the middle of the answer"


@define
class Hold:
    """Keep an exchange waiting until `release()`: the request, or, with `answer`, its answer."""

    answer: bool = False
    caught: trio.Event = field(factory=trio.Event)
    released: trio.Event = field(factory=trio.Event)

    def release(self) -> None:
        """Let it go on."""
        self.released.set()


@frozen
class Rewrite:
    """Replace what the regular expression finds in the homeserver's answer.

    So that events arrive that Synapse itself would not take, as they come over federation.
    """

    pattern: bytes
    replacement: bytes


@frozen
class Doctored:
    """Let `change` say what is answered in place of the homeserver's answer.

    It is called when the answer is there, in the order in which answers come.
    """

    change: Callable[[bytes], bytes]


@frozen
class Delay:
    """Keep the homeserver's answer back for as many seconds as `wait` says."""

    wait: Callable[[], float]


def always() -> bool:
    """Befall each request that a rule fits."""
    return True


Fault = Answer | Loss | Hold | Rewrite | Doctored | Delay


@define
class Rule:
    """Which requests a fault befalls: those that match and carry `containing`, `times` times.

    `chance` is asked for each of them whether it shall be.
    """

    pattern: str
    fault: Fault
    times: int | None = None
    containing: bytes = b""
    chance: Callable[[], bool] = always
    hits: int = 0


@define
class Proxy:
    """A running proxy; made by `open_proxy`. `upstream` may be set anew at any time."""

    url: str
    upstream: str
    exchanges: list[Exchange] = field(factory=list)
    findings: list[str] = field(factory=list)
    _rules: list[Rule] = field(factory=list)
    _changed: trio.Event = field(factory=trio.Event)

    def spoil(
        self,
        pattern: str,
        fault: Fault,
        times: int | None = None,
        containing: bytes = b"",
        *,
        chance: Callable[[], bool] = always,
    ) -> Rule:
        """From now on let `fault` befall what matches; returns the rule, for `mend`."""
        rule = Rule(pattern, fault, times, containing, chance)
        self._rules.append(rule)
        return rule

    def mend(self, rule: Rule | None = None) -> None:
        """Take one rule away, or all; what is held is let go."""
        gone = self._rules[:] if rule is None else [rule]
        for one in gone:
            if one in self._rules:
                self._rules.remove(one)
            if isinstance(one.fault, Hold):
                one.fault.release()

    def made(self, pattern: str) -> list[Exchange]:
        """All requests so far that match."""
        return [exchange for exchange in self.exchanges if exchange.matches(pattern)]

    async def wait_made(self, pattern: str, count: int = 1, within: float = 20) -> list[Exchange]:
        """Wait until `count` requests match. Raises AssertionError if they do not in time."""
        with trio.move_on_after(within):
            while len(found := self.made(pattern)) < count:
                await self._changed.wait()
            return found
        seen = "\n".join(f"{one.method} {one.target} {one.status}" for one in self.exchanges[-20:])
        raise AssertionError(f"fewer than {count} requests matched {pattern!r}; the last:\n{seen}")

    async def wait_hit(self, *rules: Rule, within: float = 60) -> None:
        """Wait until one of the rules has befallen a request. Raises AssertionError."""
        with trio.move_on_after(within):
            while not any(rule.hits for rule in rules):
                await self._changed.wait()
            return
        patterns = ", ".join(rule.pattern for rule in rules)
        raise AssertionError(f"in {within:g} s no request was spoilt of {patterns}")

    # -- one connection of the service --

    async def _serve(self, client: trio.SocketStream) -> None:
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._serve_one(connection, client):
                connection.start_next_cycle()
        except* (trio.BrokenResourceError, h11.RemoteProtocolError):
            pass  # the service went away, as a killed one does
        finally:
            await trio.aclose_forcefully(client)

    async def _serve_one(self, connection: h11.Connection, client: trio.SocketStream) -> bool:
        exchange = await _read_request(connection, client)
        if exchange is None:
            return False
        self._record(exchange)
        rule = self._rule_for(exchange)
        fault = rule.fault if rule else None
        exchange.spoiled = type(fault).__name__ if fault is not None else None
        done = False
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_cancel_at_eof, client, nursery.cancel_scope)
            done = await self._exchange(exchange, fault, connection, client)
            nursery.cancel_scope.cancel()
        return done and connection.our_state is h11.DONE and connection.their_state is h11.DONE

    async def _exchange(
        self,
        exchange: Exchange,
        fault: Fault | None,
        connection: h11.Connection,
        client: trio.SocketStream,
    ) -> bool:
        if isinstance(fault, Hold) and not fault.answer:
            fault.caught.set()
            await fault.released.wait()
        if fault is Loss.REQUEST:
            return False
        if isinstance(fault, Answer):
            headers = list(fault.headers.items())
            exchange.status, exchange.answer = fault.status, fault.body
        else:
            try:
                headers = await _forward(self.upstream, exchange)
            except (OSError, trio.BrokenResourceError, h11.RemoteProtocolError):
                return False  # the homeserver is down: the service sees a cut connection
        if isinstance(fault, Rewrite):
            exchange.answer = re.sub(fault.pattern, lambda _: fault.replacement, exchange.answer)
        if isinstance(fault, Doctored):
            exchange.answer = fault.change(exchange.answer)
        if isinstance(fault, Delay):
            await trio.sleep(fault.wait())
        if isinstance(fault, Hold) and fault.answer:
            fault.caught.set()
            await fault.released.wait()
        self._tell()
        if fault is Loss.ANSWER:
            return False
        await _write_answer(exchange, headers, connection, client, half=fault is Loss.HALF)
        return fault is not Loss.HALF

    def _record(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        if validator := load_validator():
            self.findings += validator.check_request(
                exchange.method, exchange.target, exchange.headers, exchange.body
            )
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _rule_for(self, exchange: Exchange) -> Rule | None:
        for rule in self._rules:
            spent = rule.times is not None and rule.hits >= rule.times
            fits = exchange.matches(rule.pattern) and rule.containing in exchange.body
            if fits and not spent and rule.chance():
                rule.hits += 1
                return rule
        return None


@asynccontextmanager
async def open_proxy(upstream: str, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Proxy]:
    """A proxy on a port (0: a free one) of an address, to the homeserver at the URL `upstream`."""
    load_validator()  # takes seconds, which nobody should wait for who has asked something
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(port, host=host)
        proxy = Proxy(f"http://{host}:{listener.socket.getsockname()[1]}", upstream)
        # It listens already: who connects before the task runs waits in the backlog.
        nursery.start_soon(trio.serve_listeners, proxy._serve, [listener])  # noqa: ASYNC113 - see above
        yield proxy
        nursery.cancel_scope.cancel()


async def _read_request(connection: h11.Connection, client: trio.SocketStream) -> Exchange | None:
    exchange: Exchange | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        match event:
            case h11.NEED_DATA:
                connection.receive_data(await client.receive_some(_CHUNK))
            case h11.Request(method=method, target=target, headers=headers):
                pairs = {name.decode(): value.decode("latin-1") for name, value in headers}
                exchange = Exchange(method.decode(), target.decode("latin-1"), pairs, b"")
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage() if exchange is not None:
                exchange.body = bytes(body)
                return exchange
            case _:
                return None


async def _forward(upstream: str, exchange: Exchange) -> list[tuple[str, str]]:
    """Do the exchange with the homeserver; its status and body go into `exchange`."""
    address = urlsplit(upstream)
    headers = {
        name: value
        for name, value in exchange.headers.items()
        if name.lower() not in {"connection", "host", "transfer-encoding", "content-length"}
    }
    headers |= {"Host": address.netloc, "Connection": "close"}
    headers["Content-Length"] = str(len(exchange.body))
    connection = h11.Connection(h11.CLIENT)
    stream = await trio.open_tcp_stream(address.hostname or "", address.port or 80)
    async with stream:
        request = h11.Request(
            method=exchange.method, target=exchange.target, headers=list(headers.items())
        )
        await stream.send_all(
            (connection.send(request) or b"")
            + (connection.send(h11.Data(exchange.body)) or b"")
            + (connection.send(h11.EndOfMessage()) or b"")
        )
        return await _read_answer(exchange, connection, stream)


async def _read_answer(
    exchange: Exchange, connection: h11.Connection, stream: trio.SocketStream
) -> list[tuple[str, str]]:
    headers: list[tuple[str, str]] = []
    body = bytearray()
    while True:
        event = connection.next_event()
        match event:
            case h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(_CHUNK))
            case h11.Response(status_code=status, headers=raw):
                exchange.status = status
                headers = [(name.decode(), value.decode("latin-1")) for name, value in raw]
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage():
                exchange.answer = bytes(body)
                return headers
            case _:
                raise h11.RemoteProtocolError("the homeserver cut its answer short")


async def _write_answer(
    exchange: Exchange,
    headers: list[tuple[str, str]],
    connection: h11.Connection,
    client: trio.SocketStream,
    *,
    half: bool,
) -> None:
    hop = {"connection", "transfer-encoding", "content-length", "keep-alive"}
    kept = [(name, value) for name, value in headers if name.lower() not in hop]
    kept.append(("Content-Length", str(len(exchange.answer))))
    assert exchange.status is not None
    head = connection.send(h11.Response(status_code=exchange.status, headers=kept)) or b""
    if half:
        await client.send_all(head + exchange.answer[: len(exchange.answer) // 2])
        return
    data = connection.send(h11.Data(exchange.answer)) or b""
    end = connection.send(h11.EndOfMessage()) or b""
    await client.send_all(head + data + end)


async def _cancel_at_eof(client: trio.SocketStream, scope: trio.CancelScope) -> None:
    """A service that was killed or gave up takes its open long poll with it."""
    gone = b""
    with suppress(OSError):
        # Peeked at, not read: it may be the next request already.
        gone = await client.socket.recv(1, socket.MSG_PEEK)
    if not gone:
        scope.cancel()
