"""What the homeserver keeps of accounts: people's profiles, and data of our own (11.2, 11.12)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from attrs import define

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.endpoints import Endpoint
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.parsing import (
    parse_account_data,
    parse_avatar_url,
    parse_display_name,
)
from lambda_matrix.client_server_api.parsing_json import JsonObject
from lambda_matrix.client_server_api.transport import Transport
from lambda_matrix.ids import AccessToken, RoomId, UserId


@define(eq=False)
class Account:
    """The account of one session, and others' profiles as it sees them."""

    _transport: Transport
    _token: AccessToken
    _user_id: UserId

    async def display_name(self, user_id: UserId) -> str | None:
        """The name that people see of somebody; None where we see none (/profile)."""
        return parse_display_name(await self._profile(endpoints.display_name(user_id)))

    async def set_display_name(self, name: str) -> None:
        """Set the name that people see (11.2.2)."""
        await self._put(endpoints.put_display_name(self._user_id), {"displayname": name})

    async def avatar_url(self, user_id: UserId) -> str | None:
        """The `mxc://` address of somebody's picture; None where we see none (/profile)."""
        return parse_avatar_url(await self._profile(endpoints.avatar(user_id)))

    async def set_avatar_url(self, mxc: str) -> None:
        """Set the picture that people see, an `mxc://` address (/profile)."""
        await self._put(endpoints.put_avatar(self._user_id), {"avatar_url": mxc})

    async def get_data(self, kind: str) -> JsonObject | None:
        """Our global account data of this type; None when there is none (11.12)."""
        return await self._stored(endpoints.account_data(self._user_id, kind))

    async def put_data(self, kind: str, content: Mapping[str, object]) -> None:
        """Replace our global account data of this type (11.12)."""
        await self._put(endpoints.put_account_data(self._user_id, kind), content)

    async def get_room_data(self, room_id: RoomId, kind: str) -> JsonObject | None:
        """Our account data of this room and type; None when there is none (11.12)."""
        return await self._stored(endpoints.room_account_data(self._user_id, room_id, kind))

    async def put_room_data(
        self, room_id: RoomId, kind: str, content: Mapping[str, object]
    ) -> None:
        """Replace our account data of this room and type (11.12)."""
        await self._put(endpoints.put_room_account_data(self._user_id, room_id, kind), content)

    async def _profile(self, endpoint: Endpoint) -> bytes:
        """A part of somebody's profile; an empty one where we see none."""
        try:
            return await self._transport.request(endpoint, token=self._token)
        except MatrixError as error:
            # The specification asks for no token here; a homeserver may, and then tells nothing.
            if error.errcode in {"M_NOT_FOUND", "M_FORBIDDEN", "M_MISSING_TOKEN"}:
                return b"{}"
            raise

    async def _stored(self, endpoint: Endpoint) -> JsonObject | None:
        try:
            return parse_account_data(await self._transport.request(endpoint, token=self._token))
        except MatrixError as error:
            if error.errcode == "M_NOT_FOUND":
                return None
            raise

    async def _put(self, endpoint: Endpoint, content: Mapping[str, object]) -> None:
        body = json.dumps(content).encode()
        await self._transport.request(endpoint, token=self._token, json=body)
