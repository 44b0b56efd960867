"""The tasks that make requests, so that a cancelled caller never harms the others' connections.

Theory (docs/adr: httpx and cancellation). httpx 0.28 loses connections of its pool when a request
is cancelled from outside while it connects: after some churn every later request ends in
PoolTimeout, for ever. So requests are made only by a few long-lived workers that no caller can
cancel; a caller hands its request over and waits for the answer, and a cancelled caller merely
stops waiting. The request itself goes on to its end, which is what the outbox wants anyway: a PUT
that is cut off has an unknown outcome, one that is left alone has a known one.

There are as many workers as connections, so a request never waits inside the pool. When one is
over its time, or PoolTimeout comes nevertheless, the whole pool is replaced; what is under way
on the old one is left to end, and the last to leave closes it. A file's transfer is worth nothing
to a caller who has gone, so it is given up: its worker cancels it, but never while it connects,
which is where the pool would be harmed, and a socket be left open.

This is the package's only module that imports httpx. It goes one step below `httpx.AsyncClient`,
to `httpx.AsyncHTTPTransport`: cookies, redirects, authentication flows and environment proxies
are things that a Matrix client must not have (a token must never follow a redirect), and they cost
a third of a request's CPU time.
"""

from __future__ import annotations

import logging
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urljoin, urlsplit

import httpx
import trio
from attrs import define, evolve, field

from lambda_matrix.client_server_api.errors import (
    FileTooLarge,
    HomeserverUnreachable,
    MatrixError,
    Redirected,
    UnreadableAnswer,
    error_of_answer,
    error_of_no_answer,
)
from lambda_matrix.client_server_api.exchange import Exchange, Observer
from lambda_matrix.client_server_api.transfer import Incoming, Outgoing, Transfer

log = logging.getLogger(__name__)

CONNECT_TIMEOUT = 10.0
"""Seconds until a connection stands, TLS included."""
KEEP_ALIVE = 30.0
"""Seconds that an idle connection is kept: less than the 60 of common reverse proxies."""
CLOSING_TIMEOUT = 2.0
TRIES = 2
"""How often a request is made at most, for one answer."""

_RESETS = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
_REDIRECTS = (307, 308)


@define(eq=False)
class _Pieces(httpx.AsyncByteStream):
    """A body's pieces. No generator: one that httpx leaves early would be collected as garbage."""

    _body: Outgoing
    _sent: int = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._body.pieces.receive()
        except trio.EndOfChannel:
            if self._sent == self._body.size:
                raise StopAsyncIteration from None
            # Here, since httpcore lets h11's own exception through.
            raise httpx.LocalProtocolError("the body ends before its announced length") from None
        self._sent += len(piece)
        return piece


@define(eq=False)
class _Pool:
    """One httpx pool and the number of requests under way on it."""

    http: httpx.AsyncHTTPTransport
    under_way: int = 0


@define(eq=False)
class Shift:
    """What the workers of one transport share: the pool of the day and how to get a new one."""

    tls: ssl.SSLContext
    connections: int
    body_limit: int
    observe: Observer | None
    _pool: _Pool = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pool = self._new_pool()

    def _new_pool(self) -> _Pool:
        limits = httpx.Limits(
            max_connections=self.connections,
            max_keepalive_connections=self.connections,
            keepalive_expiry=KEEP_ALIVE,
        )
        return _Pool(httpx.AsyncHTTPTransport(verify=self.tls, trust_env=False, limits=limits))

    async def work(self, jobs: trio.MemoryReceiveChannel[Transfer]) -> None:
        """Make one request after the other until the channel closes."""
        async for job in jobs:
            outcome: tuple[Mapping[str, str], bytes] | MatrixError | None = None
            with job.scope:
                try:
                    outcome = await self._answer(job)
                except MatrixError as error:
                    outcome = error
                except (httpx.RequestError, httpx.InvalidURL) as error:
                    outcome = error_of_no_answer(error, asked=job.asked)
            job.end(outcome)

    async def close(self) -> None:
        """Close the connections; nobody works any more."""
        await self._pool.http.aclose()

    async def _answer(self, job: Transfer) -> tuple[Mapping[str, str], bytes]:
        """Make the request; once more where the pool, or an idle connection, was found dead."""
        try:
            return await self._attempt(job)
        except httpx.PoolTimeout:
            log.warning("the connection pool had no connection left; it is replaced")
        except _RESETS:
            # So it looks when the server closes an idle connection at this very moment.
            if not job.is_repeatable:
                raise
        return await self._attempt(job)

    async def _attempt(self, job: Transfer) -> tuple[Mapping[str, str], bytes]:
        pool = self._pool
        pool.under_way += 1
        job.connect()
        try:
            with trio.fail_after(job.timeout):
                return await self._exchange(pool.http, job)
        except httpx.PoolTimeout:
            self._retire(pool)
            raise
        except trio.TooSlowError as error:
            # The cancellation may have cost the pool a connection: see the module's theory.
            self._retire(pool)
            raise HomeserverUnreachable(
                f"{job.asked}: no answer within {job.timeout:g} s"
            ) from error
        finally:
            pool.under_way -= 1
            if pool is not self._pool and not pool.under_way:
                with trio.move_on_after(CLOSING_TIMEOUT, shield=True):
                    await pool.http.aclose()

    def _retire(self, pool: _Pool) -> None:
        if pool is self._pool:
            self._pool = self._new_pool()

    async def _exchange(
        self, http: httpx.AsyncHTTPTransport, job: Transfer
    ) -> tuple[Mapping[str, str], bytes]:
        request = _request(job)
        answer: tuple[httpx.Response, bytes] | None = None
        began = trio.current_time()
        try:
            response = await http.handle_async_request(request)
            response.request = request
            if job.into is not None and response.is_success:
                job.is_repeatable = False
                await _pass_on(response, job, job.into)
                answer = response, b""
            else:
                answer = response, await self._read(response, job)
        finally:
            if self.observe is not None:
                self.observe(_seen(job, request, answer, trio.current_time() - began))
        if response.is_success:
            return response.headers, answer[1]
        refusal = error_of_answer(
            response.status_code, response.headers, answer[1], now=time.time(), asked=job.asked
        )
        location = response.headers.get("location")
        if job.into is not None and response.status_code in _REDIRECTS and location:
            raise _redirected(refusal, job.url, location)
        raise refusal

    async def _read(self, response: httpx.Response, job: Transfer) -> bytes:
        """Read the body, unpacked by hand: httpx would unpack a bomb to its end."""
        chunks: list[bytes] = []
        length = 0
        # A loop over httpx's nested generators must not be left but by an end or an error of the
        # innermost one; so it is a cancellation that stops an answer which is too long.
        with trio.CancelScope() as scope:
            async for chunk in response.aiter_raw():
                length += len(chunk)
                if length > self.body_limit:
                    scope.cancel()
                else:
                    chunks.append(chunk)
        body = b"".join(chunks)
        if "content-encoding" in response.headers:
            body = _unpacked(body, self.body_limit)
        if length > self.body_limit or len(body) > self.body_limit:
            raise UnreadableAnswer(
                f"{job.asked}: the answer is longer than {self.body_limit} bytes",
                status=response.status_code,
            )
        return body


async def _pass_on(response: httpx.Response, job: Transfer, into: Incoming) -> None:
    """Hand the body over, piece by piece, while it is wanted and not too long."""
    announced = response.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > into.most:
        await response.aclose()
        raise FileTooLarge(f"{job.asked}: {announced} bytes are over the limit of {into.most}")
    if response.headers.get("content-encoding", "identity") != "identity":
        await response.aclose()
        raise UnreadableAnswer(f"{job.asked}: a file in an encoding that was not asked for")
    length, is_wanted = 0, True
    with trio.CancelScope() as scope:  # leaves the loop as in `_read`
        async for piece in response.aiter_raw():
            length += len(piece)
            is_wanted = is_wanted and length <= into.most and await _hand_over(piece, into)
            if not is_wanted:
                scope.cancel()
    if length > into.most:
        raise FileTooLarge(f"{job.asked}: the file is over the limit of {into.most} bytes")


async def _hand_over(piece: bytes, into: Incoming) -> bool:
    """Give a piece to whoever wants it; False when nobody does any more."""
    try:
        # Who has gone has closed the channel; to be cancelled here would leave httpx's loop.
        with trio.CancelScope(shield=True):
            await into.pieces.send(piece)
    except trio.BrokenResourceError:
        return False
    return True


def _redirected(refusal: MatrixError, url: str, location: str) -> MatrixError:
    """Give the error that says where the file is; or that it is nowhere, or less safe there."""
    schemes = {"https"} if url.startswith("https:") else {"http", "https"}
    try:
        place = urljoin(url, location)
        is_good = urlsplit(place).scheme in schemes
    except ValueError:
        place, is_good = "", False
    if not is_good:
        return UnreadableAnswer(f"{refusal.message}: no place for a file", status=refusal.status)
    return Redirected(refusal.message, status=refusal.status, location=place)


def _request(job: Transfer) -> httpx.Request:
    async def trace(event: str, _: object) -> None:
        if event == "http11.send_request_headers.started":
            job.connected()

    connecting = min(CONNECT_TIMEOUT, job.timeout)
    limits = {
        "connect": connecting,
        "pool": connecting,
        "read": job.patience,
        "write": job.patience,
    }
    return httpx.Request(
        job.method,
        job.url,
        headers=job.headers,
        content=job.body if isinstance(job.body, bytes) else None,
        stream=_Pieces(job.body) if isinstance(job.body, Outgoing) else None,
        extensions={"timeout": limits, "trace": trace} if job.is_file else {"timeout": limits},
    )


def _unpacked(packed: bytes, limit: int) -> bytes:
    """Unpack gzip, the only encoding that is asked for, to no more than one byte over `limit`."""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(packed, limit + 1)
    except zlib.error:
        return packed  # no gzip after all; whoever parses it will say what it is not


def _seen(
    job: Transfer,
    request: httpx.Request,
    answer: tuple[httpx.Response, bytes] | None,
    seconds: float,
) -> Exchange:
    asked = Exchange(
        kind=job.kind,
        seconds=seconds,
        method=request.method,
        url=str(request.url),
        request_headers=request.headers,
        request_body=job.body if isinstance(job.body, bytes) else b"",
    )
    if answer is None:
        return asked
    response, body = answer
    return evolve(
        asked,
        status=response.status_code,
        response_headers=response.headers,
        response_body=body,
    )
