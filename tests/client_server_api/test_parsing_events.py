from __future__ import annotations

import json
from typing import Any

import pytest

from lambda_matrix.client_server_api.parsing_events import (
    parse_answer_mark,
    parse_event,
    without_reply_fallback,
)
from lambda_matrix.ids import EventId, InstanceId, RequestId, RoomId, TransactionId, UserId
from lambda_matrix.matrix_events import (
    ANSWER_KEY,
    AnswerMark,
    AnswerState,
    EncryptedMessage,
    MalformedEvent,
    MemberChange,
    Membership,
    OtherMessage,
    Redaction,
    StateChange,
    TextMessage,
    UnknownEvent,
)
from tests.client_server_api.sync_answers import ANNA, ROOM, Json, event, member, state

ROOM_ID = RoomId(ROOM)
COMMON: Any = {
    "room_id": ROOM_ID,
    "event_id": EventId("$event"),
    "sender": UserId(ANNA),
    "origin_server_ts": 1_700_000_000_000,
}
MARK = AnswerMark(
    question=EventId("$q"),
    request=RequestId("r1"),
    part=1,
    state=AnswerState.FINAL,
    instance=InstanceId("i1"),
    parts=2,
)
MARK_JSON: Json = {
    "question": "$q",
    "request": "r1",
    "part": 1,
    "parts": 2,
    "state": "final",
    "instance": "i1",
}


def text(**more: Any) -> TextMessage:
    return TextMessage(**{"msgtype": "m.text", "body": "hello", **COMMON, **more})


@pytest.mark.parametrize("msgtype", ["m.text", "m.notice", "m.emote"])
def test_texts(msgtype: str) -> None:
    content = {"msgtype": msgtype, "body": "hello"}
    assert parse_event(event(content=content), ROOM_ID) == text(msgtype=msgtype)


def test_an_echo_names_its_transaction() -> None:
    echo = event(unsigned={"transaction_id": "t1", "age": 5})
    assert parse_event(echo, ROOM_ID) == text(transaction_id=TransactionId("t1"))


@pytest.mark.parametrize("odd", ["soon", None, True, 1.5, -(2**60), 2**64, {}])
def test_an_odd_time_is_no_time(odd: object) -> None:
    assert parse_event(event(origin_server_ts=odd), ROOM_ID) == text(origin_server_ts=0)


def test_mentions() -> None:
    content = {
        "msgtype": "m.text",
        "body": "hello",
        "m.mentions": {"user_ids": ["@bot:h", 5, "", "@b:h"], "room": True},
    }
    assert parse_event(event(content=content), ROOM_ID) == text(
        mentions=frozenset({UserId("@bot:h"), UserId("@b:h")})
    )


@pytest.mark.parametrize(
    ("relation", "more"),
    [
        ({"m.in_reply_to": {"event_id": "$other"}}, {"in_reply_to": "$other"}),
        ({"rel_type": "m.thread", "event_id": "$root"}, {"thread_root": "$root"}),
        (
            {
                "rel_type": "m.thread",
                "event_id": "$root",
                "is_falling_back": True,
                "m.in_reply_to": {"event_id": "$last"},
            },
            {"thread_root": "$root"},
        ),
        (
            {
                "rel_type": "m.thread",
                "event_id": "$root",
                "is_falling_back": False,
                "m.in_reply_to": {"event_id": "$other"},
            },
            {"thread_root": "$root", "in_reply_to": "$other"},
        ),
        ({"rel_type": "m.thread"}, {}),
        ({"rel_type": "org.example", "event_id": "$x"}, {}),
        ({"m.in_reply_to": "$other"}, {}),
        ("nonsense", {}),
    ],
)
def test_relations(relation: object, more: dict[str, str]) -> None:
    content = {"msgtype": "m.text", "body": "hello", "m.relates_to": relation}
    assert parse_event(event(content=content), ROOM_ID) == text(**more)


@pytest.mark.parametrize(
    ("body", "stripped"),
    [
        ("> <@a:h> said\n> more\n\nanswer\n> mine", "answer\n> mine"),
        ("> * <@a:h> waves\n\nanswer", "answer"),
        ("> <@a:h> said\nanswer", "answer"),
        ("> <@a:h> said\n> only", ""),
        ("> quoted by hand\n\nanswer", "> quoted by hand\n\nanswer"),
        ("answer", "answer"),
    ],
)
def test_the_fallback_of_a_reply_is_stripped(body: str, stripped: str) -> None:
    assert without_reply_fallback(body) == stripped


def test_the_fallback_is_stripped_only_of_replies() -> None:
    quoting = "> <@a:h> said\n\nanswer"
    content = {"msgtype": "m.text", "body": quoting}
    reply = {**content, "m.relates_to": {"m.in_reply_to": {"event_id": "$o"}}}

    assert parse_event(event(content=content), ROOM_ID) == text(body=quoting)
    assert parse_event(event(content=reply), ROOM_ID) == text(body="answer", in_reply_to="$o")


def edit(newer: object, **more: object) -> Json:
    return event(
        content={
            "msgtype": "m.text",
            "body": "* newer",
            "m.relates_to": {"rel_type": "m.replace", "event_id": "$first"},
            "m.new_content": newer,
            **more,
        }
    )


def test_an_edit_is_its_new_content() -> None:
    newer = {"msgtype": "m.notice", "body": "newer", "m.mentions": {"user_ids": ["@b:h"]}}
    assert parse_event(edit(newer, **{"m.mentions": {}}), ROOM_ID) == text(
        msgtype="m.notice", body="newer", replaces="$first", mentions=frozenset({UserId("@b:h")})
    )


def test_an_edit_has_the_mark_of_its_new_content_first() -> None:
    newer = {"msgtype": "m.text", "body": "newer"}
    older_mark = {**MARK_JSON, "state": "open"}

    both = parse_event(edit({**newer, ANSWER_KEY: MARK_JSON}, **{ANSWER_KEY: older_mark}), ROOM_ID)
    outer = parse_event(edit(newer, **{ANSWER_KEY: MARK_JSON}), ROOM_ID)

    assert isinstance(both, TextMessage)
    assert isinstance(outer, TextMessage)
    assert both.answer == outer.answer == MARK


def test_an_edited_caption_is_no_second_picture() -> None:
    edited = edit({"msgtype": "m.image", "body": "caption", "url": "mxc://h/x"})
    assert parse_event(edited, ROOM_ID) == UnknownEvent(type="m.room.message", **COMMON)


@pytest.mark.parametrize("msgtype", ["m.image", "m.file", "m.location", "org.example.custom"])
def test_other_messages(msgtype: str) -> None:
    content = {"msgtype": msgtype, "body": "cat.png"}
    assert parse_event(event(content=content), ROOM_ID) == OtherMessage(
        kind=msgtype, body="cat.png", **COMMON
    )


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
    assert parse_event(redacted, ROOM_ID) == UnknownEvent(type="m.room.message", **COMMON)


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


def test_a_lone_surrogate_in_a_text_is_replaced() -> None:
    content = {"msgtype": "m.text", "body": "a\ud800b"}
    assert parse_event(event(content=content), ROOM_ID) == text(body="a\ufffdb")


def test_the_mark_of_an_answer() -> None:
    assert parse_answer_mark(MARK_JSON) == MARK
    assert parse_answer_mark({**MARK_JSON, "question": None, "parts": 2}) == AnswerMark(
        None, RequestId("r1"), 1, AnswerState.FINAL, InstanceId("i1"), 2
    )
    assert parse_answer_mark({**without("parts", MARK_JSON), "part": 0}) == AnswerMark(
        EventId("$q"), RequestId("r1"), 0, AnswerState.FINAL, InstanceId("i1"), 1
    )


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "final",
        {},
        {**MARK_JSON, "question": 5},
        {**MARK_JSON, "request": ""},
        {**MARK_JSON, "part": -1},
        {**MARK_JSON, "part": 2},
        {**MARK_JSON, "part": True},
        {**MARK_JSON, "parts": "2"},
        {**MARK_JSON, "state": "closed"},
        {**MARK_JSON, "state": []},
        {**MARK_JSON, "instance": None},
    ],
)
def test_a_mark_that_is_not_ours_is_none(bad: object) -> None:
    assert parse_answer_mark(bad) is None
