"""What the homeserver's answers mean for the service. Pure."""

from __future__ import annotations

from email.utils import parsedate_to_datetime

from lambda_matrix.client_server_api.errors import (
    CertificateRefused,
    MatrixError,
    SessionDead,
    decide_retry,
)
from lambda_matrix.client_server_api.parsing import WhoAmI
from lambda_matrix.client_server_api.parsing_server import RateLimit, RoomVersions, SpecVersion
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.doctor.examination import Findings
from lambda_matrix.doctor.findings import Failed, Passed, Skipped, Warned
from lambda_matrix.exits import Exit
from lambda_matrix.ids import DeviceId, UserId

_LEAST = SpecVersion(1, 1)
"""The paths that are asked are of this version (`/_matrix/client/v3`)."""
_FOR_FILES = SpecVersion(1, 11)
"""Files behind a token; of an older homeserver they are asked for openly."""
_CLOCK_TOLERANCE = 60.0
"""Seconds."""
_SLOW_SYNC = 5.0
"""Seconds for an answer in which nothing is told."""
_MEGABYTE = 1_000_000
_FORBIDDEN = 403
_TOO_MANY = 429
_SERVER_ERRORS = 500
"""This status and those above it say that the server, or what stands before it, is not well."""
_PASSWORD_LOGIN = "m.login.password"  # noqa: S105 - the name of a login type


def versions(found: tuple[SpecVersion, ...]) -> Findings:
    """Judge which versions of the specification the homeserver speaks."""
    if not found or found[-1] < _LEAST:
        return (
            Failed(f"the homeserver is older than {_LEAST} of the specification", "upgrade it"),
        )
    told = f"the homeserver speaks Matrix {found[0]} to {found[-1]}"
    if found[-1] < _FOR_FILES:
        return (Warned(told, f"upgrade it: files are private only from {_FOR_FILES} on"),)
    return (Passed(told),)


def no_api(url: str, error: MatrixError, hint: str | None) -> Findings:
    """Judge that `/versions` is not answered; `hint` is what the host's well-known names."""
    if isinstance(error, CertificateRefused):
        return (Skipped("versions: the certificate is refused"),)
    if error.status is None:
        return (
            Failed(
                f"the homeserver does not answer: {error.message}", "start it", Exit.HOMESERVER_AWAY
            ),
        )
    if hint is not None and hint.rstrip("/") != url:
        return (
            Failed(
                f"[homeserver] url: there is no Matrix API at {url}; its well-known names {hint}",
                f'set url = "{hint.rstrip("/")}"',
            ),
        )
    if error.status >= _SERVER_ERRORS:
        return (
            Failed(
                f"the homeserver is not well: {error.message}",
                "look at its log, and at the proxy before it",
                Exit.HOMESERVER_AWAY,
            ),
        )
    return (
        Failed(
            f"[homeserver] url: there is no Matrix API at {url} ({error.message})",
            "set url to where the homeserver's client-server API is",
        ),
    )


def clock(date: str | None, ours: float) -> Findings:
    """Judge the homeserver's clock, from its header `Date`, beside ours (since the epoch)."""
    try:
        theirs = parsedate_to_datetime(date or "").timestamp()
    except (ValueError, OverflowError):
        return (Skipped("the homeserver's clock: its answers carry no date"),)
    ahead = ours - theirs
    if abs(ahead) <= _CLOCK_TOLERANCE:
        return (
            Passed(f"the clocks here and at the homeserver agree within {abs(ahead) + 1:.0f} s"),
        )
    order = "ahead of" if ahead > 0 else "behind"
    return (
        Warned(
            f"the clock here is {abs(ahead):.0f} s {order} the homeserver's",
            "have both kept by NTP: certificates, limits per minute and times in logs go by them; "
            "no answer is lost by it",
        ),
    )


def flows(found: frozenset[str]) -> Findings:
    """Judge the ways to log in, where a password is to be used."""
    if _PASSWORD_LOGIN in found:
        return (Passed("the homeserver takes passwords"),)
    return (
        Failed(
            f"the homeserver takes no passwords (only {', '.join(sorted(found)) or 'nothing'})",
            "take an access token: lambda-matrix login --token",
        ),
    )


def logged_in(session: Session, wanted: UserId) -> Findings:
    """Judge whom a login that was made for this check made us."""
    if session.user_id != wanted:
        return _wrong_user("the password", session.user_id, wanted)
    return (Passed(f"the password is good: logged in as {wanted}, and out again"),)


def whoami(found: WhoAmI, source: str, wanted: UserId, device: DeviceId) -> Findings:
    """Judge whose a token is; `source` names the file of a kept session, if it is of one."""
    of = f"the session in {source}" if source else "the access token"
    if found.user_id != wanted:
        return _wrong_user(of, found.user_id, wanted)
    # A token given by the operator settles the device; a kept one should be of the one it was for.
    if source and found.device_id is not None and found.device_id != device:
        return (
            Warned(
                f"{of} is good, of device {found.device_id}, not {device}",
                "restart the service: it looks at what was sent before it sends anything",
            ),
        )
    return (Passed(f"{of} is good: {wanted}, device {found.device_id or device}"),)


def _wrong_user(of: str, found: UserId, wanted: UserId) -> Findings:
    return (
        Failed(f"{of} is of {found}, not of {wanted}", "mend [homeserver] user_id, or log in anew"),
    )


def no_session(source: str, error: MatrixError) -> Findings:
    """Judge that a token is not taken."""
    decision = decide_retry(error)
    if not isinstance(decision, SessionDead):
        return not_told("login", error)
    if not source:
        return (
            Failed(
                "the homeserver does not accept the access token", "lambda-matrix login --token"
            ),
        )
    if decision.soft_logout:
        return (
            Warned(f"the session in {source} asks for a new login", "the service makes it itself"),
        )
    return (
        Failed(
            f"the homeserver has ended the session in {source}",
            "lambda-matrix login, then start the service; what was stored is kept",
            Exit.SESSION_DEAD,
        ),
    )


def no_token() -> Findings:
    """Judge a text that can be no access token."""
    return (
        Failed(
            "the access token holds characters that no access token has",
            "lambda-matrix login --token",
        ),
    )


def no_login(user: UserId, error: MatrixError) -> Findings:
    """Judge that a password makes no login."""
    if error.status == _TOO_MANY:
        wait = f" in {error.retry_after:.0f} s" if error.retry_after else " later"
        return (Skipped("the password: the homeserver limits logins", f"try again{wait}"),)
    if error.status == _FORBIDDEN:
        return (
            Failed(f"the homeserver does not accept the password of {user}", "lambda-matrix login"),
        )
    return not_told("login", error)


def not_told(what: str, error: MatrixError) -> Findings:
    """Say that something could not be learned; that the homeserver is away is told by others."""
    return (Skipped(f"{what}: {error.message}"),)


def room_versions(found: RoomVersions) -> Findings:
    """Judge the version of new rooms."""
    told = f"new rooms are of version {found.default}"
    if found.stable:
        return (Passed(told),)
    return (
        Warned(f"{told}, which the homeserver itself calls unstable", "set a stable default there"),
    )


def media(limit: int | None, megabytes: int) -> Findings:
    """Judge the largest file that the homeserver takes (bytes) beside ours (MB)."""
    ours = megabytes * _MEGABYTE
    if limit is None:
        return (Passed("the homeserver names no limit for files"),)
    theirs = limit // _MEGABYTE
    told = f"the homeserver takes files of {theirs} MB, [limits] file_megabytes is {megabytes}"
    if limit < ours:
        return (
            Warned(
                told,
                f"set file_megabytes = {max(1, theirs)}, or raise max_upload_size there",
            ),
        )
    return (Passed(told),)


def sync(seconds: float) -> Findings:
    """Judge how long a /sync takes in which there is nothing."""
    told = f"an empty /sync takes {seconds:.2f} s"
    return (Warned(told, "the homeserver is slow") if seconds > _SLOW_SYNC else Passed(told),)


def rate_limit(user: UserId, found: RateLimit | None) -> Findings:
    """Judge what an admin has settled, which this account may see."""
    if found is None:
        return (Warned(f"the homeserver's usual rate limits hold for {user}", _lift(user)),)
    if found.is_none:
        return (Passed(f"no rate limit holds for {user}"),)
    told = (
        f"{user} may send {found.messages_per_second} events a second, {found.burst_count} at once"
    )
    return (Passed(told),)


def rate_limit_unknown(user: UserId, error: MatrixError) -> Findings:
    """Say what the limits mean, where they cannot be seen: an ordinary account is not told."""
    if error.status is None:
        return not_told("rate limits", error)
    return (
        Skipped(
            "rate limits cannot be seen by this account; with Synapse's usual ones ten events go "
            "at once, then one in five seconds, over all rooms: growing answers are shown seldom",
            _lift(user),
        ),
    )


def _lift(user: UserId) -> str:
    return (
        f"an admin of Synapse lifts them: POST /_synapse/admin/v1/users/{user}/override_ratelimit "
        '{"messages_per_second": 0, "burst_count": 0}'
    )
