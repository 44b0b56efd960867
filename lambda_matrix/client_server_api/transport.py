"""Requests of one homeserver: addressed, signed, and handed to the workers that make them.

The access token goes only to endpoints of the homeserver that want one. A place elsewhere, to which
a file's download was redirected, never sees it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import trio
from attrs import define

from lambda_matrix import __version__
from lambda_matrix.client_server_api.address import Address, parse_address, tls_context
from lambda_matrix.client_server_api.endpoints import Endpoint
from lambda_matrix.client_server_api.exchange import Observer, Query
from lambda_matrix.client_server_api.transfer import Incoming, Outgoing, Transfer
from lambda_matrix.client_server_api.workers import CLOSING_TIMEOUT, TRIES, Shift
from lambda_matrix.ids import AccessToken

CONNECTIONS = 16
REQUEST_TIMEOUT = 60.0
"""Seconds for a whole request, unless its caller says otherwise."""
LONGEST_REQUEST = TRIES * (REQUEST_TIMEOUT + CLOSING_TIMEOUT)
"""Seconds after which such a request has ended, one way or another, however its answer trickles."""
FILE_TIMEOUT = 2 * 3600.0
"""Seconds for a whole file: a bound on how long a trickle may hold a connection."""
FILE_PATIENCE = 120.0
"""Seconds without a byte: a homeserver may fetch a file from another, or make its thumbnails."""
BODY_LIMIT = 256 * 2**20
"""Bytes of the longest answer that is read (an initial sync of a large account is the longest)."""

_USER_AGENT = f"lambda-matrix/{__version__}"


@define(eq=False)
class Transport:
    """Makes requests of one homeserver. Built by `open_transport`; closed when that block ends."""

    _address: Address
    _jobs: trio.MemorySendChannel[Transfer]

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
        headers = self._headers(endpoint, token) | {"Accept-Encoding": "gzip"}
        if json is not None:
            headers["Content-Type"] = "application/json"
        transfer = Transfer(
            asked=f"{endpoint.method} {endpoint.path}",
            kind=endpoint.kind,
            method=endpoint.method,
            url=self._url(endpoint, params),
            headers=headers,
            timeout=timeout,
            patience=timeout,
            is_repeatable=endpoint.is_repeatable,
            body=json,
        )
        await self._start(transfer)
        _, body = await transfer.answer()
        return body

    async def start_download(
        self, place: Endpoint | str, into: Incoming, *, token: AccessToken
    ) -> Transfer:
        """Ask for a file, from the homeserver or from a URL elsewhere, which gets no token.

        Whoever reads the pieces gives the transfer up when it stops before their end. Its answer
        fails, beyond what `request` raises, with `FileTooLarge`, and with `Redirected`.
        """
        if isinstance(place, str):
            asked, url = f"GET {urlsplit(place)._replace(query='', fragment='').geturl()}", place
            headers = {"User-Agent": _USER_AGENT, "Accept": "*/*"}
        else:
            asked, url = f"GET {place.path}", self._url(place)
            headers = self._headers(place, token) | {"Accept": "*/*"}
        transfer = Transfer(
            asked=asked,
            kind="elsewhere" if isinstance(place, str) else place.kind,
            method="GET",
            url=url,
            headers=headers | {"Accept-Encoding": "identity"},
            timeout=FILE_TIMEOUT,
            patience=FILE_PATIENCE,
            is_repeatable=True,
            into=into,
        )
        await self._start(transfer)
        return transfer

    async def start_upload(
        self,
        endpoint: Endpoint,
        body: Outgoing,
        *,
        content_type: str,
        params: Query,
        token: AccessToken,
    ) -> Transfer:
        """Ask for a file to be taken; the body's pieces are read from now on."""
        transfer = Transfer(
            asked=f"{endpoint.method} {endpoint.path}",
            kind=endpoint.kind,
            method=endpoint.method,
            url=self._url(endpoint, params),
            headers=self._headers(endpoint, token)
            | {"Content-Type": content_type, "Content-Length": str(body.size)},
            timeout=FILE_TIMEOUT,
            patience=FILE_PATIENCE,
            is_repeatable=False,
            body=body,
        )
        await self._start(transfer)
        return transfer

    async def _start(self, transfer: Transfer) -> None:
        try:
            # Without a checkpoint when a worker is idle, which is nearly always; the wait is one.
            self._jobs.send_nowait(transfer)
        except trio.WouldBlock:
            await self._jobs.send(transfer)

    @property
    def base_url(self) -> str:
        """The homeserver's address, without a slash at its end."""
        return self._address.base_url

    def _url(self, endpoint: Endpoint, params: Query | None = None) -> str:
        query = f"?{urlencode(params, doseq=True, quote_via=quote)}" if params else ""
        return self._address.base_url + endpoint.path + query

    def _headers(self, endpoint: Endpoint, token: AccessToken | None) -> dict[str, str]:
        headers = {
            "Host": self._address.host,
            "User-Agent": _USER_AGENT,
            "Accept": "application/json",
        }
        if token is not None and endpoint.authenticated:
            headers["Authorization"] = f"Bearer {token}"
        return headers


@asynccontextmanager
async def open_transport(
    base_url: str,
    *,
    ca_file: Path | None = None,
    connections: int = CONNECTIONS,
    body_limit: int = BODY_LIMIT,
    observe: Observer | None = None,
    elsewhere: bool = False,
) -> AsyncIterator[Transport]:
    """Open a transport to the homeserver at `base_url`; nothing is connected yet.

    Args:
        base_url: `http(s)://host[:port][/prefix]`.
        ca_file: PEM certificates to trust besides the system's.
        connections: How many requests are made at once; more wait their turn.
        body_limit: Bytes of the longest answer that is read; files have limits of their own.
        observe: Called with each exchange, for tests and tracing; it sees the token.
        elsewhere: Whether files may be redirected to places with certificates of their own.

    Raises:
        BadTransportSetting: The URL or the CA file cannot be used.
    """
    address = parse_address(base_url)
    tls = tls_context(address, ca_file, elsewhere=elsewhere)
    shift = Shift(tls, connections, body_limit, observe)
    sending, receiving = trio.open_memory_channel[Transfer](0)
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
        with trio.move_on_after(CLOSING_TIMEOUT, shield=True):
            await shift.close()
    if failure is not None:
        # The workers raise nothing of their own: what was alone there is what the block raised.
        raise failure
