from __future__ import annotations

from typing import Any

import pytest

from lambda_matrix.client_server_api.parsing_state import parse_marker, parse_room_state
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import (
    MARKER_KEY,
    MemberChange,
    Membership,
    RoomMarker,
    RoomState,
    SpaceChild,
    Tombstone,
)
from tests.client_server_api.sync_answers import ANNA, ROOM, Json, event, joined, member, state

MARKER = {"intent": "i1", "kind": "chat", "owner": ANNA}


def parsed(section: Json) -> RoomState:
    return parse_room_state(RoomId(ROOM), section)


def test_the_state_before_a_timeline_and_the_timeline_on_top() -> None:
    section = joined(
        state("m.room.name", {"name": "newer"}),
        member("@b:h", "leave"),
        event(),
        state={
            "events": [
                state(
                    "m.room.create",
                    {"room_version": "12", "type": "m.space", MARKER_KEY: MARKER},
                ),
                state("m.room.name", {"name": "older"}),
                state("m.room.encryption", {"algorithm": "x"}),
                state("m.room.tombstone", {"replacement_room": "!new"}),
                member("@b:h", "join"),
                member(ANNA, "join"),
            ]
        },
        summary={"m.joined_member_count": 2},
    )

    state_of_room = parsed(section)

    assert state_of_room.creator == ANNA
    assert (state_of_room.room_type, state_of_room.room_version) == ("m.space", "12")
    assert state_of_room.marker == RoomMarker("i1", "chat", UserId(ANNA))
    assert state_of_room.name == "newer"
    assert state_of_room.encrypted is True
    assert state_of_room.tombstone == Tombstone(RoomId("!new"), UserId(ANNA))
    assert state_of_room.joined_member_count == 2
    assert {change.target: change.membership for change in state_of_room.members} == {
        "@b:h": Membership.LEAVE,
        ANNA: Membership.JOIN,
    }


@pytest.mark.parametrize("key", ["state_after", "org.matrix.msc4222.state_after"])
def test_the_state_after_a_timeline_is_the_last_word(key: str) -> None:
    section = joined(
        state("m.room.name", {"name": "of the timeline"}),
        state={"events": [state("m.room.name", {"name": "before"})]},
        **{key: {"events": [state("m.room.name", {"name": "after"})]}},
    )

    assert parsed(section).name == "after"


def test_nothing_new_is_nothing() -> None:
    assert parsed(joined(event())) == RoomState()
    assert parsed({}) == RoomState()


def test_a_name_taken_away_is_an_empty_name() -> None:
    assert parsed(joined(state("m.room.name", {}))).name == ""


def test_a_room_of_the_first_version_does_not_say_so() -> None:
    assert parsed(joined(state("m.room.create", {}))).room_version == "1"


@pytest.mark.parametrize(
    "bad",
    [
        5,
        {"type": "m.room.name"},
        {"type": 5, "state_key": ""},
        {"type": "m.room.name", "state_key": 5},
        state("m.room.name", {"name": "of a key"}, "key"),
        member("@x:h", "wants"),
        event("m.room.member", {}, state_key=[]),
    ],
)
def test_malformed_state_harms_nothing(bad: Any) -> None:
    section = joined(state={"events": [bad, member("@b:h", "join"), bad]})

    state_of_room = parsed(section)

    assert state_of_room.name is None
    assert [type(change) for change in state_of_room.members] == [MemberChange]


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {MARKER_KEY: "x"},
        {MARKER_KEY: {**MARKER, "intent": None}},
        {MARKER_KEY: {**MARKER, "owner": 5}},
        {MARKER_KEY: {**MARKER, "kind": "castle"}},
        {MARKER_KEY: {**MARKER, "kind": []}},
    ],
)
def test_a_marker_that_is_not_ours_is_none(bad: Json) -> None:
    assert parse_marker(bad) is None


def test_the_room_before_an_upgrade() -> None:
    create = state("m.room.create", {"predecessor": {"room_id": "!old", "event_id": "$last"}})

    assert parsed(joined(create)).predecessor == "!old"
    assert parsed(joined(state("m.room.create", {"predecessor": "!old"}))).predecessor is None


def test_the_children_of_a_space_as_they_are_now() -> None:
    section = joined(
        state("m.space.child", {"via": ["h"]}, "!one"),
        state("m.space.child", {"via": ["h"]}, "!two"),
        state("m.space.child", {}, "!two", sender="@boris:h"),
        state("m.space.child", {"via": "h"}, "!three"),
        state("m.space.child", {"via": ["h"]}, ""),
        state("m.space.child", {"via": ["h"]}, "!four", sender=5),
    )

    assert parsed(section).children == (
        SpaceChild(RoomId("!one"), has_via=True, sender=UserId(ANNA)),
        SpaceChild(RoomId("!two"), has_via=False, sender=UserId("@boris:h")),
        SpaceChild(RoomId("!three"), has_via=False, sender=UserId(ANNA)),
    )


@pytest.mark.parametrize(
    "bad",
    [
        state("m.room.tombstone", {"body": "gone"}),
        state("m.room.tombstone", {"replacement_room": 5}),
        state("m.room.tombstone", {"replacement_room": "!new"}, sender=None),
    ],
)
def test_a_tombstone_that_leads_nowhere_is_none(bad: Json) -> None:
    assert parsed(joined(bad)).tombstone is None
