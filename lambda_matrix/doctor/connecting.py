"""A connection to a server by itself: its name, its port, its certificate. Nothing is said."""

from __future__ import annotations

import os
import socket
import ssl
from typing import assert_never
from urllib.parse import SplitResult

import trio
from attrs import frozen

from lambda_matrix.doctor.configuration import is_loopback
from lambda_matrix.doctor.files import judge_end
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Warned
from lambda_matrix.exits import Exit

_TIMEOUT = 8.0
"""Seconds for each of the two steps together; less than a check may take."""
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
_ENCRYPTED = frozenset({"https", "wss"})
_SLOW = 1.0
"""Seconds to connect that somebody should look at."""


@frozen
class Connected:
    """It took so many seconds. `ends` is when the certificate does, seconds since the epoch."""

    seconds: float
    ends: float | None = None


@frozen
class NoName:
    """There is no such host."""


@frozen
class NoConnection:
    """Nobody answers at the port; `why` in a few words."""

    why: str


@frozen
class NotTrusted:
    """The certificate is refused, or there is no TLS; `why` in a few words."""

    why: str


Connection = Connected | NoName | NoConnection | NotTrusted


async def connect(url: SplitResult, context: ssl.SSLContext) -> Connection:
    """Connect to the server of a URL, and part from it at once."""
    host = url.hostname or ""
    began = trio.current_time()
    try:
        with trio.fail_after(_TIMEOUT):
            stream = await trio.open_tcp_stream(host, url.port or _PORTS[url.scheme])
            try:
                return await _greeted(stream, url, context, began)
            finally:
                await trio.aclose_forcefully(stream)
    except socket.gaierror:
        return NoName()
    except trio.TooSlowError:
        return NoConnection(f"no answer in {_TIMEOUT:.0f} s")
    except OSError as error:
        return NoConnection(_reason(error))
    except trio.BrokenResourceError as error:
        return NotTrusted(_tls_reason(error))


async def _greeted(
    stream: trio.SocketStream, url: SplitResult, context: ssl.SSLContext, began: float
) -> Connected:
    if url.scheme not in _ENCRYPTED:
        return Connected(trio.current_time() - began)
    secure = trio.SSLStream(stream, context, server_hostname=url.hostname, https_compatible=True)
    await secure.do_handshake()
    certificate = secure.getpeercert() or {}
    ends = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    return Connected(trio.current_time() - began, ends)


def _reason(error: OSError) -> str:
    """Return why nobody answers: of several addresses that were tried, what the last said."""
    causes = error.__cause__
    if isinstance(causes, BaseExceptionGroup) and isinstance(causes.exceptions[-1], OSError):
        error = causes.exceptions[-1]
    elif isinstance(causes, OSError):
        error = causes
    return str(error) if error.errno is None else os.strerror(error.errno)


def _tls_reason(error: trio.BrokenResourceError) -> str:
    cause = error.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return cause.verify_message
    return "what answers there speaks no TLS" if isinstance(cause, ssl.SSLError) else str(cause)


def judge(
    what: str, url: SplitResult, connection: Connection, *, setting: str, now: float
) -> tuple[Finding, ...]:
    """Judge a connection. `setting` names what the URL came from; `now` is the clock's time."""
    address = f"{url.hostname}:{url.port or _PORTS[url.scheme]}"
    match connection:
        case NoName():
            return (
                Failed(
                    f"{what}: there is no host {url.hostname}",
                    f"mend {setting}, or the name service of this machine",
                    Exit.HOMESERVER_AWAY,
                ),
            )
        case NoConnection(why=why):
            return (
                Failed(
                    f"{what}: no connection to {address}: {why}",
                    f"start it, or mend {setting} or a firewall between",
                    Exit.HOMESERVER_AWAY,
                ),
            )
        case NotTrusted(why=why):
            return (
                Failed(
                    f"{what}: the certificate of {address} is refused: {why}",
                    _certificate_advice(why, setting),
                ),
            )
        case Connected():
            return _judge_connected(what, address, url, connection, now)
        case _:
            assert_never(connection)


def _certificate_advice(why: str, setting: str) -> str:
    """Return what to do about a certificate, by OpenSSL's words for what is wrong with it."""
    if "expired" in why:
        return "renew it"
    if "not yet valid" in why:
        return "look at the clock of this machine"
    if "mismatch" in why or "not valid for" in why:
        return f"set {setting} to a name that is in the certificate"
    if "no TLS" in why:
        return f"mend {setting}: is it the port, or http:// instead of https://?"
    return "trust its authority: ca_file, or update-ca-certificates"


def _judge_connected(
    what: str, address: str, url: SplitResult, connection: Connected, now: float
) -> tuple[Finding, ...]:
    told: list[Finding] = []
    took = f"{what}: {address} connects in {connection.seconds:.2f} s"
    slow = connection.seconds > _SLOW and not is_loopback(url.hostname or "")
    told.append(Warned(took, "look at the network between") if slow else Passed(took))
    if connection.ends is not None:
        told.append(judge_end(f"{what}: certificate of {address}", connection.ends, now))
    return tuple(told)
