from __future__ import annotations

import pytest

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.power import PowerLevels
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import Membership
from tests.client_server_api.fake_homeserver import Answer, FakeHomeserver, refusal
from tests.client_server_api.sync_answers import ANNA, state

ROOM = RoomId("!r:example.org")


async def test_power_levels(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on(
        "state/m.room.power_levels/$",
        {"state_default": 7},
        refusal(404, "M_NOT_FOUND"),
        refusal(403, "M_FORBIDDEN"),
    )

    assert await client.states.power_levels(ROOM) == PowerLevels(state_default=7)
    assert await client.states.power_levels(ROOM) is None
    with pytest.raises(MatrixError):
        await client.states.power_levels(ROOM)


async def test_the_create_event(homeserver: FakeHomeserver, client: Client) -> None:
    create = state("m.room.create", {"room_version": "11"}, room_id=ROOM)
    # The specification says oneOf, and every event is also any object.
    homeserver.on(r"state/m.room.create/\?format=event$", Answer(create, is_valid=False))

    assert (await client.states.create_event(ROOM)).creator == ANNA


async def test_what_somebody_is_in_a_room(homeserver: FakeHomeserver, client: Client) -> None:
    homeserver.on(
        "state/m.room.member/",
        {"membership": "invite"},
        refusal(404, "M_NOT_FOUND"),
        Answer({"membership": "odd"}, is_valid=False),
    )
    assert await client.states.membership(ROOM, UserId(ANNA)) is Membership.INVITE
    assert await client.states.membership(ROOM, UserId(ANNA)) is None
    assert await client.states.membership(ROOM, UserId(ANNA)) is None
