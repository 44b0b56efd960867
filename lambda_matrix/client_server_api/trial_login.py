"""A login that proves a password and leaves nothing behind.

The device is of the homeserver's choosing: a login as the service's own device would end the token
that a running service has. It is logged out again at once. Synapse allows few logins (five at once,
then one in five minutes), so nothing here is tried twice.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import trio

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.parsing import parse_login
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.client_server_api.transport import Transport
from lambda_matrix.ids import UserId
from lambda_matrix.secret import Secret

_DEVICE_NAME = "lambda-matrix, a check"
_LOGOUT_TIMEOUT = 5.0
"""Seconds; whoever is interrupted waits for this."""
TIMEOUT = 10.0
"""Seconds: a password's check is slow on purpose."""


@asynccontextmanager
async def trial_login(
    transport: Transport, user_id: UserId, password: Secret
) -> AsyncIterator[Session]:
    """Give a session of the password's for a while. Its user is whom the homeserver says.

    Raises:
        MatrixError: There is none: a wrong password (403), a rate limit (429), no answer.
    """
    content = json.dumps(
        {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user_id},
            "password": password.reveal(),
            "initial_device_display_name": _DEVICE_NAME,
        }
    ).encode()
    body = await transport.request(endpoints.LOGIN, json=content, timeout=TIMEOUT)
    login = parse_login(body)
    session = Session(login.user_id, login.device_id, login.access_token)
    try:
        yield session
    finally:
        with trio.CancelScope(shield=True), suppress(MatrixError):
            await transport.request(
                endpoints.LOGOUT, token=session.access_token, json=b"{}", timeout=_LOGOUT_TIMEOUT
            )
