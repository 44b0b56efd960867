from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from lambda_matrix.client_server_api import parsing
from lambda_matrix.client_server_api.errors import UnreadableAnswer
from lambda_matrix.ids import RoomId, SyncToken, UserId
from lambda_matrix.matrix_events import (
    InvitedRoom,
    JoinedRoom,
    LeftRoom,
    MalformedEvent,
    RoomState,
    SyncBatch,
    TextMessage,
)
from tests.client_server_api.sync_answers import (
    ANNA,
    ME,
    ROOM,
    Json,
    answer,
    encoded,
    event,
    joined,
    member,
    state,
)
from tests.lab.effort import examples


def parsed(value: object) -> SyncBatch:
    return parsing.parse_sync(encoded(value), UserId(ME))


def test_an_empty_answer_moves_only_the_token() -> None:
    batch = parsed({"next_batch": "s2"})

    assert batch == SyncBatch(next_batch=SyncToken("s2"))
    assert batch.is_empty


def test_a_joined_room() -> None:
    section = joined(event(event_id="$1"), event(event_id="$2"))
    section["timeline"]["limited"] = True

    (room,) = parsed(answer(join={ROOM: section})).joined

    assert (room.room_id, room.limited, room.prev_batch) == (ROOM, True, "p1")
    assert [fact.event_id for fact in room.timeline] == ["$1", "$2"]


def invite(*events: object) -> Json:
    return {"invite_state": {"events": list(events)}}


def test_an_invite() -> None:
    direct = state("m.room.member", {"membership": "invite", "is_direct": True}, ME)
    section = invite(
        state("m.room.create", {"type": "m.space"}),
        state("m.room.encryption", {"algorithm": "x"}),
        member(ANNA, "join", sender=ANNA),
        "nonsense",
        direct,
    )

    assert parsed(answer(invite={ROOM: section})).invited == (
        InvitedRoom(
            room_id=RoomId(ROOM),
            inviter=UserId(ANNA),
            is_direct=True,
            encrypted=True,
            room_type="m.space",
        ),
    )


@pytest.mark.parametrize(
    "bad",
    [
        5,
        {},
        invite(),
        invite(member("@other:h", "invite")),
        invite(member(ME, "join")),
        invite(member(ME, "invite", sender=5)),
    ],
)
def test_an_invite_of_nobody_is_skipped(bad: object) -> None:
    good = invite(member(ME, "invite"))

    assert [one.room_id for one in parsed(answer(invite={"!bad": bad, ROOM: good})).invited] == [
        ROOM
    ]


def test_a_left_room_still_has_its_last_messages() -> None:
    section = joined(event(), member(ME, "leave"))

    (room,) = parsed(answer(leave={ROOM: section})).left

    assert isinstance(room, LeftRoom)
    assert len(room.timeline) == 2


@pytest.mark.parametrize(
    ("section", "why"),
    [
        ("x", "the section is not an object"),
        ({"timeline": 5}, "the timeline is not a list"),
        ({"timeline": {"events": {}}}, "the timeline is not a list"),
    ],
)
def test_a_bad_section_is_kept_and_harms_no_other(section: object, why: str) -> None:
    batch = parsed(answer(join={"!bad": section, ROOM: joined(event())}, leave={"!bad2": section}))

    bad, good = batch.joined
    raw = json.dumps(section["timeline"] if isinstance(section, dict) else section)
    assert bad.timeline == (MalformedEvent(RoomId("!bad"), None, why, raw),)
    assert bad.state == RoomState()
    assert len(good.timeline) == 1
    assert batch.left[0].timeline == (MalformedEvent(RoomId("!bad2"), None, why, raw),)


def test_a_section_without_a_timeline_has_no_events() -> None:
    assert parsed(answer(join={ROOM: {"summary": {}}})).joined == (
        JoinedRoom(room_id=RoomId(ROOM)),
    )


def test_a_section_under_no_room_id_is_skipped() -> None:
    batch = parsed(answer(join={"": joined(event()), ROOM: joined(event())}))

    assert [room.room_id for room in batch.joined] == [ROOM]


@pytest.mark.parametrize(
    "bad", [{}, {"next_batch": 5}, {"next_batch": ""}, {"next_batch": "\ud800"}]
)
def test_an_answer_without_a_token_is_unreadable(bad: Json) -> None:
    with pytest.raises(UnreadableAnswer, match="next_batch"):
        parsed(bad)


# -- whatever a homeserver may send --

junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=8)
    | st.sampled_from(["m.room.message", "m.room.member", "join", "m.replace", "$x", ME]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["events", "timeline", "type", "content", "state_key", "body", ""]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)

FULL = answer(
    join={
        ROOM: joined(
            event(
                event_id="$edit",
                content={
                    "msgtype": "m.text",
                    "body": "* b",
                    "m.new_content": {"msgtype": "m.text", "body": "b", "m.mentions": {}},
                    "m.relates_to": {"rel_type": "m.replace", "event_id": "$x"},
                    "ru.coredump.lambda.answer": {"question": "$q", "request": "r", "part": 0},
                },
            ),
            event(
                event_id="$reply",
                content={
                    "msgtype": "m.text",
                    "body": "> <@a:h> x\n\nb",
                    "m.relates_to": {"m.in_reply_to": {"event_id": "$x"}, "rel_type": "m.thread"},
                },
            ),
            event("m.room.redaction", {"redacts": "$x"}, event_id="$redaction"),
            member(ANNA, "join", event_id="$member"),
            state={"events": [state("m.room.create", {"room_version": "12"}), member(ME, "join")]},
            summary={"m.joined_member_count": 2},
        ),
    },
    invite={"!invite": invite(member(ME, "invite"), state("m.room.create", {"type": "m.space"}))},
    leave={"!left": joined(member(ME, "leave"))},
)


def mutated(value: object, chance: random.Random, junk_part: object) -> object:
    """Replace a random part of `value` by junk, or take it away."""
    if isinstance(value, dict) and value and chance.random() < 0.9:
        key = chance.choice(sorted(value))
        copy = dict(value)
        if chance.random() < 0.15:
            del copy[key]
        else:
            copy[key] = mutated(copy[key], chance, junk_part)
        return copy
    if isinstance(value, list) and value and chance.random() < 0.9:
        at = chance.randrange(len(value))
        return [*value[:at], mutated(value[at], chance, junk_part), *value[at + 1 :]]
    return junk_part


@settings(max_examples=examples(300))
@given(st.randoms(use_true_random=False), st.lists(junk, min_size=4, max_size=4))
def test_no_answer_with_a_token_raises(chance: random.Random, junk_parts: list[object]) -> None:
    rooms = FULL["rooms"]
    for part in junk_parts:
        rooms = mutated(rooms, chance, part)

    assert parsed({**FULL, "rooms": rooms}).next_batch == "s2"


@settings(max_examples=examples(200))
@given(st.lists(junk, max_size=4), st.integers(0, 4), junk)
def test_a_good_event_is_never_lost_beside_bad_ones(
    bad: list[Any], at: int, bad_section: object
) -> None:
    timeline = [*bad[:at], event(event_id="$good"), *bad[at:]]
    batch = parsed(answer(join={"!bad": bad_section, ROOM: joined(*timeline)}))

    (room,) = (room for room in batch.joined if room.room_id == ROOM)
    assert len(room.timeline) == len(timeline)
    good = [fact for fact in room.timeline if fact.event_id == "$good"]
    assert len(good) == 1
    assert isinstance(good[0], TextMessage)


# -- the small answers --


def test_a_page() -> None:
    page = parsing.parse_page(encoded({"chunk": [event(), 5], "end": "e"}), RoomId(ROOM))

    assert page.end == "e"
    assert [type(fact) for fact in page.events] == [TextMessage, MalformedEvent]
    assert parsing.parse_page(b'{"chunk": 5}', RoomId(ROOM)) == parsing.Page((), None)


def test_a_device_may_be_missing() -> None:
    assert parsing.parse_whoami(b'{"user_id": "@b:h"}') == parsing.WhoAmI(UserId("@b:h"), None)


def test_a_login_never_shows_its_token() -> None:
    login = parsing.parse_login(b'{"user_id": "@b:h", "device_id": "D", "access_token": "hush"}')

    assert login.access_token == "hush"
    assert "hush" not in repr(login)


def test_the_default_room_version() -> None:
    capabilities = {"capabilities": {"m.room_versions": {"default": "12"}}}

    assert parsing.parse_default_room_version(encoded(capabilities)) == "12"
    assert parsing.parse_default_room_version(b"{}") == "1"


def test_ids_of_other_kinds_are_left_out_of_sets() -> None:
    assert parsing.parse_joined_rooms(b'{"joined_rooms": ["!a", 5]}') == {"!a"}
    assert parsing.parse_joined_members(b'{"joined": {"@a:h": {}, "": {}}}') == {"@a:h"}


@pytest.mark.parametrize(
    "parse",
    [
        parsing.parse_event_id,
        parsing.parse_room_id,
        parsing.parse_filter_id,
        parsing.parse_whoami,
        parsing.parse_login,
        parsing.parse_joined_rooms,
        parsing.parse_joined_members,
    ],
)
@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>"])
def test_a_yes_without_its_content_is_unreadable(
    parse: Callable[[bytes], object], body: bytes
) -> None:
    with pytest.raises(UnreadableAnswer):
        parse(body)
