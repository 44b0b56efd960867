"""The HTTP of an OpenAI-compatible endpoint: chat completions as a stream, and transcriptions.

The bundled agent's only import of httpx. Each request has a client of its own, thrown away with
it: a request that is cut by a cancelled run would poison a shared pool (docs/adr/0003). Neither
redirects nor proxies of the environment are followed, for the key goes with every request.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

import httpx
import trio
from attrs import field, frozen
from httpx_sse import EventSource, ServerSentEvent, SSEError

from lambda_matrix.reference.completion import DONE
from lambda_matrix.reference.model_errors import ModelError, ModelFault, of_status
from lambda_matrix.secret import Secret

_LONGEST_LINE: Final = 1 << 20
"""Bytes of one line of the stream, which holds one chunk."""
_LONGEST_BODY: Final = 1 << 20
"""Bytes of an answer that is no stream."""
_NO_TRUST: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For http://. It trusts nobody, and spares each request httpx's own, which takes 20 ms to make."""


@frozen
class Endpoint:
    """Where the model is. `base_url` has no slash at its end; timeouts are in seconds."""

    base_url: str
    key: Secret | None = None
    trust: ssl.SSLContext = field(default=_NO_TRUST, repr=False)
    connect_timeout: float = 10.0
    idle_timeout: float = 60.0

    @property
    def host(self) -> str:
        """The endpoint's host name, by which its usage is told."""
        return httpx.URL(self.base_url).host


class Chunks:
    """The open stream of one completion."""

    def __init__(self, response: httpx.Response, idle_timeout: float) -> None:
        # A response over a response: httpx-sse takes no other source, and has no bound of its own.
        bounded = httpx.Response(
            response.status_code,
            headers={"content-type": response.headers.get("content-type", "")},
            content=_bounded_lines(response),
        )
        self._events: AsyncIterator[ServerSentEvent] = EventSource(bounded).aiter_sse()
        self._idle_timeout = idle_timeout

    async def receive(self) -> str | None:
        """Wait for the next chunk's JSON text; None at the end of the stream.

        Raises:
            ModelError: the stream broke, is none, or nothing came for too long.
        """
        try:
            with trio.fail_after(self._idle_timeout):
                async for event in self._events:
                    if event.data:  # a comment keeps the stream alive, no more
                        return None if event.data == DONE else event.data
        except trio.TooSlowError:
            raise ModelError(ModelFault.TIMEOUT, f"silent for {self._idle_timeout:g} s") from None
        except SSEError as error:
            raise ModelError(ModelFault.GARBLED, f"no event stream: {error}") from error
        except httpx.TransportError as error:
            raise ModelError(ModelFault.CUT, f"the stream broke off: {error!r}") from error
        return None

    async def close(self) -> None:
        """Give the stream up."""
        await _unwind(self._events)


@asynccontextmanager
async def open_completion(endpoint: Endpoint, body: Mapping[str, object]) -> AsyncIterator[Chunks]:
    """Ask for a completion and read the head of the answer.

    Raises:
        ModelError: there is no answer, or it is an error.
    """
    headers = {"Accept": "text/event-stream", "Content-Type": "application/json"}
    content = json.dumps(body).encode()
    async with _open_client(endpoint) as client:
        url = f"{endpoint.base_url}/chat/completions"
        request = client.build_request("POST", url, content=content, headers=headers)
        async with _sent(endpoint, client, request) as response:
            chunks = Chunks(response, endpoint.idle_timeout)
            try:
                yield chunks
            finally:
                await chunks.close()  # noqa: ASYNC102 - it is cancelled at once, on purpose


async def transcribe(endpoint: Endpoint, model: str, name: str, sound: bytes) -> str:
    """Return what is said in a sound file.

    Raises:
        ModelError: there is no answer, or it is an error.
    """
    async with _open_client(endpoint) as client:
        request = client.build_request(
            "POST",
            f"{endpoint.base_url}/audio/transcriptions",
            data={"model": model, "response_format": "json"},
            files={"file": (name, sound)},
        )
        async with _sent(endpoint, client, request) as response:
            body = await _read_body(endpoint, response)
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    match answer:
        case {"text": str(text)}:
            return text.strip()
        case _:
            raise ModelError(ModelFault.GARBLED, "the transcription is no JSON with a text")


def _open_client(endpoint: Endpoint) -> httpx.AsyncClient:
    headers = {"Accept-Encoding": "identity", "User-Agent": "lambda-matrix"}
    if endpoint.key is not None:
        headers["Authorization"] = f"Bearer {endpoint.key.reveal()}"
    timeout = httpx.Timeout(None, connect=endpoint.connect_timeout)  # the rest is fail_after's
    return httpx.AsyncClient(
        headers=headers, verify=endpoint.trust, timeout=timeout, trust_env=False
    )


@asynccontextmanager
async def _sent(
    endpoint: Endpoint, client: httpx.AsyncClient, request: httpx.Request
) -> AsyncIterator[httpx.Response]:
    """Send a request; give its answer if it is one, with the body unread."""
    response = await _send(endpoint, client, request)
    try:
        if response.status_code != httpx.codes.OK:
            body = await _read_body(endpoint, response)
            raise of_status(response.status_code, body, response.headers.get("Retry-After"))
        yield response
    finally:
        await response.aclose()


async def _send(
    endpoint: Endpoint, client: httpx.AsyncClient, request: httpx.Request
) -> httpx.Response:
    request.stream = _Body(request.read())
    try:
        with trio.fail_after(endpoint.connect_timeout + endpoint.idle_timeout):
            return await client.send(request, stream=True)
    except trio.TooSlowError:
        raise ModelError(ModelFault.TIMEOUT, "no answer to the request") from None
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise ModelError(ModelFault.UNREACHABLE, f"no connection: {error}") from error
    except httpx.TransportError as error:
        raise ModelError(ModelFault.CUT, f"no answer to the request: {error!r}") from error


class _Body(httpx.AsyncByteStream):
    """A request's body in one piece, which is no generator that a cut request leaves open."""

    def __init__(self, content: bytes) -> None:
        self._pieces = [content]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._pieces:
            raise StopAsyncIteration
        return self._pieces.pop()


async def _read_body(endpoint: Endpoint, response: httpx.Response) -> str:
    """Read an answer that is no stream; what is too long of it is left out."""
    body = b""
    chunks = response.aiter_raw()
    try:
        with trio.move_on_after(endpoint.idle_timeout):
            async for chunk in chunks:
                body += chunk
                if len(body) > _LONGEST_BODY:
                    break
    except httpx.TransportError as error:
        raise ModelError(ModelFault.CUT, f"the answer broke off: {error!r}") from error
    finally:
        await _unwind(chunks)  # noqa: ASYNC102 - it is cancelled at once, on purpose
    return body.decode(errors="replace")


async def _bounded_lines(response: httpx.Response) -> AsyncIterator[bytes]:
    """Give a response's body, refused as soon as a line of it is too long to be held."""
    line = 0
    chunks = response.aiter_raw()
    async for chunk in chunks:
        line += len(chunk)
        if line > _LONGEST_LINE:
            await _unwind(chunks)
            raise ModelError(ModelFault.GARBLED, "a line of the stream is too long")
        _, newline, tail = chunk.rpartition(b"\n")
        if newline:
            line = len(tail)
        yield chunk


async def _unwind(generator: AsyncIterator[object]) -> None:
    """End a generator of httpx, which is made of generators, from its innermost.

    Trio warns of each that is left to the garbage collector; a cancellation ends them all.
    """
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            async for _ in generator:
                pass
        except (ModelError, SSEError, httpx.TransportError):
            return
