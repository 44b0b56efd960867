"""A run over a WebSocket of its own (docs/agent-wire.md): opened for the run, closed with it.

wsproto speaks the protocol, Trio moves the bytes, and one task does both: no second task and no
queue stand between the socket and the decoder, pings are answered by whoever reads, and the end
of a connection is known exactly (who closed, with which code, before or after what).
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import trio
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    RejectConnection,
    Request,
    TextMessage,
)
from wsproto.utilities import ProtocolError

from lambda_matrix.agent.errors import (
    AgentError,
    BadFrame,
    FrameTooLarge,
    HandshakeRefused,
    InputRefused,
    Truncated,
    Unauthorized,
    Unreachable,
)
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput, encoded
from lambda_matrix.agent.trust import trust
from lambda_matrix.ids import PlatformChatId

SUBPROTOCOL: Final = "ag-ui.v1+json"
MAX_FRAME: Final = 16 << 20
"""Characters of one frame. An agent may tell its whole conversation in one, files and all."""
CONNECT_TIMEOUT: Final = 10.0
"""Seconds for TCP and TLS. An agent's slowness begins after them, and is `idle_timeout`'s."""
_RECEIVE_BYTES: Final = 16_384
_PORTS: Final = {"ws": 80, "wss": 443}
_INPUT_REFUSED: Final = frozenset({1007, 1009})
"""Invalid payload data, message too big (RFC 6455, 7.4.1)."""
_UNAUTHORIZED: Final = frozenset({401, 403})

Stream = trio.SocketStream | trio.SSLStream[trio.SocketStream]


class WebSocketFrames:
    """The open connection of one run."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._protocol = WSConnection(ConnectionType.CLIENT)
        self._accepted = False
        self._heard = False  # has any frame come
        self._parts: list[str] = []
        self._size = 0
        self._ready: deque[str] = deque()  # bounded: what one read of _RECEIVE_BYTES completes
        self._goodbye: CloseConnection | None = None
        self._end: AgentError | None = None

    async def shake_hands(self, request: Request) -> None:
        """Upgrade the connection.

        Raises:
            Unauthorized, HandshakeRefused: the agent does not want to.
        """
        try:
            await self._stream.send_all(self._protocol.send(request))
            while not self._accepted:
                await self._read()
                if self._end is not None and not self._accepted:
                    raise self._end
        except trio.BrokenResourceError as error:
            raise HandshakeRefused("the connection broke during the handshake") from error

    async def send(self, text: str) -> None:
        """Send one text frame. A connection that breaks here says so at `receive`."""
        with suppress(trio.BrokenResourceError):  # it may have said why before it went
            await self._stream.send_all(self._protocol.send(TextMessage(data=text)))

    async def receive(self) -> str:
        """Wait for the next text frame.

        Raises:
            AgentError: the connection ended (`InputRefused`, `Truncated`) or what came is
                no text frame (`BadFrame`, `FrameTooLarge`).
        """
        while not self._ready:
            if self._end is not None:
                raise self._end
            try:
                await self._read()
            except trio.BrokenResourceError as error:
                raise Truncated("the connection broke off") from error
        self._heard = True
        return self._ready.popleft()

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye and wait for the other's. The caller bounds the time that this may take."""
        try:
            if self._goodbye is not None:
                await self._stream.send_all(self._protocol.send(self._goodbye.response()))
            else:
                goodbye = CloseConnection(code=code, reason=reason)
                await self._stream.send_all(self._protocol.send(goodbye))
            while self._protocol.state is ConnectionState.LOCAL_CLOSING:
                data = await self._stream.receive_some(_RECEIVE_BYTES)
                self._protocol.receive_data(bytes(data) if data else None)
                for _ in self._protocol.events():
                    pass  # what was still under way is nobody's any more
        except (trio.BrokenResourceError, ProtocolError):
            return  # it is closed, if not politely

    async def _read(self) -> None:
        data = await self._stream.receive_some(_RECEIVE_BYTES)
        if not data:
            self._end = self._broken_off()
            return
        try:
            self._protocol.receive_data(bytes(data))
            for event in self._protocol.events():
                await self._take(event)
        except ProtocolError as error:
            kind = BadFrame if self._accepted else HandshakeRefused
            self._end = kind(f"what answers speaks no WebSocket: {error}")

    def _broken_off(self) -> AgentError:
        if self._accepted:
            return Truncated("the connection ended without a closing frame")
        return HandshakeRefused("the connection ended during the handshake")

    async def _take(self, event: Event) -> None:
        match event:
            case TextMessage():
                self._take_text(event)
            case Ping():
                with suppress(trio.BrokenResourceError):  # what came with it still counts
                    await self._stream.send_all(self._protocol.send(event.response()))
            case CloseConnection():
                self._end = self._end or self._closed(event)
            case BytesMessage():
                self._end = self._end or BadFrame("a binary frame")
            case AcceptConnection():
                self._accepted = True
            case RejectConnection():
                kind = Unauthorized if event.status_code in _UNAUTHORIZED else HandshakeRefused
                self._end = kind(f"HTTP status {event.status_code} at the handshake")
            case _:
                pass  # pongs that nobody asked for, the body of a rejection

    def _take_text(self, event: TextMessage) -> None:
        self._size += len(event.data)
        if self._size > MAX_FRAME:
            self._parts.clear()
            self._end = self._end or FrameTooLarge(f"a frame of over {MAX_FRAME} characters")
        elif self._end is None:
            self._parts.append(event.data)
            if event.message_finished:
                self._ready.append("".join(self._parts))
                self._parts.clear()
                self._size = 0

    def _closed(self, event: CloseConnection) -> AgentError:
        said = f"closed with code {int(event.code)}, reason {event.reason or ''!r}"
        if self._protocol.state is not ConnectionState.REMOTE_CLOSING:
            return BadFrame(f"a broken frame: {event.reason}")  # wsproto's own verdict
        self._goodbye = event
        if event.code in _INPUT_REFUSED and not self._heard and not self._ready:
            return InputRefused(said)
        return Truncated(said)


@asynccontextmanager
async def open_websocket(entry: AgentEntry, run: RunInput) -> AsyncIterator[WebSocketFrames]:
    """Connect, shake hands, send the input. Leaving the context cuts the connection at once.

    Raises:
        Unreachable, Unauthorized, HandshakeRefused: see there.
    """
    async with open_connection(entry, run.thread_id) as frames:
        await frames.send((await encoded(run)).decode())
        yield frames


@asynccontextmanager
async def open_connection(
    entry: AgentEntry, thread_id: PlatformChatId
) -> AsyncIterator[WebSocketFrames]:
    """Connect and shake hands; no run is begun yet. Otherwise as `open_websocket`."""
    url = entry.run_url(thread_id)
    host = url.hostname or ""  # the registry takes no URL without one
    request = Request(
        host=url.netloc,
        target=(url.path or "/") + (f"?{url.query}" if url.query else ""),
        subprotocols=[SUBPROTOCOL],
        extra_headers=_headers(entry),
    )
    stream = await _connect(host, url.port or _PORTS[url.scheme], entry, tls=url.scheme == "wss")
    try:
        frames = WebSocketFrames(stream)
        await frames.shake_hands(request)
        yield frames
    finally:
        await trio.aclose_forcefully(stream)


def _headers(entry: AgentEntry) -> list[tuple[bytes, bytes]]:
    if entry.token is None:
        return []
    return [(b"authorization", b"Bearer " + entry.token.reveal().encode("ascii"))]


async def _connect(host: str, port: int, entry: AgentEntry, *, tls: bool) -> Stream:
    try:
        with trio.fail_after(CONNECT_TIMEOUT):
            stream = await trio.open_tcp_stream(host, port)
            return await _start_tls(stream, host, entry) if tls else stream
    except trio.TooSlowError as error:
        raise Unreachable(f"no connection to {host}:{port} in {CONNECT_TIMEOUT:.0f} s") from error
    except OSError as error:
        raise Unreachable(f"no connection to {host}:{port}: {error}") from error
    except trio.BrokenResourceError as error:
        raise Unreachable(f"no TLS with {host}:{port}: {error.__cause__ or error}") from error


async def _start_tls(
    stream: trio.SocketStream, host: str, entry: AgentEntry
) -> trio.SSLStream[trio.SocketStream]:
    secure = trio.SSLStream(
        stream, trust(entry.ca_file), server_hostname=host, https_compatible=True
    )
    try:
        await secure.do_handshake()
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return secure
