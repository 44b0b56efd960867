"""What can go wrong between us and the homeserver, and what is to be done about it.

Theory. A request ends in one of three ways: an answer that says yes, an answer that says no, or no
answer at all. Of the last nobody knows whether the homeserver acted; it is repeatable only because
every request that changes something either carries a transaction id, is idempotent by nature (PUT
of a state), or is marked so that its effect can be found (`createRoom`). So here "no answer" and
"the homeserver is not well" are one thing: try again, later.

An answer that says no is judged by its `errcode` first and its HTTP status second: the codes are
the protocol, the statuses are what proxies also speak. `M_UNKNOWN` and codes that nobody has heard
of are judged by status alone (client-server API, 3. "API standards"). An answer without any code
is not the homeserver speaking but something before it, which may be mended: even its 404 is tried
again a few times before anything is given up for it, and by a start for as long as it lasts.

`decide_retry` is that judgement as a pure table. It says what kind of thing happened; how long a
caller insists, and what it tells the user, is the caller's.
"""

from __future__ import annotations

import json
import math
import ssl
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from attrs import frozen

SNIPPET_LENGTH = 200
"""Characters of an unexpected answer that an error keeps for the journal."""
LONGEST_RETRY_AFTER = 15 * 60.0
"""Seconds: a homeserver that asks for more is asked again after this long all the same."""


class MatrixError(Exception):
    """A request did not succeed.

    Attributes:
        status: The HTTP status, None when no answer came.
        errcode: The Matrix error code, None when it was no Matrix error (a proxy's page).
        message: One line for the journal; it never holds a secret.
        retry_after: Seconds that the homeserver asks us to wait, None when it does not say.
        soft_logout: True when the token is gone but the device lives: log in again with its id.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        errcode: str | None = None,
        retry_after: float | None = None,
        soft_logout: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.errcode = errcode
        self.retry_after = retry_after
        self.soft_logout = soft_logout


class HomeserverUnreachable(MatrixError):  # noqa: N818 - named for what happened
    """No answer: refused, no route, no name, cut off, or too late. It may have acted or not."""


class CertificateRefused(MatrixError):  # noqa: N818 - named for what happened
    """The homeserver's certificate is not one that we trust: a matter of settings, not of time."""


class UnreadableAnswer(MatrixError):  # noqa: N818 - named for what happened
    """The homeserver said yes, but not in a form that the specification knows."""


class FileTooLarge(MatrixError):  # noqa: N818 - named for what happened
    """A file is over a limit: ours for what comes, the homeserver's for what goes."""

    def __init__(self, message: str) -> None:
        super().__init__(message, status=_CONTENT_TOO_LARGE, errcode="M_TOO_LARGE")


class Redirected(MatrixError):  # noqa: N818 - named for what happened
    """The homeserver says where else a file is: at `location`, an absolute URL of any kind."""

    def __init__(self, message: str, *, status: int | None, location: str) -> None:
        super().__init__(message, status=status)
        self.location = location


class LoginRefused(Exception):  # noqa: N818 - named for what happened
    """There is no session to be had with these settings. Its text is one sentence for a person."""


class BadTransportSetting(ValueError):  # noqa: N818 - named for what happened
    """The homeserver's URL or the CA file cannot be used. Its text is one sentence for a person."""


@frozen
class Retry:
    """Try again, with the same transaction id.

    `after` is the wait in seconds that the homeserver asks for; None leaves it to the caller's
    backoff. `counted` marks what may be permanent in disguise (a 500 for a poison event): the
    caller gives up after some of them. What is not counted is tried for ever.
    """

    after: float | None = None
    counted: bool = False


@frozen
class SessionDead:
    """The access token is worth nothing. With `soft_logout` one new login mends it."""

    soft_logout: bool = False


@frozen
class AccountPaused:
    """The homeserver or its operator has shut the account's mouth for now. Keep all, ask slowly."""


@frozen
class CheckMembership:
    """We may not, or it is not there: look whether we are still in the room before giving up."""


@frozen
class TooLarge:
    """The event is over the limit: split it, never send it again as it is."""


@frozen
class AlreadyDone:
    """What we asked for is already so: a success."""


@frozen
class Refused:
    """Permanent: the same request will never be accepted."""


Decision = Retry | SessionDead | AccountPaused | CheckMembership | TooLarge | AlreadyDone | Refused

_BY_ERRCODE: dict[str, Decision] = {
    "M_MISSING_TOKEN": SessionDead(),
    "M_USER_DEACTIVATED": SessionDead(),
    "M_USER_LOCKED": AccountPaused(),
    "M_USER_SUSPENDED": AccountPaused(),
    "M_RESOURCE_LIMIT_EXCEEDED": AccountPaused(),
    "M_USER_LIMIT_EXCEEDED": AccountPaused(),
    "M_FORBIDDEN": CheckMembership(),
    "M_NOT_FOUND": CheckMembership(),
    "M_TOO_LARGE": TooLarge(),
    "M_DUPLICATE_ANNOTATION": AlreadyDone(),
    "M_CANNOT_OVERWRITE_MEDIA": AlreadyDone(),
    "M_NOT_YET_UPLOADED": Retry(),
    "M_CONNECTION_FAILED": Retry(),
    "M_CONNECTION_TIMEOUT": Retry(),
}
"""Codes that decide whatever status they come with. M_UNKNOWN_TOKEN and M_LIMIT_EXCEEDED also
carry data, so they stand in `decide_retry`."""

_PASSING_STATUSES = frozenset({408, 425, 429})
_CONTENT_TOO_LARGE = 413
_UNAUTHORIZED = 401
_INTERNAL_SERVER_ERROR = 500
_SERVER_ERRORS = range(500, 600)
_REDIRECTS = range(300, 400)


def decide_retry(error: MatrixError) -> Decision:
    """Judge a failed request. Pure; the table is the module's docstring made exact."""
    if error.status is None:
        return Refused() if isinstance(error, CertificateRefused) else Retry()
    if error.errcode == "M_UNKNOWN_TOKEN":
        return SessionDead(soft_logout=error.soft_logout)
    if error.errcode == "M_LIMIT_EXCEEDED":
        return Retry(after=error.retry_after)
    known = _BY_ERRCODE.get(error.errcode or "")
    return known if known is not None else _decide_by_status(error, error.status)


def _decide_by_status(error: MatrixError, status: int) -> Decision:
    if status == _CONTENT_TOO_LARGE:
        return TooLarge()
    if status == _INTERNAL_SERVER_ERROR:
        # Synapse answers a poison event with 500 for ever.
        return Retry(after=error.retry_after, counted=True)
    if passes_by_itself(error):
        return Retry(after=error.retry_after)
    if error.errcode is None:
        return Retry(after=error.retry_after, counted=True)
    return SessionDead() if status == _UNAUTHORIZED else Refused()


def passes_by_itself(error: MatrixError) -> bool:
    """Whether waiting is the cure: no answer, an overload, a server's own error.

    Narrower than `may_pass`: at a first start a page that is no Matrix error means a wrong URL.
    """
    if error.status is None:
        return not isinstance(error, CertificateRefused)
    return error.status in _PASSING_STATUSES or error.status in _SERVER_ERRORS


def may_pass(error: MatrixError) -> bool:
    """Whether a later try may succeed where a homeserver was at the same address before.

    A page that is no Matrix error is weather then: some proxies answer 404 while what is behind
    them starts. But a redirect says that the address is another one now.
    """
    if error.status in _REDIRECTS:
        return False
    return passes_by_itself(error) or isinstance(decide_retry(error), Retry)


def error_of_answer(
    status: int, headers: Mapping[str, str], body: bytes, *, now: float, asked: str
) -> MatrixError:
    """Make the typed error of an answer that is no success.

    Args:
        status: Its HTTP status.
        headers: Its headers by lower-case name; `Retry-After` is read, as seconds or
            as an HTTP date (RFC 9110).
        body: Its body, JSON or not.
        now: Seconds since the epoch, to turn an HTTP date into a wait.
        asked: Method and path of the request, for the message.
    """
    in_headers = _seconds_of_retry_after(headers.get("retry-after"), now)
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or not isinstance(content.get("errcode"), str):
        return MatrixError(
            f"{asked}: HTTP {status}, no Matrix error: {_foreign_snippet(headers, body)}",
            status=status,
            retry_after=in_headers,
        )
    errcode = content["errcode"]
    # Deprecated, but exact: the header has whole seconds.
    exact = _seconds_of_milliseconds(content.get("retry_after_ms"))
    retry_after = in_headers if exact is None else exact
    return MatrixError(
        f"{asked}: HTTP {status} {_one_line(errcode)}: {_one_line(str(content.get('error', '')))}",
        status=status,
        errcode=errcode,
        retry_after=retry_after,
        soft_logout=content.get("soft_logout") is True,
    )


def error_of_no_answer(failure: Exception, *, asked: str) -> MatrixError:
    """Make the typed error of a request that the network failed, from the network's exception."""
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return CertificateRefused(
                f"The homeserver's certificate is refused: {cause.verify_message}."
            )
        cause = cause.__cause__ or cause.__context__  # the pool raises `from None` in between
    why = str(failure) or repr(failure.__cause__)
    return HomeserverUnreachable(f"{asked}: {type(failure).__name__}: {why}")


def _foreign_snippet(headers: Mapping[str, str], body: bytes) -> str:
    location = headers.get("location")
    if location:
        return f"a redirect to {_one_line(location)}, which is not followed"
    return _one_line(body[: 4 * SNIPPET_LENGTH].decode("utf-8", "replace")) or "an empty body"


def _one_line(text: str) -> str:
    return " ".join(text.split())[:SNIPPET_LENGTH]


def _seconds_of_retry_after(value: str | None, now: float) -> float | None:
    if value is None:
        return None
    try:
        return _sane_wait(float(value))
    except ValueError:
        pass
    try:
        return _sane_wait(parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _seconds_of_milliseconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return _sane_wait(min(value, 1000 * LONGEST_RETRY_AFTER) / 1000)


def _sane_wait(seconds: float) -> float | None:
    return None if math.isnan(seconds) else min(max(seconds, 0.0), LONGEST_RETRY_AFTER)
