"""The connection itself, over streams in memory: moments that a network gives only by chance."""

import json

import pytest
import trio
import trio.testing
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Ping,
    Request,
    TextMessage,
)

from lambda_matrix.agent.errors import BadFrame, Truncated
from lambda_matrix.agent.websocket import SUBPROTOCOL, WebSocketFrames


class Server:
    """The other end of the connection, played by hand."""

    def __init__(self, stream: trio.abc.SendStream, protocol: WSConnection) -> None:
        self._stream = stream
        self._protocol = protocol

    async def send(self, *events: TextMessage | BytesMessage | Ping | CloseConnection) -> None:
        """Send all these in one packet."""
        data = b"".join(self._protocol.send(event) for event in events)
        await self._stream.send_all(data)


async def connect() -> tuple[WebSocketFrames, Server, trio.abc.Stream]:
    ours, theirs = trio.testing.memory_stream_pair()
    frames = WebSocketFrames(ours)
    protocol = WSConnection(ConnectionType.SERVER)

    async def accept() -> None:
        protocol.receive_data(bytes(await theirs.receive_some()))
        [request] = protocol.events()
        assert isinstance(request, Request)
        await theirs.send_all(protocol.send(AcceptConnection(subprotocol=SUBPROTOCOL)))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept)
        await frames.shake_hands(Request(host="h", target="/", subprotocols=[SUBPROTOCOL]))
    return frames, Server(theirs, protocol), theirs


def text(message: str) -> TextMessage:
    return TextMessage(data=message)


async def test_an_agent_that_went_before_our_input_is_heard_out() -> None:
    frames, server, stream = await connect()
    await server.send(text("last words"))
    await stream.aclose()
    await frames.send("input")
    assert await frames.receive() == "last words"
    with pytest.raises(Truncated):
        await frames.receive()
    await frames.close(1000, "")


async def test_what_comes_with_a_ping_of_an_agent_that_went_is_heard() -> None:
    frames, server, stream = await connect()
    await server.send(Ping(payload=b"x"), text("last words"))
    await stream.aclose()
    assert await frames.receive() == "last words"


async def test_what_comes_before_a_fault_in_one_packet_is_heard() -> None:
    frames, server, _ = await connect()
    await server.send(text("one"), text("two"), BytesMessage(data=b"binary"), text("three"))
    assert [await frames.receive(), await frames.receive()] == ["one", "two"]
    for _attempt in range(2):
        with pytest.raises(BadFrame):
            await frames.receive()


async def test_the_agents_goodbye_is_answered() -> None:
    frames, server, stream = await connect()
    await server.send(text(json.dumps({})), CloseConnection(code=1001, reason="restart"))
    assert await frames.receive() == "{}"
    with pytest.raises(Truncated, match="code 1001, reason 'restart'"):
        await frames.receive()
    await frames.close(1000, "cancelled")
    server._protocol.receive_data(bytes(await stream.receive_some()))
    [goodbye] = server._protocol.events()
    assert isinstance(goodbye, CloseConnection)
    assert goodbye.code == 1001
