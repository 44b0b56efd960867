from __future__ import annotations

from typing import Any

import pytest

from lambda_matrix.client_server_api.parsing_events import parse_event
from lambda_matrix.client_server_api.parsing_messages import (
    parse_answer_mark,
    without_reply_fallback,
)
from lambda_matrix.ids import EventId, InstanceId, RequestId, UserId
from lambda_matrix.matrix_events import (
    ANSWER_KEY,
    AnswerMark,
    AnswerState,
    InvokedCommand,
    MediaMessage,
    OtherMessage,
    TextMessage,
    UnknownEvent,
)
from tests.client_server_api.sync_answers import (
    COMMON,
    ROOM_ID,
    Json,
    edit,
    event,
    text,
)

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


@pytest.mark.parametrize("msgtype", ["m.text", "m.notice", "m.emote"])
def test_texts(msgtype: str) -> None:
    content = {"msgtype": msgtype, "body": "hello"}
    assert parse_event(event(content=content), ROOM_ID) == text(msgtype=msgtype)


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


@pytest.mark.parametrize("msgtype", ["m.location", "org.example.custom"])
def test_other_messages(msgtype: str) -> None:
    content = {"msgtype": msgtype, "body": "cat.png"}
    assert parse_event(event(content=content), ROOM_ID) == OtherMessage(
        kind=msgtype, body="cat.png", **COMMON
    )


def test_a_lone_surrogate_in_a_text_is_replaced() -> None:
    content = {"msgtype": "m.text", "body": "a\ud800b"}
    assert parse_event(event(content=content), ROOM_ID) == text(body="a\ufffdb")


def test_the_mark_of_an_answer() -> None:
    assert parse_answer_mark(MARK_JSON) == MARK
    assert parse_answer_mark({**MARK_JSON, "question": None, "parts": 2}) == AnswerMark(
        None, RequestId("r1"), 1, AnswerState.FINAL, InstanceId("i1"), 2
    )
    assert parse_answer_mark(
        {**{k: v for k, v in MARK_JSON.items() if k != "parts"}, "part": 0}
    ) == AnswerMark(EventId("$q"), RequestId("r1"), 0, AnswerState.FINAL, InstanceId("i1"), 1)


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


def media(**more: Any) -> MediaMessage:
    return MediaMessage(
        **{
            "msgtype": "m.image",
            "filename": "cat.png",
            "url": "mxc://example.org/abc_-1",
            **COMMON,
            **more,
        }
    )


MEDIA: Json = {"msgtype": "m.image", "body": "cat.png", "url": "mxc://example.org/abc_-1"}


@pytest.mark.parametrize("msgtype", ["m.image", "m.audio", "m.video", "m.file"])
def test_files(msgtype: str) -> None:
    content = {**MEDIA, "msgtype": msgtype, "info": {"mimetype": "image/png", "size": 7}}
    assert parse_event(event(content=content), ROOM_ID) == media(
        msgtype=msgtype, mimetype="image/png", size=7
    )


@pytest.mark.parametrize(
    ("more", "fact"),
    [
        ({"filename": "cat.png"}, {}),
        ({"filename": ""}, {}),
        ({"filename": 5}, {}),
        ({"filename": "a.png"}, {"filename": "a.png", "caption": "cat.png"}),
        ({"filename": "a.png", "body": ""}, {"filename": "a.png"}),
        ({"filename": "a.png", "body": None}, {"filename": "a.png"}),
        ({"body": None}, {"filename": ""}),
        (
            {
                "filename": "a.png",
                "body": "> <@a:h> said\n\nlook",
                "m.relates_to": {"m.in_reply_to": {"event_id": "$other"}},
            },
            {"filename": "a.png", "caption": "look", "in_reply_to": "$other"},
        ),
        (
            {
                "filename": "a.png",
                "body": "> <@a:h> said",
                "m.relates_to": {"m.in_reply_to": {"event_id": "$other"}},
            },
            {"filename": "a.png", "in_reply_to": "$other"},
        ),
        ({"info": {"size": -1, "mimetype": 5}}, {}),
        ({"info": {"size": 2**60}}, {}),
        ({"info": "nonsense"}, {}),
        ({"org.matrix.msc3245.voice": {}}, {"is_voice": True}),
        ({"m.voice": {}}, {"is_voice": True}),
        ({"m.mentions": {"user_ids": ["@b:h"]}}, {"mentions": frozenset({"@b:h"})}),
        (
            {"m.relates_to": {"rel_type": "m.thread", "event_id": "$root"}},
            {"thread_root": "$root"},
        ),
        ({"file": {"url": "mxc://h/x"}, "url": None}, {"url": None}),
        ({"file": {"url": "mxc://h/x"}}, {"url": None}),
    ],
)
def test_what_is_said_of_a_file(more: Json, fact: Json) -> None:
    assert parse_event(event(content={**MEDIA, **more}), ROOM_ID) == media(**fact)


@pytest.mark.parametrize(
    "url", [None, 5, "", "http://h/x", "mxc://h", "mxc://h/", "mxc://h/../x", "mxc://../x"]
)
def test_a_file_without_an_address_is_only_something_said(url: object) -> None:
    content = {**MEDIA, "url": url}
    assert parse_event(event(content=content), ROOM_ID) == OtherMessage(
        kind="m.image", body="cat.png", **COMMON
    )


def bundled(**more: object) -> Json:
    """An event with its newest edit, as a homeserver tells of it."""
    newest = {
        **edit({"msgtype": "m.text", "body": "newest", ANSWER_KEY: MARK_JSON}),
        "event_id": "$second",
        **more,
    }
    return event(event_id="$first", unsigned={"m.relations": {"m.replace": newest}})


def test_the_newest_edit_comes_with_the_event() -> None:
    assert parse_event(bundled(), ROOM_ID) == text(
        event_id="$first", newest_body="newest", newest_answer=MARK
    )


@pytest.mark.parametrize(
    "more",
    [
        {"sender": "@mallory:h"},
        {"type": "m.sticker"},
        {"state_key": ""},
        {"content": {}},
        {"content": None},
        {"content": edit({"msgtype": "m.image", "body": "x"})["content"]},
        {"content": edit({"msgtype": "m.text"})["content"]},
        {
            "content": {
                **edit({"msgtype": "m.text", "body": "x"})["content"],
                "m.relates_to": {"rel_type": "m.replace", "event_id": "$another"},
            }
        },
    ],
)
def test_an_edit_that_breaks_the_rules_does_not_count(more: Json) -> None:
    assert parse_event(bundled(**more), ROOM_ID) == text(event_id="$first")


@pytest.mark.parametrize("key", ["org.matrix.msc4391.command", "m.bot.command"])
def test_a_command_that_the_client_spelled_out(key: str) -> None:
    arguments = {
        "name": "a b",
        "count": 42,
        "all": True,
        "none": False,
        "room": {"type": "room_id", "id": "!r:h", "via": ["h"]},
        "people": ["@a:h", {"x": 1}, 7],
        "odd": 1.5,
        "nothing": None,
    }
    content = {"msgtype": "m.text", "body": "/x", key: {"command": "new", "arguments": arguments}}
    assert parse_event(event(content=content), ROOM_ID) == text(
        body="/x",
        command=InvokedCommand(
            "new",
            (
                ("name", "a b"),
                ("count", "42"),
                ("all", "true"),
                ("none", "false"),
                ("room", "!r:h"),
                ("people", "@a:h 7"),
            ),
        ),
    )


@pytest.mark.parametrize("bad", [None, "new", {}, {"command": 5}, {"command": ""}])
def test_a_command_without_a_name_is_none(bad: object) -> None:
    content = {"msgtype": "m.text", "body": "hello", "org.matrix.msc4391.command": bad}
    assert parse_event(event(content=content), ROOM_ID) == text()
