"""What a login gives, and the file that keeps it from one start to the next."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Final, TypeGuard

from attrs import field, frozen

from lambda_matrix.client_server_api.errors import LoginRefused, MatrixError
from lambda_matrix.client_server_api.parsing_json import id_at, read_object
from lambda_matrix.disk import passes_by_itself
from lambda_matrix.ids import AccessToken, DeviceId, UserId
from lambda_matrix.whole_file import replacing

log = logging.getLogger(__name__)

_TOKEN: Final = re.compile(r"[!-~]+")
"""What may stand in an Authorization header. A token outside it would end in an error message."""
_OWNER_ONLY: Final = 0o600


@frozen
class Session:
    """What a login gives: who we are, on which device, and the token that proves it.

    `url` is the homeserver's address at which it was confirmed last, if that is known; it is no
    part of what a session is.
    """

    user_id: UserId
    device_id: DeviceId
    access_token: AccessToken = field(repr=False)
    url: str | None = field(default=None, eq=False)


class SessionFileUnusable(LoginRefused):
    """The session file can be neither read nor written; `passes` if that may pass by itself."""

    def __init__(self, message: str, *, passes: bool = False) -> None:
        super().__init__(message)
        self.passes = passes


def is_token(value: object) -> TypeGuard[str]:
    """Whether `value` can be an access token."""
    return isinstance(value, str) and _TOKEN.fullmatch(value) is not None


def read_session(path: Path) -> Session | None:
    """Read a kept session; None where there is none, or none that can be understood.

    Raises:
        SessionFileUnusable: The file is there but cannot be read.
    """
    try:
        content = read_object(path.read_bytes(), "session.json")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SessionFileUnusable(
            f"The session file {path} cannot be read: {error.strerror}."
        ) from error
    except MatrixError:
        content = {}
    user_id, device_id = id_at(content, "user_id"), id_at(content, "device_id")
    access_token = content.get("access_token")
    if user_id is None or device_id is None or not is_token(access_token):
        log.warning("the session file %s holds no session; a new login replaces it", path)
        return None
    url = content.get("url")
    return Session(
        UserId(user_id),
        DeviceId(device_id),
        AccessToken(access_token),
        url if isinstance(url, str) else None,
    )


def write_session(path: Path, session: Session) -> None:
    """Keep a session: 0600 from its first byte on, and whole or not at all.

    Raises:
        SessionFileUnusable: It cannot be written.
    """
    content = json.dumps(
        {
            "user_id": session.user_id,
            "device_id": session.device_id,
            "access_token": session.access_token,
            "url": session.url,
        }
    ).encode()
    try:
        with replacing(path, _OWNER_ONLY) as file:
            file.write(content)
    except OSError as error:
        raise SessionFileUnusable(
            f"The session file {path} cannot be written: {error.strerror}.",
            passes=passes_by_itself(error),
        ) from error
