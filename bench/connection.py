"""The least HTTP/1.1 client that can measure: one request at a time over one open connection.

h11 on a bare Trio stream. A full client (redirects, pools, timeouts) costs a millisecond of this
process for each request, which would be counted as the bot's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode, urlsplit

import h11
import trio
from attrs import define

Json = dict[str, object]
_CHUNK = 65536


class RefusedError(Exception):
    """The homeserver answered with a status other than 200."""


def path_of(*segments: str, **query: str) -> str:
    """A path below /_matrix/client/v3, each segment quoted."""
    path = "/_matrix/client/v3/" + "/".join(quote(segment, safe="") for segment in segments)
    return f"{path}?{urlencode(query)}" if query else path


@define
class Connection:
    """One kept-alive connection of one user; made by `open_connection`."""

    _stream: trio.SocketStream
    _http: h11.Connection
    _headers: tuple[tuple[str, str], ...]

    async def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request, its JSON answer.

        Raises:
          RefusedError: any status but 200.
        """
        return json.loads(await self.call_raw(method, path, body))

    async def call_raw(self, method: str, path: str, body: Json | None = None) -> bytes:
        """As `call`, but the answer's bytes: parse them after the clock has been read."""
        payload = b"" if body is None else json.dumps(body).encode()
        headers = [*self._headers, ("Content-Length", str(len(payload)))]
        head = self._http.send(h11.Request(method=method, target=path, headers=headers))
        data = self._http.send(h11.Data(data=payload)) if payload else b""
        end = self._http.send(h11.EndOfMessage())
        await self._stream.send_all((head or b"") + (data or b"") + (end or b""))
        status, answer = await self._receive()
        self._http.start_next_cycle()
        if status != 200:
            raise RefusedError(f"{method} {path}: {status} {answer[:200]!r}")
        return answer

    async def _receive(self) -> tuple[int, bytes]:
        status, parts = 0, []
        while True:
            match self._http.next_event():
                case h11.NEED_DATA:
                    self._http.receive_data(await self._stream.receive_some(_CHUNK))
                case h11.Response(status_code=status):
                    pass
                case h11.Data(data=data):
                    parts.append(bytes(data))
                case h11.EndOfMessage():
                    return status, b"".join(parts)


@asynccontextmanager
async def open_connection(url: str, token: str) -> AsyncIterator[Connection]:
    """A connection to the homeserver, with a user's access token."""
    place = urlsplit(url)
    if place.hostname is None or place.port is None:
        raise ValueError(f"no host and port in {url}")
    async with await trio.open_tcp_stream(place.hostname, place.port) as stream:
        stream.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
        headers = (("Host", place.netloc), ("Authorization", f"Bearer {token}"))
        yield Connection(stream, h11.Connection(h11.CLIENT), headers)
