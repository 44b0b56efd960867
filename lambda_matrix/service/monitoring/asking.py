"""The other end: asking a service on its Unix socket how it is."""

from __future__ import annotations

from pathlib import Path
from socket import SO_PEERCRED, SOL_SOCKET
from struct import Struct
from typing import Final

import h11
import trio
from attrs import frozen

from lambda_matrix.service.monitoring.listening import connect_to_path

WITHIN: Final = 15.0
"""Seconds for all of it; a service that works answers within three."""
_PIECE: Final = 64 * 1024
_MOST: Final = 4 * 2**20
_CREDENTIALS: Final = Struct("3i")
"""struct ucred: process, user, group."""


class NoAnswerError(Exception):
    """Somebody listens there, and does not answer as a service of this kind does."""


@frozen
class Said:
    """The answer: its status, its body as text, and which process gave it."""

    status: int
    text: str
    pid: int


async def ask(socket: Path, target: str) -> Said:
    """Ask for `target` on the socket.

    Raises:
        OSError: nobody listens there, or it is not for us.
        NoAnswerError: there is no answer, or none that can be read.
    """
    try:
        with trio.fail_after(WITHIN):
            async with await connect_to_path(socket) as stream:
                status, text = await _exchange(stream, target)
                return Said(status, text, _peer(stream))
    except trio.TooSlowError:
        raise NoAnswerError(f"no answer within {WITHIN:g} s") from None
    except (trio.BrokenResourceError, h11.RemoteProtocolError) as error:
        raise NoAnswerError(str(error) or "the connection broke") from error


def _peer(stream: trio.SocketStream) -> int:
    """Return the process that listens there (SO_PEERCRED, unix(7))."""
    credentials = stream.socket.getsockopt(SOL_SOCKET, SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(credentials)[0]
    return pid


async def _exchange(stream: trio.abc.Stream, target: str) -> tuple[int, str]:
    connection = h11.Connection(h11.CLIENT)
    headers = [("Host", "localhost"), ("Connection", "close")]
    request = connection.send(h11.Request(method="GET", target=target, headers=headers)) or b""
    await stream.send_all(request + (connection.send(h11.EndOfMessage()) or b""))
    status, body = 0, b""
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some(_PIECE)))
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > _MOST:
                raise NoAnswerError("the answer is too long")
        else:
            return status, body.decode(errors="replace")
