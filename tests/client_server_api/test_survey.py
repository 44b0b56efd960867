"""What one answer of /sync tells of an account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import UnreadableAnswer
from lambda_matrix.client_server_api.survey import Standing, Survey, SurveyedRoom, parse_survey
from lambda_matrix.ids import RoomId
from tests.client_server_api.conftest import SpecificationCheck
from tests.client_server_api.fake_homeserver import FakeHomeserver
from tests.client_server_api.sync_answers import state

BINDING = {"type": "ru.coredump.lambda.binding", "content": {"owner": "@anna:example.org"}}


def surveyed(**answer: object) -> Survey:
    return parse_survey(json.dumps({"next_batch": "s1", **answer}).encode())


def only_room(standing: str, section: Any) -> SurveyedRoom:
    (room,) = surveyed(rooms={standing: {"!a:x": section}}).rooms
    assert room.room_id == "!a:x"
    return room


def test_each_standing() -> None:
    rooms: Any = {
        "leave": {"!c:x": {}},
        "join": {"!a:x": {}},
        "invite": {"!b:x": {}},
        "knock": {"!d": {}},
    }
    assert [(room.room_id, room.standing) for room in surveyed(rooms=rooms).rooms] == [
        ("!a:x", Standing.JOINED),
        ("!b:x", Standing.INVITED),
        ("!c:x", Standing.LEFT),
    ]


@pytest.mark.parametrize("key", ["state", "state_after", "org.matrix.msc4222.state_after"])
def test_a_space_and_its_name(key: str) -> None:
    events = [
        state("m.room.create", {"type": "m.space"}),
        state("m.room.name", {"name": "Chats"}),
        state("m.room.topic", {"topic": "no matter"}),
    ]
    room = only_room("join", {key: {"events": events}})
    assert (room.is_space, room.name) == (True, "Chats")


def test_the_timeline_goes_on_from_the_state() -> None:
    section = {
        "timeline": {"events": [state("m.room.name", {"name": "New"})]},
        "state": {"events": [state("m.room.name", {"name": "Old"})]},
    }
    assert only_room("join", section).name == "New"


def test_an_invite_has_a_name() -> None:
    section = {"invite_state": {"events": [state("m.room.name", {"name": "Come"})]}}
    assert only_room("invite", section).name == "Come"


def test_what_is_bound() -> None:
    events = [BINDING, {"type": "m.tag", "content": {"tags": {}}}, {"type": 5}, "no event"]
    assert only_room("leave", {"account_data": {"events": events}}).bound == (BINDING["type"],)


def test_what_was_emptied_is_bound_no_more() -> None:
    emptied = {"type": BINDING["type"], "content": {}}
    assert only_room("join", {"account_data": {"events": [emptied]}}).bound == ()


def test_account_data() -> None:
    sequence = {"type": "ru.coredump.lambda.sequence", "content": {"highest": 7}}
    emptied = {"type": "ru.coredump.lambda.person.@anna:x", "content": {}}
    found = surveyed(account_data={"events": [sequence, emptied]}).account_data
    assert found == (("ru.coredump.lambda.sequence", {"highest": 7}),)


@pytest.mark.parametrize(
    "section",
    [
        None,
        [],
        {"state": []},
        {"state": {"events": ["no event", {"type": "m.room.name", "content": {"name": 1}}]}},
        {"account_data": {"events": {}}},
    ],
)
def test_a_room_of_which_nothing_can_be_read_is_one(section: object) -> None:
    assert only_room("join", section) == SurveyedRoom(
        room_id=RoomId("!a:x"), standing=Standing.JOINED
    )


def test_no_answer_of_sync() -> None:
    with pytest.raises(UnreadableAnswer):
        parse_survey(b"[]")


async def test_it_is_one_get(
    client: Client, homeserver: FakeHomeserver, observed: SpecificationCheck
) -> None:
    homeserver.on("sync", {"next_batch": "s1"})
    assert await client.survey() == Survey((), ())
    assert await client.survey() == Survey((), ())
    assert [exchange.method for exchange in observed.exchanges] == ["GET", "GET"]
    # Synapse would give who asks in the same words the same answer for two minutes.
    assert observed.exchanges[0].url != observed.exchanges[1].url
