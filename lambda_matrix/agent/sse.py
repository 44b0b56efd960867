"""A run over AG-UI's usual transport: POST of the input, events as `data:` of an event stream.

The agent package's only import of httpx. Each run has a client of its own: requests that are cut
by a cancelled run would poison a shared pool (httpx 0.28 leaks connections so).
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx
import trio
from httpx_sse import EventSource, ServerSentEvent, SSEError

from lambda_matrix.agent.errors import (
    AgentError,
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

MAX_EVENT: Final = 16 << 20
"""Bytes of one event of the stream, whatever its lines are; of comments between two as well."""
CONNECT_TIMEOUT: Final = 10.0
"""Seconds for TCP and TLS."""
_UNAUTHORIZED: Final = frozenset({401, 403})
_INPUT_REFUSED: Final = frozenset({400, 413, 422})
_NO_TRUST: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For http://. It trusts nobody, and spares each run httpx's own, which takes 20 ms to make."""


async def _unwind(generator: AsyncIterator[object]) -> None:
    """End a generator of httpx, which is made of generators, from its innermost.

    Trio warns of each that is left to the garbage collector; a cancellation ends them all.
    """
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            async for _ in generator:
                pass
        except (AgentError, SSEError, httpx.TransportError):
            return


class SseFrames:
    """The open event stream of one run."""

    def __init__(self, response: httpx.Response) -> None:
        # A response over a response: httpx-sse takes no other source, and has no bound of its own.
        bounded = httpx.Response(
            response.status_code,
            headers={"content-type": response.headers.get("content-type", "")},
            content=self._bounded(response),
        )
        self._events: AsyncIterator[ServerSentEvent] = EventSource(bounded).aiter_sse()
        self._pending = 0  # bytes read since the last event was whole

    async def _bounded(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """Give the body, refused as soon as an event of it is too long to be held."""
        chunks = response.aiter_raw()
        async for chunk in chunks:
            self._pending += len(chunk)
            if self._pending > MAX_EVENT:
                await _unwind(chunks)
                raise FrameTooLarge(f"an event of over {MAX_EVENT} bytes in the event stream")
            yield chunk

    async def receive(self) -> str:
        """Wait for the next event's data.

        Raises:
            AgentError: the stream ended, or is none.
        """
        try:
            async for event in self._events:
                self._pending = 0
                if event.data:  # a comment or a bare `retry:` keeps the stream alive, no more
                    return event.data
        except SSEError as error:
            raise HandshakeRefused(str(error)) from error
        except httpx.TransportError as error:
            raise Truncated(f"the event stream broke off: {error}") from error
        raise Truncated("the event stream ended")

    async def close(self, code: int, reason: str) -> None:
        """Abort the request; it has no closing code to tell `code` and `reason` with."""
        del code, reason
        await _unwind(self._events)


@asynccontextmanager
async def open_sse(entry: AgentEntry, run: RunInput) -> AsyncIterator[SseFrames]:
    """Post the input and read the head of the answer.

    Raises:
        Unreachable, Unauthorized, InputRefused, HandshakeRefused: see there.
    """
    url = entry.run_url(run.thread_id)
    verify = trust(entry.ca_file) if url.scheme == "https" else _NO_TRUST
    timeout = httpx.Timeout(None, connect=CONNECT_TIMEOUT)  # the rest is the run's timeouts
    async with httpx.AsyncClient(verify=verify, timeout=timeout, trust_env=False) as client:
        request = client.build_request(
            "POST", url.geturl(), content=await encoded(run), headers=_headers(entry)
        )
        response = await _send(client, request)
        try:
            _check_status(response.status_code)
            yield SseFrames(response)
        finally:
            await response.aclose()


async def knock(entry: AgentEntry, thread_id: PlatformChatId) -> int:
    """Return the status with which the agent's address answers a GET; no run is begun.

    Raises:
        Unreachable, Unauthorized, HandshakeRefused: see there.
    """
    url = entry.run_url(thread_id)
    verify = trust(entry.ca_file) if url.scheme == "https" else _NO_TRUST
    async with httpx.AsyncClient(verify=verify, timeout=CONNECT_TIMEOUT, trust_env=False) as client:
        request = client.build_request("GET", url.geturl(), headers=_headers(entry))
        response = await _send(client, request)
        await response.aclose()
    if response.status_code in _UNAUTHORIZED:
        raise Unauthorized(f"HTTP status {response.status_code}")
    return response.status_code


def _headers(entry: AgentEntry) -> dict[str, str]:
    headers = {
        "Accept": "text/event-stream",
        "Accept-Encoding": "identity",  # a compressed line has no length that could be bounded
        "Cache-Control": "no-store",
        "Content-Type": "application/json",
    }
    if entry.token is not None:
        headers["Authorization"] = f"Bearer {entry.token.reveal()}"
    return headers


async def _send(client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
    try:
        return await client.send(request, stream=True)
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        raise Unreachable(f"no connection to {request.url.host}: {error}") from error
    except httpx.TransportError as error:
        raise HandshakeRefused(f"no answer to the request: {error}") from error


def _check_status(status: int) -> None:
    said = f"HTTP status {status}"
    if status in _UNAUTHORIZED:
        raise Unauthorized(said)
    if status in _INPUT_REFUSED:
        raise InputRefused(said)
    if status != httpx.codes.OK:
        raise HandshakeRefused(said)
