"""A scripted OpenAI-compatible endpoint over real HTTP.

It is held to what it pretends to be: each request is checked against the parameters of the official
client's types, each chunk that it sends against the official models.
"""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import h11
import trio
from attrs import Factory, define, frozen
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter

Json = dict[str, Any]

_REQUEST: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)


@frozen
class Reply:
    """What one request gets: a status and pieces of a body, and how it ends."""

    pieces: Sequence[bytes]
    status: int = 200
    content_type: str = "text/event-stream"
    headers: Sequence[tuple[str, str]] = ()
    ending: str = "whole"  # or "cut", or "hang"


def chunk(
    delta: Json | None, finish: str | None = None, usage: tuple[int, int] | None = None
) -> bytes:
    """Write one event of the stream."""
    body: Json = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "fake",
        "choices": []
        if delta is None
        else [{"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}],
    }
    if usage is not None:
        total = sum(usage)
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        body["usage"] = dict(zip(names, (*usage, total), strict=True))
    ChatCompletionChunk.model_validate(body, strict=True)
    return event(body)


def event(body: object) -> bytes:
    """Write an event that may be anything."""
    return f"data: {json.dumps(body)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def say(*texts: str, finish: str = "stop", usage: tuple[int, int] | None = (10, 5)) -> Reply:
    """Stream a text."""
    head = [chunk({"role": "assistant", "content": ""}), b": keep-alive\n\n"]
    tail = [chunk({}, finish), *([chunk(None, usage=usage)] if usage else []), DONE]
    return Reply([*head, *(chunk({"content": text}) for text in texts), *tail])


def call(*calls: tuple[str, object], text: str = "") -> Reply:
    """Stream tool calls, each in two pieces; arguments that are no text are written as JSON."""
    pieces = [chunk({"role": "assistant", "content": text or None})]
    for index, (name, arguments) in enumerate(calls):
        written = arguments if isinstance(arguments, str) else json.dumps(arguments)
        function = {"name": name, "arguments": written[:3]}
        first = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        rest = {"index": index, "function": {"arguments": written[3:]}}
        pieces += [chunk({"tool_calls": [first]}), chunk({"tool_calls": [rest]})]
    return Reply([*pieces, chunk({}, "tool_calls"), chunk(None, usage=(20, 7)), DONE])


def refuse(
    status: int, code: str | None = None, message: str = "no", *headers: tuple[str, str]
) -> Reply:
    """Refuse a request as OpenAI does."""
    error = {"error": {"message": message, "type": "error", "param": None, "code": code}}
    return Reply([json.dumps(error).encode()], status, "application/json", headers)


def transcript(text: str) -> Reply:
    """Answer a transcription."""
    return Reply([json.dumps({"text": text}).encode()], content_type="application/json")


@frozen
class Asked:
    """A request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as JSON."""
        parsed: Json = json.loads(self.body)
        return parsed

    @property
    def messages(self) -> list[Json]:
        """The conversation that was shown, without the system's message."""
        messages: list[Json] = self.json["messages"]
        assert messages[0]["role"] == "system"
        return messages[1:]


@define
class FakeEndpoint:
    """Gives its replies in order, whatever is asked."""

    url: str = ""
    replies: list[Reply] = Factory(list)
    asked: list[Asked] = Factory(list)
    gone: trio.Event = Factory(trio.Event)
    """Set when the client has gone away from an answer that hangs."""

    def script(self, *replies: Reply) -> None:
        """Give these replies next."""
        self.replies += replies

    async def serve(self, stream: trio.abc.Stream) -> None:
        """Serve one connection, which has one request."""
        async with stream:
            connection = h11.Connection(h11.SERVER)
            try:
                asked = await _read_request(stream, connection)
            except (trio.BrokenResourceError, h11.RemoteProtocolError):
                return  # a client was cut while it asked
            if asked.path.endswith("/chat/completions"):
                _REQUEST.validate_python(asked.json)
            self.asked.append(asked)
            with suppress(trio.BrokenResourceError):  # a client may have heard enough
                await self._reply(stream, connection, self.replies.pop(0))

    async def _reply(
        self, stream: trio.abc.Stream, connection: h11.Connection, reply: Reply
    ) -> None:
        headers = [("content-type", reply.content_type), ("connection", "close"), *reply.headers]
        response = h11.Response(status_code=reply.status, headers=headers)
        await stream.send_all(connection.send(response) or b"")
        for piece in reply.pieces:
            await stream.send_all(connection.send(h11.Data(data=piece)) or b"")
        if reply.ending == "hang":
            await stream.receive_some()
            self.gone.set()
        elif reply.ending == "whole":
            await stream.send_all(connection.send(h11.EndOfMessage()) or b"")


async def _read_request(stream: trio.abc.Stream, connection: h11.Connection) -> Asked:
    request: h11.Request | None = None
    body = b""
    while True:
        happened = connection.next_event()
        if happened is h11.NEED_DATA:
            connection.receive_data(bytes(await stream.receive_some()))
        elif isinstance(happened, h11.ConnectionClosed):
            raise trio.BrokenResourceError
        elif isinstance(happened, h11.Request):
            request = happened
        elif isinstance(happened, h11.Data):
            body += happened.data
        else:
            assert isinstance(happened, h11.EndOfMessage)
            break
    assert request is not None
    headers = {name.decode(): value.decode() for name, value in request.headers}
    return Asked(request.target.decode(), headers, body)


@asynccontextmanager
async def open_fake() -> AsyncIterator[FakeEndpoint]:
    """Serve a fake endpoint on a free port."""
    fake = FakeEndpoint()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, fake.serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        fake.url = f"http://127.0.0.1:{port}/v1"
        yield fake
        nursery.cancel_scope.cancel()
