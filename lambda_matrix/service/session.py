"""The session that the settings ask for, kept in the state directory."""

from __future__ import annotations

from pathlib import Path

from lambda_matrix import logs
from lambda_matrix.client_server_api.backoff import HealthObserver, ignore_health
from lambda_matrix.client_server_api.exchange import Observer
from lambda_matrix.client_server_api.login import Credentials, open_session
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.client_server_api.transport import open_transport
from lambda_matrix.config.settings import Settings
from lambda_matrix.disk import DiskObserver, watch_nothing
from lambda_matrix.ids import AccessToken
from lambda_matrix.pulse import Pulse
from lambda_matrix.secret import Secret

SESSION_FILE = "session.json"


def session_file(settings: Settings) -> Path:
    """Return where the session is kept, apart from the database."""
    return settings.state.directory / SESSION_FILE


async def log_in(
    settings: Settings,
    *,
    observe: Observer | None = None,
    watch: HealthObserver = ignore_health,
    watch_disk: DiskObserver = watch_nothing,
    pulse: Pulse | None = None,
    is_patient: bool = False,
) -> Session:
    """Return the session, made or confirmed; its token is kept out of the journal from now on.

    A homeserver that is away is waited for, and so is a disk that refuses; for what `is_patient`
    means see `login.open_session`. Raises as that and `transport.open_transport` do.
    """
    homeserver = settings.homeserver
    credentials = Credentials(
        user_id=homeserver.user_id,
        device_id=homeserver.device_id,
        password=None if homeserver.password is None else homeserver.password.reveal(),
        access_token=None
        if homeserver.access_token is None
        else AccessToken(homeserver.access_token.reveal()),
    )
    async with open_transport(
        homeserver.url, ca_file=homeserver.ca_file, observe=observe
    ) as transport:
        session = await open_session(
            transport,
            credentials,
            session_file(settings),
            watch=watch,
            watch_disk=watch_disk,
            pulse=pulse or Pulse(),
            is_patient=is_patient,
        )
    logs.hide(Secret(session.access_token))
    return session
