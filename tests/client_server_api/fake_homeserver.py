"""A homeserver of a few lines on real sockets, for what no real one does when asked to.

It answers from a script and keeps what it was asked. Both sides of each exchange are held against
the official OpenAPI, unless an answer is bad on purpose (`is_valid=False`).
"""

from __future__ import annotations

import json
import re
import ssl
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import Enum
from functools import partial
from typing import Any

import h11
import trio
from attrs import define, evolve, field, frozen

from tests.lab.openapi import load_validator

LOOPBACK = "127.0.0.1"
VERSIONS: dict[str, object] = {
    "versions": ["v1.11", "v1.15"],
    "unstable_features": {"org.example": True, "b": False},
}


class Cut(Enum):
    """Where a connection breaks."""

    BEFORE_ANSWER = "the request was read, nothing is answered"
    WITHIN_ANSWER = "half of the body, then nothing"


@frozen
class Answer:
    """One answer of the script.

    `gate` holds it back until the event is set, `gate_within` the second half of its body. One that
    is `early` comes before the request's body has been read. One of no `length` tells none.
    """

    body: object = field(factory=dict)
    status: int = 200
    headers: Mapping[str, str] = field(factory=dict)
    cut: Cut | None = None
    gate: trio.Event | None = None
    gate_within: trio.Event | None = None
    early: bool = False
    length: int | None = -1
    is_valid: bool = True

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def refusal(status: int, errcode: str, **more: object) -> Answer:
    """A Matrix error."""
    return Answer({"errcode": errcode, "error": "no", **more}, status)


def html(status: int) -> Answer:
    """A page of whatever stands before the homeserver."""
    return Answer(b"<html>Bad Gateway</html>", status, {"Content-Type": "text/html"})


CUT = Answer(cut=Cut.BEFORE_ANSWER)


@frozen
class Asked:
    """One request that came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@define(eq=False)
class FakeHomeserver:
    """Answers by the first pattern that is found in `METHOD /path?query`; the last answer stays."""

    url: str = ""
    asked: list[Asked] = field(factory=list)
    findings: list[str] = field(factory=list)
    connections: int = 0
    _script: dict[str, deque[Answer]] = field(factory=dict)
    _changed: trio.Event = field(factory=trio.Event)

    def on(self, pattern: str, *answers: Answer | dict[str, object]) -> None:
        """From now on answer so, one after the other."""
        as_answers = (one if isinstance(one, Answer) else Answer(one) for one in answers)
        self._script[pattern] = deque(as_answers)

    def of(self, pattern: str) -> list[Asked]:
        """What was asked so far that matches."""
        return [one for one in self.asked if re.search(pattern, f"{one.method} {one.target}")]

    async def wait_asked(self, pattern: str, count: int = 1) -> list[Asked]:
        """Wait until that many matching requests have come."""
        while len(found := self.of(pattern)) < count:
            await self._changed.wait()
        return found

    def _answer_to(self, asked: Asked) -> Answer:
        for pattern, answers in self._script.items():
            if re.search(pattern, f"{asked.method} {asked.target}"):
                return answers.popleft() if len(answers) > 1 else answers[0]
        return refusal(404, "M_UNRECOGNIZED")

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection to its end."""
        self.connections += 1
        connection = h11.Connection(h11.SERVER)
        try:
            while await self._serve_one(connection, stream):
                connection.start_next_cycle()
        except (trio.BrokenResourceError, h11.RemoteProtocolError):
            pass  # the client has gone; what it asked is on record
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async def _serve_one(self, connection: h11.Connection, stream: trio.abc.Stream) -> bool:
        asked = await _read_head(connection, stream)
        if asked is None:
            return False
        answer = self._answer_to(asked)
        if not answer.early:
            asked = evolve(asked, body=await _read_body(connection, stream))
        self._check(asked, answer)
        self.asked.append(asked)
        self._changed.set()
        self._changed = trio.Event()
        if answer.gate is not None:
            await answer.gate.wait()
        if answer.cut is Cut.BEFORE_ANSWER:
            return False
        headers = {"Content-Type": "application/json", **answer.headers}
        if answer.length is not None:
            length = len(answer.content) if answer.length < 0 else answer.length
            headers["Content-Length"] = str(length)
        head = h11.Response(status_code=answer.status, headers=list(headers.items()))
        is_halved = answer.cut is not None or answer.gate_within is not None
        half = len(answer.content) // 2 if is_halved else None
        sent = connection.send(head) or b""
        await stream.send_all(sent + (connection.send(h11.Data(answer.content[:half])) or b""))
        if answer.cut:
            return False
        if answer.gate_within is not None:
            await answer.gate_within.wait()
            await stream.send_all(connection.send(h11.Data(answer.content[half:])) or b"")
        await stream.send_all(connection.send(h11.EndOfMessage()) or b"")
        if answer.early:
            await _read_body(connection, stream)
        return connection.our_state is connection.their_state is h11.DONE

    def _check(self, asked: Asked, answer: Answer) -> None:
        validator = load_validator()
        if validator is None:
            return
        about = asked.method, asked.target
        self.findings += validator.check_request(*about, asked.headers, asked.body)
        if answer.is_valid and not answer.cut:
            self.findings += validator.check_response(
                *about, answer.status, answer.headers, answer.content
            )


async def _next_event(connection: h11.Connection, stream: trio.abc.Stream) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(bytes(await stream.receive_some(65_536)))
    return event


async def _read_head(connection: h11.Connection, stream: trio.abc.Stream) -> Asked | None:
    """Read one request without its body; None at the end of the connection."""
    event = await _next_event(connection, stream)
    if not isinstance(event, h11.Request):
        return None
    headers = {name.decode(): value.decode() for name, value in event.headers}
    return Asked(event.method.decode(), event.target.decode(), headers, b"")


async def _read_body(connection: h11.Connection, stream: trio.abc.Stream) -> bytes:
    body = bytearray()
    while isinstance(event := await _next_event(connection, stream), h11.Data):
        body += event.data
    return bytes(body)


@asynccontextmanager
async def open_fake_homeserver(
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[FakeHomeserver]:
    """Serve on a port of loopback for the length of the block; then look at the findings."""
    homeserver = FakeHomeserver()
    homeserver.on("GET /_matrix/client/versions$", VERSIONS)
    async with trio.open_nursery() as nursery:
        listen = (
            partial(trio.serve_tcp, homeserver.serve, 0, host=LOOPBACK)
            if tls is None
            else partial(trio.serve_ssl_over_tcp, homeserver.serve, 0, tls, host=LOOPBACK)
        )
        (listener,) = await nursery.start(listen)
        sockets = listener if tls is None else listener.transport_listener
        port = sockets.socket.getsockname()[1]
        homeserver.url = f"{'https' if tls else 'http'}://{LOOPBACK}:{port}"
        yield homeserver
        nursery.cancel_scope.cancel()
    assert not homeserver.findings, "\n".join(homeserver.findings)
