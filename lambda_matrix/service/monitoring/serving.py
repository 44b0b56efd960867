"""HTTP/1.1 for a few short questions: GET and HEAD, small answers, nothing that can be held up.

h11 is the protocol, Trio the sockets (RFC 9112). Everything about a connection is bounded: how long
it may be silent, how long a request and the reading of its answer may take, how large a request's
head is, how many connections there are. What goes wrong on one ends that one.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import h11
import trio
from attrs import define, field, frozen

from lambda_matrix.message_ids import MessageId

logger = logging.getLogger(__name__)

CONNECTIONS: Final = 32
"""Open at a time, for each place that is listened on; one more is closed at once."""
IDLE: Final = 75.0
"""Seconds that a connection may be silent before its next request: more than a scrape interval."""
HEAD_WITHIN: Final = 10.0
"""Seconds for a request, from its first byte on (from the connection on, for the first)."""
ANSWER_WITHIN: Final = 20.0
"""Seconds for the answer to be put together and read."""
LONGEST_HEAD: Final = 16 * 1024
_PIECE: Final = 64 * 1024

_ALWAYS: Final = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


@frozen(kw_only=True)
class Asked:
    """A request: what of it matters. `host` is without its port, in small letters."""

    method: str
    path: str
    host: str | None
    accept: str = ""


@frozen(kw_only=True)
class Answer:
    """What is said to it."""

    status: int
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


Answering = Callable[[Asked], Awaitable[Answer]]


def plain(status: int, line: str, *headers: tuple[str, str]) -> Answer:
    """Return one line of text."""
    return Answer(status=status, body=f"{line}\n".encode(), headers=headers)


@define(eq=False)
class Server:
    """Answers on some listeners, to so many connections at a time."""

    _answering: Answering
    _most: int = CONNECTIONS
    _open: int = field(default=0, init=False)

    async def run(
        self,
        listeners: Sequence[trio.SocketListener],
        task_status: trio.TaskStatus[list[trio.SocketListener]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until cancelled."""
        await trio.serve_listeners(self.serve, list(listeners), task_status=task_status)

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection until its end; nothing of it is raised."""
        if self._open >= self._most:
            await trio.aclose_forcefully(stream)
            return
        self._open += 1
        try:
            await _Connection(stream, self._answering).run()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            pass  # gone in the middle
        finally:
            self._open -= 1
            await trio.aclose_forcefully(stream)


@define(eq=False)
class _Connection:
    """One connection: request, answer, request, answer."""

    _stream: trio.abc.Stream
    _answering: Answering
    _h11: h11.Connection = field(
        factory=lambda: h11.Connection(h11.SERVER, max_incomplete_event_size=LONGEST_HEAD)
    )

    async def run(self) -> None:
        """Answer until one side wants no more, or the other's time is over."""
        silence = HEAD_WITHIN
        while True:
            try:
                asked = await self._next_request(silence)
            except h11.RemoteProtocolError as error:
                await self._refuse(error.error_status_hint)
                return
            if asked is None:
                return
            with trio.move_on_after(ANSWER_WITHIN) as patience:
                await self._send(await self._answer(asked), is_head=asked.method == "HEAD")
            if patience.cancelled_caught or not self._is_next_welcome():
                return
            silence = IDLE

    async def _next_request(self, silence: float) -> Asked | None:
        """Wait for a request, whole; None if there is none.

        Raises:
            h11.RemoteProtocolError: what comes is no HTTP, or too much of it.
        """
        request: h11.Request | None = None
        with trio.move_on_after(silence) as patience:
            is_silent = True
            while True:
                event = self._h11.next_event()
                if event is h11.NEED_DATA:
                    self._h11.receive_data(bytes(await self._stream.receive_some(_PIECE)))
                    if is_silent:
                        is_silent = False
                        patience.deadline = trio.current_time() + HEAD_WITHIN
                elif isinstance(event, h11.Request):
                    request = event
                    if _has_body(event):
                        break  # nobody reads it: it is answered, and the connection ends
                elif isinstance(event, h11.EndOfMessage):
                    break
                else:
                    return None  # the other side has closed
        return None if request is None or patience.cancelled_caught else _asked(request)

    async def _answer(self, asked: Asked) -> Answer:
        if asked.method not in {"GET", "HEAD"}:
            return plain(405, "Only GET and HEAD are answered here.", ("Allow", "GET, HEAD"))
        try:
            return await self._answering(asked)
        except Exception:
            # The other fault barrier (lanes has the rooms'): whoever watches the service must not
            # be able to end it.
            logger.exception(
                "a fault of the program: %s could not be answered",
                asked.path,
                extra=MessageId.FAULT.extra,
            )
            return plain(500, "This cannot be shown; the journal says why.")

    async def _refuse(self, status: int) -> None:
        """Say that what came was no request."""
        if self._h11.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            with trio.move_on_after(ANSWER_WITHIN):
                await self._send(plain(status, "This is no request that can be read."))

    async def _send(self, answer: Answer, *, is_head: bool = False) -> None:
        headers = [
            ("Content-Type", answer.content_type),
            ("Content-Length", str(len(answer.body))),
            *_ALWAYS,
            *answer.headers,
        ]
        if self._h11.their_state is not h11.DONE:
            headers.append(("Connection", "close"))
        data = self._h11.send(h11.Response(status_code=answer.status, headers=headers)) or b""
        if not is_head:
            data += self._h11.send(h11.Data(data=answer.body)) or b""
        data += self._h11.send(h11.EndOfMessage()) or b""
        await self._stream.send_all(data)

    def _is_next_welcome(self) -> bool:
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True


def _has_body(request: h11.Request) -> bool:
    headers = dict(request.headers)
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _asked(request: h11.Request) -> Asked:
    headers = {name: value.decode("latin-1") for name, value in request.headers}
    target = request.target.decode("latin-1")
    return Asked(
        method=request.method.decode("latin-1"),
        path=_path_of(target),
        host=_host_of(headers.get(b"host")),
        accept=headers.get(b"accept", ""),
    )


def _path_of(target: str) -> str:
    """Return the path of a request's target, also of one that is a whole URL (RFC 9112, 3.2.2)."""
    if not target.startswith("/"):
        try:
            return urlsplit(target).path or "/"
        except ValueError:
            return ""
    return target.partition("?")[0]


def _host_of(header: str | None) -> str | None:
    """Return the name or the address in a Host header."""
    if header is None:
        return None
    try:
        return urlsplit(f"//{header.strip()}").hostname
    except ValueError:
        return None
