"""From settings to a session: log in once, keep the session, and prove it before anything else.

Theory (ADR 0002). The device is what transaction ids are scoped to, so it stays the same for
ever: its id is a setting, and the token lives beside it in `session.json`, apart from the
database. A stored token is used as it is; a password is used only where there is no token, or
where the homeserver says that the device may log in again (`soft_logout`). Synapse allows few
logins, so a dead session is an error, never a reason to log in in a loop. `whoami` comes before
all: a bot that does not know its own name answers itself.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Final

import trio
from attrs import evolve, field, frozen

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.backoff import HealthObserver, ignore_health, wait_for
from lambda_matrix.client_server_api.errors import (
    CertificateRefused,
    CheckMembership,
    LoginRefused,
    MatrixError,
    Refused,
    SessionDead,
    decide_retry,
    may_pass,
    passes_by_itself,
)
from lambda_matrix.client_server_api.parsing import WhoAmI, parse_login, parse_whoami
from lambda_matrix.client_server_api.session import (
    Session,
    SessionFileUnusable,
    is_token,
    read_session,
    write_session,
)
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.client_server_api.transport import Transport
from lambda_matrix.disk import DiskObserver, DiskPatience, watch_nothing
from lambda_matrix.ids import AccessToken, DeviceId, UserId
from lambda_matrix.pulse import Part, Pulse

log = logging.getLogger(__name__)

DEFAULT_DEVICE_ID: Final = DeviceId("LAMBDA_MATRIX")
_DEVICE_NAME: Final = "lambda-matrix"


class BadLogin(LoginRefused):
    """The homeserver does not accept the password, or there is none where one is needed."""


class WrongUser(LoginRefused):
    """The access token or the stored session is another user's."""


class NoHomeserver(LoginRefused):
    """Something else than a homeserver answers at the address: a web site, another program."""


@frozen(kw_only=True)
class Credentials:
    """Who to be, and one or both of the ways to prove it. An access token goes before a password.

    Neither secret is ever part of a repr.
    """

    user_id: UserId
    device_id: DeviceId = DEFAULT_DEVICE_ID
    password: str | None = field(default=None, repr=False)
    access_token: AccessToken | None = field(default=None, repr=False)


@frozen
class _Patience:
    """What is waited out of the homeserver, and who hears of it."""

    watch: HealthObserver
    part: Part
    passes: Callable[[MatrixError], bool]


async def open_session(
    transport: Transport,
    credentials: Credentials,
    session_file: Path,
    *,
    watch: HealthObserver = ignore_health,
    watch_disk: DiskObserver = watch_nothing,
    pulse: Pulse | None = None,
    is_patient: bool = False,
) -> Session:
    """Give a session that the homeserver has confirmed, and keep it in `session_file` (0600).

    A homeserver that is not there yet is waited for, and so is a disk that refuses. Who
    `is_patient` also waits out what is no homeserver's answer, where the session was confirmed at
    the same address before. The session's device is the one that `whoami` names: where it differs
    from the one of the last start, look before sending anything. `watch`, `watch_disk` and the
    start in `pulse` are told of the waits.

    Raises:
        LoginRefused: Its subclass says why; a setting has to be changed.
        SessionDeadError: The stored token is dead, and the homeserver allows no new login for it.
        MatrixError: The homeserver refused something else, for good.
    """
    pulse = pulse or Pulse()
    stored = await _stored(credentials, session_file)
    was_here = stored is not None and stored.url == transport.base_url
    passes = may_pass if is_patient and was_here else passes_by_itself
    patience = _Patience(watch, pulse.lifecycle, passes)
    try:
        session = await _open(transport, credentials, stored, patience)
    except MatrixError as error:
        if _is_foreign(error):
            raise NoHomeserver(f"What answers there is no homeserver: {error}.") from error
        raise
    session = evolve(session, url=transport.base_url)
    if session != stored or session.url != stored.url:
        await _keep(session, session_file, DiskPatience(watch_disk, part=pulse.disk))
    return session


def _is_foreign(error: MatrixError) -> bool:
    """Whether it is no homeserver's way to answer a login: no Matrix error, or no such path."""
    return not isinstance(error, CertificateRefused) and error.errcode in {None, "M_UNRECOGNIZED"}


async def _stored(credentials: Credentials, session_file: Path) -> Session | None:
    """Give the session that was kept, if there is one; it is of the user that is wanted."""
    if credentials.access_token is not None and not is_token(credentials.access_token):
        raise BadLogin("The access token given holds characters that no access token has.")
    stored = await trio.to_thread.run_sync(read_session, session_file)
    if stored is not None and stored.user_id != credentials.user_id:
        raise WrongUser(
            f"The session in {session_file} is of {stored.user_id}, not of {credentials.user_id}."
        )
    return stored


async def _open(
    transport: Transport, credentials: Credentials, stored: Session | None, patience: _Patience
) -> Session:
    """Give a confirmed session: the one that was kept, if it serves."""
    token = credentials.access_token
    if token is not None:
        given = Session(credentials.user_id, credentials.device_id, token)
        try:
            session = await _confirmed(transport, given, patience)
        except SessionDeadError as error:
            if stored is not None and stored.access_token == given.access_token:
                raise  # it was good once: the session has ended
            raise BadLogin(
                f"The homeserver does not accept the access token of {given.user_id}."
            ) from error
    elif stored is not None:
        try:
            session = await _confirmed(transport, stored, patience)
        except SessionDeadError as error:
            if not error.soft_logout:
                raise
            log.info("the homeserver asks for a new login of device %s", stored.device_id)
            session = await _logged_in(transport, credentials, stored.device_id, patience)
    else:
        session = await _logged_in(transport, credentials, credentials.device_id, patience)
    return session


async def _keep(session: Session, session_file: Path, patience: DiskPatience) -> None:
    """Write the session, and wait for a disk that refuses: the login was one of few."""
    while True:
        try:
            await trio.to_thread.run_sync(write_session, session_file, session)
        except SessionFileUnusable as error:
            if not error.passes:
                raise
            await trio.sleep(patience.refused(str(error).removesuffix(".")))
        else:
            patience.obeyed()
            return


async def _confirmed(transport: Transport, session: Session, patience: _Patience) -> Session:
    """Ask whose the token is; the device is what the homeserver says it is."""

    async def ask() -> WhoAmI:
        return parse_whoami(await transport.request(endpoints.WHOAMI, token=session.access_token))

    try:
        found = await wait_for(
            ask,
            watch=patience.watch,
            part=patience.part,
            passes=patience.passes,
        )
    except MatrixError as error:
        decision = decide_retry(error)
        if isinstance(decision, SessionDead):
            raise SessionDeadError(
                f"The homeserver no longer accepts the access token of {session.user_id}.",
                soft_logout=decision.soft_logout,
            ) from error
        raise
    if found.user_id != session.user_id:
        raise WrongUser(f"The access token is of {found.user_id}, not of {session.user_id}.")
    return evolve(session, device_id=found.device_id or session.device_id)


async def _logged_in(
    transport: Transport, credentials: Credentials, device_id: DeviceId, patience: _Patience
) -> Session:
    """Log in with the password, then confirm like any other session."""
    if credentials.password is None:
        raise BadLogin(
            f"To log in as {credentials.user_id} a password or an access token is needed."
        )
    content = json.dumps(
        {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": credentials.user_id},
            "password": credentials.password,
            "device_id": device_id,
            "initial_device_display_name": _DEVICE_NAME,
        }
    ).encode()
    try:
        body = await wait_for(
            lambda: transport.request(endpoints.LOGIN, json=content),
            watch=patience.watch,
            part=patience.part,
            passes=patience.passes,
        )
    except CertificateRefused:  # the login was not even tried
        raise
    except MatrixError as error:
        is_refused = isinstance(decide_retry(error), CheckMembership | Refused | SessionDead)
        if is_refused and not _is_foreign(error):
            raise BadLogin(
                f"The homeserver does not accept the login of {credentials.user_id}: "
                f"{error.errcode}."
            ) from error
        raise
    login = parse_login(body)
    session = Session(credentials.user_id, login.device_id, login.access_token)
    return await _confirmed(transport, session, patience)
