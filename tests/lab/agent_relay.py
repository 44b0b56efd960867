"""Between the service and an agent: forwards its frames, and has the agent misbehave.

Bytes are passed on as they are (RFC 6455 is read just enough to know where a frame ends), so that a
connection can be cut, silenced or flooded at exactly the place that is meant.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import trio
from attrs import define, field, frozen

_CHUNK = 65_536
_END_OF_HEAD = b"\r\n\r\n"

Misdeed = Callable[[trio.SocketStream], Awaitable[None]]
"""What the agent does instead of going on; when it is done the connection is cut."""


@frozen
class Harm:
    """Do `misdeed` after the `after`th frame of the run that was asked `containing`."""

    containing: str
    after: int
    misdeed: Misdeed


async def cut(_stream: trio.SocketStream) -> None:
    """Nothing more: the connection ends without a word."""


async def fall_silent(_stream: trio.SocketStream) -> None:
    """Say nothing until the service goes away."""
    await trio.sleep_forever()


def close_with(code: int) -> Misdeed:
    """Close politely, with this code."""

    async def misdeed(stream: trio.SocketStream) -> None:
        await stream.send_all(_frame(0x8, code.to_bytes(2, "big")))

    return misdeed


def send(data: bytes) -> Misdeed:
    """Send these bytes, whatever they are."""

    async def misdeed(stream: trio.SocketStream) -> None:
        await stream.send_all(data)
        await fall_silent(stream)

    return misdeed


def text_frame(text: str) -> bytes:
    """One text frame."""
    return _frame(0x1, text.encode())


def flood(event: dict[str, object], size: int, first: dict[str, object] | None = None) -> Misdeed:
    """Say this event again and again, after `first`, until it was `size` bytes."""

    async def misdeed(stream: trio.SocketStream) -> None:
        if first is not None:
            await stream.send_all(text_frame(json.dumps(first)))
        data = text_frame(json.dumps(event))
        for _ in range(size // len(data) + 1):
            await stream.send_all(data)
        await fall_silent(stream)

    return misdeed


def one_huge_frame(size: int) -> Misdeed:
    """Say one event of so many bytes."""

    async def misdeed(stream: trio.SocketStream) -> None:
        await stream.send_all(bytes([0x81, 127]) + size.to_bytes(8, "big"))
        await stream.send_all(b'{"type":"TEXT_MESSAGE_CONTENT","messageId":"m","delta":"')
        for _ in range(size // _CHUNK):
            await stream.send_all(b"x" * _CHUNK)
        await fall_silent(stream)

    return misdeed


@define
class Relay:
    """A running relay. `frames` are how many each run had that was not harmed, by its input."""

    url: str
    _agent: str
    harms: list[Harm] = field(factory=list)
    refusal: bytes | None = None
    """What is answered instead of an upgrade, if that is refused."""
    done: list[Harm] = field(factory=list)
    frames: dict[str, int] = field(factory=dict)

    async def _serve(self, service: trio.SocketStream) -> None:
        try:
            if self.refusal is None:
                await self._relay(service)
            else:
                await service.receive_some(_CHUNK)
                await service.send_all(self.refusal)
        except* (trio.BrokenResourceError, trio.ClosedResourceError, OSError):
            pass  # one of the two went away, as the other sees by then
        finally:
            await trio.aclose_forcefully(service)

    async def _relay(self, service: trio.SocketStream) -> None:
        address = urlsplit(self._agent)
        asked = _Asked()
        async with (
            await trio.open_tcp_stream(address.hostname or "", address.port or 80) as agent,
            trio.open_nursery() as nursery,
        ):
            nursery.start_soon(_forward_question, service, agent, asked, nursery.cancel_scope)
            await self._forward_answer(agent, service, asked)
            nursery.cancel_scope.cancel()

    async def _forward_answer(
        self, agent: trio.SocketStream, service: trio.SocketStream, asked: _Asked
    ) -> None:
        frames = _Frames()
        count = 0
        while data := bytes(await agent.receive_some(_CHUNK)):
            for piece, is_frame in frames.feed(data):
                if is_frame:
                    await asked.known.wait()
                    harm = self._harm_for(asked.text)
                    if harm is not None and count >= harm.after:
                        self.done.append(harm)
                        await harm.misdeed(service)
                        return
                    count += 1
                    self.frames[asked.text] = count
                await service.send_all(piece)

    def _harm_for(self, text: str) -> Harm | None:
        return next((harm for harm in self.harms if harm.containing in text), None)


@define
class _Asked:
    text: str = ""
    known: trio.Event = field(factory=trio.Event)


@define
class _Frames:
    """Cuts one direction of a connection into its head and its frames."""

    _waiting: bytes = b""
    _is_upgraded: bool = False

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bool]]:
        """Give what is whole now, and whether it is a frame with data: the head, then frames."""
        self._waiting += data
        while piece := self._next():
            yield piece

    def _next(self) -> tuple[bytes, bool] | None:
        if self._is_upgraded:
            end, is_frame = _end_of_frame(self._waiting), not self._waiting[:1] >= b"\x88"
        else:
            found = self._waiting.find(_END_OF_HEAD)
            end, is_frame = (found + len(_END_OF_HEAD) if found >= 0 else None), False
        if end is None or end > len(self._waiting):
            return None
        self._is_upgraded = True
        piece, self._waiting = self._waiting[:end], self._waiting[end:]
        return piece, is_frame


def _end_of_frame(data: bytes) -> int | None:
    """Return where the frame ends that `data` begins with; None: not known yet."""
    start, size = _payload(data)
    return None if size is None else start + size


def _payload(data: bytes) -> tuple[int, int | None]:
    """Return where a frame's payload begins, and how long it is, if known (RFC 6455, 5.2)."""
    if len(data) < 2:
        return 0, None
    size = data[1] & 0x7F
    extra = {126: 2, 127: 8}.get(size, 0)
    if len(data) < 2 + extra:
        return 0, None
    if extra:
        size = int.from_bytes(data[2 : 2 + extra], "big")
    return 2 + extra + (4 if data[1] & 0x80 else 0), size


def _unmasked(frame: bytes) -> str:
    start, size = _payload(frame)
    assert size is not None
    mask, payload = frame[start - 4 : start], frame[start : start + size]
    repeated = mask * (size // 4 + 1)
    whole = int.from_bytes(payload, "big") ^ int.from_bytes(repeated[:size], "big")
    return whole.to_bytes(size, "big").decode("utf-8", "replace")


async def _forward_question(
    service: trio.SocketStream,
    agent: trio.SocketStream,
    asked: _Asked,
    run: trio.CancelScope,
) -> None:
    """Forward until the service goes away, which ends the run here, too."""
    frames = _Frames()
    while data := bytes(await service.receive_some(_CHUNK)):
        for piece, is_frame in frames.feed(data):
            if is_frame and not asked.known.is_set():
                asked.text = json.dumps(json.loads(_unmasked(piece)), ensure_ascii=False)
                asked.known.set()
            await agent.send_all(piece)
    run.cancel()


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = bytes([0x80 | opcode, size])
    elif size < 65_536:
        head = bytes([0x80 | opcode, 126]) + size.to_bytes(2, "big")
    else:
        head = bytes([0x80 | opcode, 127]) + size.to_bytes(8, "big")
    return head + payload


@asynccontextmanager
async def open_relay(agent: str) -> AsyncIterator[Relay]:
    """A relay on a free port of loopback, to the agent at this WebSocket URL."""
    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        port = listener.socket.getsockname()[1]
        relay = Relay(f"ws://127.0.0.1:{port}", agent)
        # It listens already: who connects before the task runs waits in the backlog.
        nursery.start_soon(trio.serve_listeners, relay._serve, [listener])  # noqa: ASYNC113 - see above
        yield relay
        nursery.cancel_scope.cancel()
