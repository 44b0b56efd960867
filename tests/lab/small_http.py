"""HTTP for a homeserver in the test's own process: one connection, one request after the other."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import h11
import trio
from attrs import field, frozen

Json = dict[str, Any]


@frozen
class Asked:
    """One request. `path` is as on the wire, without the query."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def json(self) -> Json:
        content: Json = json.loads(self.body or b"{}")
        return content


@frozen
class Reply:
    """One answer."""

    content: bytes
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(factory=dict)


def reply(content: Json, status: int = 200) -> Reply:
    """Give an answer of JSON."""
    return Reply(json.dumps(content).encode(), status)


async def serve_http(stream: trio.abc.Stream, answer: Callable[[Asked], Awaitable[Reply]]) -> None:
    """Serve one connection to its end."""
    connection = h11.Connection(h11.SERVER)
    try:
        while (asked := await _read(connection, stream)) is not None:
            found = await answer(asked)
            headers = [
                ("Content-Type", found.content_type),
                ("Content-Length", str(len(found.content))),
                *found.headers.items(),
            ]
            data = connection.send(h11.Response(status_code=found.status, headers=headers)) or b""
            data += connection.send(h11.Data(found.content)) or b""
            connection.send(h11.EndOfMessage())
            await stream.send_all(data)
            if connection.our_state is not h11.DONE:
                return
            connection.start_next_cycle()
    except (trio.BrokenResourceError, h11.RemoteProtocolError):
        pass  # who asked does not wait for the answer
    finally:
        await trio.aclose_forcefully(stream)


async def _read(connection: h11.Connection, stream: trio.abc.Stream) -> Asked | None:
    """Read one request; None at the end of the connection."""
    request: h11.Request | None = None
    body = bytearray()
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some(65_536)))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            headers = {name.decode(): value.decode() for name, value in request.headers}
            return Asked(request.method.decode(), request.target.decode(), headers, bytes(body))
        else:
            return None
