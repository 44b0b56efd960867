"""HTTP under Trio, so that a cancelled caller never harms the connections of the others.

Theory (docs/adr: httpx and cancellation). httpx 0.28 loses connections of its pool when a request
is cancelled from outside while it connects: after some churn every later request ends in
PoolTimeout, for ever. So requests are made only by a few long-lived workers that no caller can
cancel; a caller hands its request over and waits for the answer, and a cancelled caller merely
stops waiting. The request itself goes on to its end, which is what the outbox wants anyway: a PUT
that is cut off has an unknown outcome, one that is left alone has a known one.

There are as many workers as connections, so a request never waits inside the pool. When one is
over its time, or PoolTimeout comes nevertheless, the whole pool is replaced; what is under way
on the old one is left to end, and the last to leave closes it.

This is the package's only module that imports httpx. It goes one step below `httpx.AsyncClient`,
to `httpx.AsyncHTTPTransport`: cookies, redirects, authentication flows and environment proxies
are things that a Matrix client must not have (a token must never follow a redirect), and they cost
a third of a request's CPU time.
"""

from __future__ import annotations

import logging
import time
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import trio
from attrs import define, evolve, field

from lambda_matrix import __version__
from lambda_matrix.client_server_api.address import Address, parse_address, tls_context
from lambda_matrix.client_server_api.endpoints import Endpoint
from lambda_matrix.client_server_api.errors import (
    HomeserverUnreachable,
    MatrixError,
    UnreadableAnswer,
    error_of_answer,
    error_of_no_answer,
)
from lambda_matrix.client_server_api.exchange import Exchange, Observer, Query
from lambda_matrix.ids import AccessToken

log = logging.getLogger(__name__)

CONNECTIONS = 16
CONNECT_TIMEOUT = 10.0
"""Seconds until a connection stands, TLS included."""
REQUEST_TIMEOUT = 60.0
"""Seconds for a whole request, unless its caller says otherwise."""
KEEP_ALIVE = 30.0
"""Seconds that an idle connection is kept: less than the 60 of common reverse proxies."""
BODY_LIMIT = 256 * 2**20
"""Bytes of the longest answer that is read (an initial sync of a large account is the longest)."""
_CLOSING_TIMEOUT = 2.0

_RESETS = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


@define(eq=False)
class _Pool:
    """One httpx pool and the number of requests under way on it."""

    http: httpx.AsyncHTTPTransport
    under_way: int = 0


@define(eq=False)
class _Job:
    """A request on its way to a worker and its outcome on the way back."""

    endpoint: Endpoint
    request: httpx.Request
    timeout: float
    done: trio.Event = field(factory=trio.Event)
    body: bytes = b""
    error: MatrixError | None = None


@define(eq=False)
class Transport:
    """Makes requests of one homeserver. Built by `open_transport`; closed when that block ends."""

    _address: Address
    _jobs: trio.MemorySendChannel[_Job]

    async def request(
        self,
        endpoint: Endpoint,
        *,
        token: AccessToken | None = None,
        params: Query | None = None,
        json: bytes | None = None,
        timeout: float = REQUEST_TIMEOUT,  # noqa: ASYNC109 - the deadline is the request's own, kept by its worker: a cancel scope of the caller's must not end it
    ) -> bytes:
        """Make one request and give its answer's body; its status was 2xx.

        Args:
            endpoint: What is asked.
            token: The access token; sent only to an endpoint that wants one.
            params: The query.
            json: The body, JSON as bytes, sent exactly as it is.
            timeout: Seconds for the whole request.

        Raises:
            HomeserverUnreachable: No answer, or not within the time.
            CertificateRefused: The server's certificate is not trusted.
            MatrixError: The answer was no success.
        """
        url = self._address.base_url + endpoint.path
        if params:
            url += f"?{httpx.QueryParams(params)}"
        headers = {
            "Host": self._address.host,
            "User-Agent": f"lambda-matrix/{__version__}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        if token is not None and endpoint.authenticated:
            headers["Authorization"] = f"Bearer {token}"
        if json is not None:
            headers["Content-Type"] = "application/json"
        limits = {
            "connect": min(CONNECT_TIMEOUT, timeout),
            "pool": min(CONNECT_TIMEOUT, timeout),
            "read": timeout,
            "write": timeout,
        }
        job = _Job(
            endpoint,
            httpx.Request(
                endpoint.method,
                url,
                headers=headers,
                content=json,
                extensions={"timeout": limits},
            ),
            timeout,
        )
        try:
            # Without a checkpoint when a worker is idle, which is nearly always; the wait is one.
            self._jobs.send_nowait(job)
        except trio.WouldBlock:
            await self._jobs.send(job)
        await job.done.wait()
        if job.error is not None:
            raise job.error
        return job.body


@define(eq=False)
class _Shift:
    """What the workers of one transport share: the pool of the day and how to get a new one."""

    new_pool: Callable[[], _Pool]
    pool: _Pool
    body_limit: int
    observe: Observer | None

    async def work(self, jobs: trio.MemoryReceiveChannel[_Job]) -> None:
        """Make one request after the other until the channel closes."""
        async for job in jobs:
            try:
                job.body = await self._answer(job)
            except MatrixError as error:
                job.error = error
            except httpx.RequestError as error:
                job.error = error_of_no_answer(error, asked=_described(job))
            job.done.set()

    async def _answer(self, job: _Job) -> bytes:
        """Make the request; once more where the pool, or an idle connection, was found dead."""
        try:
            return await self._attempt(job)
        except httpx.PoolTimeout:
            log.warning("the connection pool had no connection left; it is replaced")
        except _RESETS:
            # So it looks when the server closes an idle connection at this very moment.
            if not job.endpoint.is_repeatable:
                raise
        return await self._attempt(job)

    async def _attempt(self, job: _Job) -> bytes:
        pool = self.pool
        pool.under_way += 1
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
                f"{_described(job)}: no answer within {job.timeout:g} s"
            ) from error
        finally:
            pool.under_way -= 1
            if pool is not self.pool and not pool.under_way:
                with trio.move_on_after(_CLOSING_TIMEOUT, shield=True):
                    await pool.http.aclose()

    def _retire(self, pool: _Pool) -> None:
        if pool is self.pool:
            self.pool = self.new_pool()

    async def _exchange(self, http: httpx.AsyncHTTPTransport, job: _Job) -> bytes:
        answer: tuple[httpx.Response, bytes] | None = None
        try:
            response = await http.handle_async_request(job.request)
            response.request = job.request
            body = await self._read(response, job)
            answer = response, body
        finally:
            if self.observe is not None:
                self.observe(_seen(job.request, answer))
        if response.is_success:
            return body
        raise error_of_answer(
            response.status_code, response.headers, body, now=time.time(), asked=_described(job)
        )

    async def _read(self, response: httpx.Response, job: _Job) -> bytes:
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
                f"{_described(job)}: the answer is longer than {self.body_limit} bytes",
                status=response.status_code,
            )
        return body


@asynccontextmanager
async def open_transport(
    base_url: str,
    *,
    ca_file: Path | None = None,
    connections: int = CONNECTIONS,
    body_limit: int = BODY_LIMIT,
    observe: Observer | None = None,
) -> AsyncIterator[Transport]:
    """Open a transport to the homeserver at `base_url`; nothing is connected yet.

    Args:
        base_url: `http(s)://host[:port][/prefix]`.
        ca_file: PEM certificates to trust besides the system's.
        connections: How many requests are made at once; more wait their turn.
        body_limit: Bytes of the longest answer that is read.
        observe: Called with each exchange, for tests and tracing; it sees the token.

    Raises:
        BadTransportSetting: The URL or the CA file cannot be used.
    """
    address = parse_address(base_url)
    tls = tls_context(address, ca_file)
    limits = httpx.Limits(
        max_connections=connections,
        max_keepalive_connections=connections,
        keepalive_expiry=KEEP_ALIVE,
    )

    def new_pool() -> _Pool:
        return _Pool(httpx.AsyncHTTPTransport(verify=tls, trust_env=False, limits=limits))

    shift = _Shift(new_pool, new_pool(), body_limit, observe)
    sending, receiving = trio.open_memory_channel[_Job](0)
    failure: Exception | None = None
    try:
        async with trio.open_nursery() as nursery:
            for _ in range(connections):
                nursery.start_soon(shift.work, receiving)
            with sending:
                yield Transport(address, sending)
            # Nobody waits for what is still under way.
            nursery.cancel_scope.cancel()
    except ExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        (failure,) = group.exceptions
    finally:
        with trio.move_on_after(_CLOSING_TIMEOUT, shield=True):
            await shift.pool.http.aclose()
    if failure is not None:
        # The workers raise nothing of their own: what was alone there is what the block raised.
        raise failure


def _described(job: _Job) -> str:
    return f"{job.endpoint.method} {job.endpoint.path}"


def _unpacked(packed: bytes, limit: int) -> bytes:
    """Unpack gzip, the only encoding that is asked for, to no more than one byte over `limit`."""
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(packed, limit + 1)
    except zlib.error:
        return packed  # no gzip after all; whoever parses it will say what it is not


def _seen(request: httpx.Request, answer: tuple[httpx.Response, bytes] | None) -> Exchange:
    asked = Exchange(
        method=request.method,
        url=str(request.url),
        request_headers=request.headers,
        request_body=request.content,
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
