"""A room's state as it is now, asked of the homeserver piece by piece (/state)."""

from __future__ import annotations

from attrs import define

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.parsing_power import (
    parse_create_event,
    parse_membership,
    parse_power_levels,
)
from lambda_matrix.client_server_api.power import CreateInfo, PowerLevels
from lambda_matrix.client_server_api.transport import Transport
from lambda_matrix.ids import AccessToken, RoomId, UserId
from lambda_matrix.matrix_events import Membership


@define(eq=False)
class RoomStates:
    """The state of the rooms that one session is in, or has been in."""

    _transport: Transport
    _token: AccessToken

    async def membership(self, room_id: RoomId, user_id: UserId) -> Membership | None:
        """What the user is in the room; None for who never was anything there."""
        body = await self._content(room_id, "m.room.member", user_id)
        return None if body is None else parse_membership(body)

    async def power_levels(self, room_id: RoomId) -> PowerLevels | None:
        """Who has which level there; None in a room without power levels.

        `Power(create, levels)` tells what that means.
        """
        body = await self._content(room_id, "m.room.power_levels")
        return None if body is None else parse_power_levels(body)

    async def _content(self, room_id: RoomId, kind: str, key: str = "") -> bytes | None:
        """Return the content of a piece of state; None where it was never set."""
        endpoint = endpoints.get_state(room_id, kind, key)
        try:
            return await self._transport.request(endpoint, token=self._token)
        except MatrixError as error:
            if error.errcode == "M_NOT_FOUND":
                return None
            raise

    async def create_event(self, room_id: RoomId) -> CreateInfo:
        """Who made the room, in which version, and what it goes on from.

        Asked for as an event: from room version 11 on only its sender says who that was.
        """
        endpoint = endpoints.get_state(room_id, "m.room.create")
        body = await self._transport.request(
            endpoint, token=self._token, params={"format": "event"}
        )
        return parse_create_event(body)
