from __future__ import annotations

import json

import pytest

from lambda_matrix.client_server_api.errors import UnreadableAnswer
from lambda_matrix.client_server_api.parsing_power import parse_create_event, parse_power_levels
from lambda_matrix.client_server_api.power import CreateInfo, PowerLevels
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import MARKER_KEY, RoomMarker
from tests.client_server_api.sync_answers import ANNA, encoded, state


def test_power_levels() -> None:
    content = {
        "users": {ANNA: 100, "@old:h": " +7 ", "@odd:h": 1.5, "": 5},
        "users_default": "1",
        "events": {"m.room.name": "50", "m.x": None},
        "state_default": 60,
        "kick": 51,
        "notifications": {"room": 20},
    }

    assert parse_power_levels(encoded(content)) == PowerLevels(
        users={UserId(ANNA): 100, UserId("@old:h"): 7},
        users_default=1,
        events={"m.room.name": 50},
        state_default=60,
    )


@pytest.mark.parametrize("level", ["seven", True, 1.5, 2**60, None])
def test_what_is_no_level_is_not_there(level: object) -> None:
    body = encoded({"users_default": level, "state_default": level, "events": {"m.x": level}})
    assert parse_power_levels(body) == PowerLevels()


@pytest.mark.parametrize("body", ["{}", '{"users": [], "events": 5}'])
def test_no_power_levels_are_the_defaults(body: str) -> None:
    assert parse_power_levels(body.encode()) == PowerLevels()


def test_a_create_event_of_version_12() -> None:
    content = {
        "room_version": "12",
        "additional_creators": ["@b:h", 5],
        "type": "m.space",
        "predecessor": {"room_id": "!old"},
        "creator": "@liar:h",
        MARKER_KEY: {"intent": "i1", "kind": "space", "owner": ANNA},
    }

    assert parse_create_event(encoded(state("m.room.create", content))) == CreateInfo(
        creator=UserId(ANNA),
        room_version="12",
        additional_creators=frozenset({UserId("@b:h")}),
        room_type="m.space",
        predecessor=RoomId("!old"),
        marker=RoomMarker("i1", "space", UserId(ANNA)),
    )


def test_a_create_event_of_an_older_version() -> None:
    content = {"additional_creators": ["@b:h"]}
    assert parse_create_event(encoded(state("m.room.create", content))) == CreateInfo(
        creator=UserId(ANNA), room_version="1"
    )


@pytest.mark.parametrize("body", ['{"room_version": "11"}', "[]"])
def test_a_create_event_without_a_sender(body: str) -> None:
    with pytest.raises(UnreadableAnswer):
        parse_create_event(json.dumps(json.loads(body)).encode())
