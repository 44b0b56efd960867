"""Whether a password or an access token is the bot's: asked of the homeserver, nothing left there.

What it says is told in one sentence; nothing is tried twice, since Synapse limits failed logins.
"""

from __future__ import annotations

from typing import NoReturn

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.errors import (
    CertificateRefused,
    MatrixError,
    SessionDead,
    decide_retry,
    passes_by_itself,
)
from lambda_matrix.client_server_api.parsing import parse_whoami
from lambda_matrix.client_server_api.parsing_server import parse_login_flows
from lambda_matrix.client_server_api.transport import Transport
from lambda_matrix.client_server_api.trial_login import TIMEOUT, trial_login
from lambda_matrix.config.settings import HomeserverSection
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.ids import AccessToken, DeviceId, UserId
from lambda_matrix.secret import Secret

_FORBIDDEN = 403
_TOO_MANY = 429
_PASSWORD_LOGIN = "m.login.password"  # noqa: S105 - the name of a login type


async def prove_password(
    transport: Transport, homeserver: HomeserverSection, password: Secret
) -> None:
    """Log in with the password on a device of its own, and out again.

    Raises:
        CommandError: it is not the bot's, or nobody could say so.
    """
    user = homeserver.user_id
    try:
        flows = parse_login_flows(await transport.request(endpoints.LOGIN_FLOWS, timeout=TIMEOUT))
        if _PASSWORD_LOGIN not in flows:
            raise CommandError(
                f"The homeserver {homeserver.url} takes no passwords. Take an access token of "
                f"{user} (most clients show it in their settings, and an admin of Synapse can "
                f"make one: POST /_synapse/admin/v1/users/{user}/login), and give it to "
                "lambda-matrix login --token.",
                Exit.REFUSED,
            )
        async with trial_login(transport, user, password) as session:
            found = session.user_id
    except MatrixError as error:
        if error.status == _FORBIDDEN and error.errcode is not None:
            raise CommandError(
                f"The homeserver does not accept this password of {user} ({error.errcode}).",
                Exit.REFUSED,
            ) from error
        _refuse(homeserver, error)
    _compare(found, user, "The password")


async def prove_token(
    transport: Transport, homeserver: HomeserverSection, token: AccessToken
) -> DeviceId | None:
    """Ask whose the access token is; return its device, if it has one.

    Raises:
        CommandError: it is not the bot's, or nobody could say so.
    """
    try:
        answer = await transport.request(endpoints.WHOAMI, token=token, timeout=TIMEOUT)
        found = parse_whoami(answer)
    except MatrixError as error:
        if isinstance(decide_retry(error), SessionDead):
            raise CommandError(
                "The homeserver does not know this access token.", Exit.REFUSED
            ) from error
        _refuse(homeserver, error)
    _compare(found.user_id, homeserver.user_id, "The access token")
    return found.device_id


async def has_ended(transport: Transport, token: AccessToken) -> bool:
    """Whether the homeserver has ended the session of a token for good; False if it cannot say."""
    try:
        await transport.request(endpoints.WHOAMI, token=token, timeout=TIMEOUT)
    except MatrixError as error:
        return decide_retry(error) == SessionDead(soft_logout=False)
    return False


def _compare(found: UserId, wanted: UserId, what: str) -> None:
    if found != wanted:
        raise CommandError(
            f"{what} is of {found}; [homeserver] user_id says {wanted}.", Exit.CONFIGURATION
        )


def _refuse(homeserver: HomeserverSection, error: MatrixError) -> NoReturn:
    """Say why the homeserver has not answered the question."""
    raise _told(homeserver, error) from error


def _told(homeserver: HomeserverSection, error: MatrixError) -> CommandError:
    if isinstance(error, CertificateRefused):
        return CommandError(
            f"{error.message} [homeserver] ca_file names an authority to trust.",
            Exit.CONFIGURATION,
        )
    if error.status == _TOO_MANY:
        wait = "later" if error.retry_after is None else f"in {error.retry_after:.0f} s"
        return CommandError(
            f"The homeserver limits how often one may log in: try again {wait}.", Exit.REFUSED
        )
    if passes_by_itself(error):
        return CommandError(
            f"The homeserver {homeserver.url} is away: {error.message}.", Exit.HOMESERVER_AWAY
        )
    if error.errcode is None:
        return CommandError(
            f"There is no Matrix homeserver at [homeserver] url {homeserver.url}: {error.message}.",
            Exit.CONFIGURATION,
        )
    return CommandError(f"The homeserver refuses: {error.message}.", Exit.REFUSED)
