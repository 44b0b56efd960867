from __future__ import annotations

import json

import pytest

from lambda_matrix.client_server_api.parsing_events import parse_event
from lambda_matrix.ids import EventId, TransactionId, UserId
from lambda_matrix.matrix_events import (
    EncryptedMessage,
    MalformedEvent,
    MemberChange,
    Membership,
    OtherMessage,
    Redaction,
    StateChange,
    UnknownEvent,
)
from tests.client_server_api.sync_answers import (
    COMMON,
    ROOM_ID,
    Json,
    edit,
    event,
    member,
    state,
    text,
)


def test_an_echo_names_its_transaction() -> None:
    echo = event(unsigned={"transaction_id": "t1", "age": 5})
    assert parse_event(echo, ROOM_ID) == text(transaction_id=TransactionId("t1"))


@pytest.mark.parametrize("odd", ["soon", None, True, 1.5, -(2**60), 2**64, {}])
def test_an_odd_time_is_no_time(odd: object) -> None:
    assert parse_event(event(origin_server_ts=odd), ROOM_ID) == text(origin_server_ts=0)


@pytest.mark.parametrize("kind", ["m.sticker", "m.poll.start", "org.matrix.msc3381.poll.start"])
def test_other_types_that_are_messages(kind: str) -> None:
    assert parse_event(event(kind, {"x": 1}), ROOM_ID) == OtherMessage(kind=kind, **COMMON)


def test_encrypted() -> None:
    encrypted = event("m.room.encrypted", {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"})
    assert parse_event(encrypted, ROOM_ID) == EncryptedMessage(**COMMON)


@pytest.mark.parametrize(
    "redaction",
    [
        event("m.room.redaction", {"redacts": "$gone"}),
        event("m.room.redaction", {}, redacts="$gone"),
        event("m.room.redaction", {"redacts": "$gone"}, redacts="$other"),
    ],
)
def test_redactions_of_every_room_version(redaction: Json) -> None:
    assert parse_event(redaction, ROOM_ID) == Redaction(redacts=EventId("$gone"), **COMMON)


@pytest.mark.parametrize(
    "redacted",
    [
        event(content={}, unsigned={"redacted_because": {"type": "m.room.redaction"}}),
        event(unsigned={"redacted_because": {}}),
        event(content={}),
    ],
)
def test_what_was_redacted_says_nothing(redacted: Json) -> None:
    assert parse_event(redacted, ROOM_ID) == UnknownEvent(
        type="m.room.message", is_redacted=True, **COMMON
    )


@pytest.mark.parametrize("membership", list(Membership))
def test_members(membership: Membership) -> None:
    assert parse_event(member("@b:h", membership.value), ROOM_ID) == MemberChange(
        target=UserId("@b:h"), membership=membership, **COMMON
    )


@pytest.mark.parametrize(
    ("unsigned", "previous"),
    [
        ({"prev_content": {"membership": "join"}}, Membership.JOIN),
        ({"prev_content": {"membership": 7}}, None),
        ({"prev_content": None}, None),
        ({}, None),
    ],
)
def test_a_member_event_tells_what_was_before(unsigned: Json, previous: Membership | None) -> None:
    found = parse_event({**member("@b:h", "join"), "unsigned": unsigned}, ROOM_ID)
    assert isinstance(found, MemberChange)
    assert found.previous is previous


def test_other_state_and_unknown_types() -> None:
    assert parse_event(state("m.room.name", {}), ROOM_ID) == StateChange(
        type="m.room.name", state_key="", **COMMON
    )
    assert parse_event(event("org.example.x", {"a": 1}), ROOM_ID) == UnknownEvent(
        type="org.example.x", **COMMON
    )


def test_a_message_with_a_state_key_is_state() -> None:
    assert parse_event(event(state_key=""), ROOM_ID) == StateChange(
        type="m.room.message", state_key="", **COMMON
    )


def without(key: str, of: Json | None = None) -> Json:
    return {name: value for name, value in (of or event()).items() if name != key}


@pytest.mark.parametrize(
    ("bad", "why", "known_id"),
    [
        ([], "the event is not an object", False),
        (without("event_id"), "the event has no id", False),
        (event(event_id=5), "the event has no id", False),
        (event(event_id="$\ud800"), "the event has no id", False),
        (without("sender"), "the event has no sender", True),
        (without("type"), "the event has no type", True),
        (event(content=None) | {"content": "x"}, "the content is not an object", True),
        (without("content"), "the content is not an object", True),
        (event(state_key=None), "the state key is not a string", True),
        (member("@b:h", "wants"), "the membership is not one", True),
        (member("", "join"), "the membership is not one", True),
        (state("m.room.member", {"membership": []}, "@b:h"), "the membership is not one", True),
        (event("m.room.redaction", {"a": 1}), "the redaction names no event", True),
        (event(content={"body": "x"}), "the message has no msgtype", True),
        (event(content={"msgtype": "m.text", "body": 5}), "the message has no body", True),
        (event(content={"msgtype": []}), "the message has no msgtype", True),
        (edit({}), "the edit has no new content", True),
        (edit([]), "the edit has no new content", True),
        (edit({"msgtype": "m.text"}), "the edit has no new body", True),
        (
            event(content={"m.relates_to": {"rel_type": "m.replace"}}),
            "the edit names no event",
            True,
        ),
    ],
)
def test_malformed_events_keep_their_text(bad: object, why: str, *, known_id: bool) -> None:
    event_id = EventId("$event") if known_id else None
    assert parse_event(bad, ROOM_ID) == MalformedEvent(ROOM_ID, event_id, why, json.dumps(bad))
