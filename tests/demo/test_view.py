from __future__ import annotations

from lambda_matrix.demo.bare_http import Json
from lambda_matrix.demo.view import RoomView, find_answer, fold_messages
from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.matrix_events import ANSWER_KEY

ANNA, BOT = UserId("@anna:x"), UserId("@bot:x")


def message(event_id: str, body: str, more: Json | None = None, sender: str = BOT) -> Json:
    content = {"msgtype": "m.text", "body": body, **(more or {})}
    return {"type": "m.room.message", "event_id": event_id, "sender": sender, "content": content}


def edit(event_id: str, of: str, body: str, more: Json | None = None, sender: str = BOT) -> Json:
    relations: Json = {
        "m.new_content": {"msgtype": "m.text", "body": body, **(more or {})},
        "m.relates_to": {"rel_type": "m.replace", "event_id": of},
    }
    return message(event_id, f"* {body}", relations, sender)


def mark(question: str | None, part: int = 0, state: str = "final", parts: int = 1) -> Json:
    given: Json = {"question": question, "request": "r", "part": part, "state": state}
    return {ANSWER_KEY: {**given, "parts": parts, "instance": "i"}}


def test_an_edit_replaces_the_text_and_keeps_the_place() -> None:
    first, second = fold_messages(
        [message("$1", "a"), message("$2", "b"), edit("$3", "$1", "a2"), edit("$4", "$1", "a3")]
    )
    assert (first.event_id, first.body, first.versions) == ("$1", "a3", ("a", "a2", "a3"))
    assert second.body == "b"


def test_an_edit_by_somebody_else_counts_for_nothing() -> None:
    (only,) = fold_messages(
        [message("$1", "a"), edit("$2", "$1", "z", sender=ANNA), edit("$3", "$9", "z")]
    )
    assert only.versions == ("a",)


def test_an_edit_of_what_is_not_there_counts_for_nothing() -> None:
    assert fold_messages([edit("$3", "$9", "z")]) == ()


def test_a_redacted_message_has_no_text_and_takes_no_edits() -> None:
    gone: Json = {
        "type": "m.room.redaction",
        "event_id": "$2",
        "sender": BOT,
        "redacts": "$1",
        "content": {},
    }
    (only,) = fold_messages([message("$1", "a"), gone, edit("$3", "$1", "b")])
    assert (only.redacted, only.body) == (True, "")


def test_an_answer_is_final_when_all_its_parts_are() -> None:
    events = [
        message("$q", "why?", sender=ANNA),
        message("$1", "one", mark("$q", 0, "open")),
        edit("$2", "$1", "one!", mark("$q", 0, parts=2)),
    ]
    answer = find_answer(fold_messages(events), EventId("$q"), BOT)
    assert answer is not None
    assert (answer.text, answer.is_final, answer.previews) == ("one!", False, 1)
    events.append(message("$3", "two!", mark("$q", 1, parts=2)))
    answer = find_answer(fold_messages(events), EventId("$q"), BOT)
    assert answer is not None
    assert (answer.text, answer.is_final) == ("one!\n\ntwo!", True)


def test_a_second_root_for_one_part_is_told_as_doubled() -> None:
    events = [message("$1", "one", mark("$q")), message("$2", "one", mark("$q"))]
    answer = find_answer(fold_messages(events), EventId("$q"), BOT)
    assert answer is not None
    assert [part.event_id for part in answer.parts] == ["$1"]
    assert [part.event_id for part in answer.doubled] == ["$2"]


def test_a_mark_counts_from_the_bot_only() -> None:
    events = [message("$1", "one", mark("$q"), ANNA)]
    assert find_answer(fold_messages(events), EventId("$q"), BOT) is None


def test_odd_events_are_passed_over() -> None:
    odd: list[Json] = [
        {},
        {"type": "m.room.message", "event_id": 5, "sender": BOT},
        {"type": "m.room.message", "event_id": "$1", "sender": BOT, "content": []},
        message("$2", "text", {ANSWER_KEY: {"part": "0"}}),
    ]
    assert [said.body for said in fold_messages(odd)] == ["", "text"]


def test_the_room_view_folds_state_typing_and_receipts() -> None:
    view = RoomView(RoomId("!r"))
    view.add_state(
        [
            {"type": "m.room.create", "state_key": "", "content": {"type": "m.space"}},
            {"type": "m.room.name", "state_key": "", "content": {"name": "Chats"}},
            {"type": "m.space.child", "state_key": "!a", "content": {"via": ["x"]}},
            {"type": "m.space.child", "state_key": "!b", "content": {}},
            {"type": "m.room.name", "content": {"name": "no state key"}},
        ]
    )
    view.add_ephemeral(
        [
            {"type": "m.typing", "content": {"user_ids": [BOT]}},
            {"type": "m.receipt", "content": {"$1": {"m.read": {BOT: {"ts": 1}}}}},
        ]
    )
    assert view.is_space
    assert view.name == "Chats"
    assert view.children == frozenset({RoomId("!a")})
    assert view.typing == frozenset({BOT})
    assert view.receipts == {BOT: EventId("$1")}
    view.add_ephemeral([{"type": "m.typing", "content": {"user_ids": []}}])
    assert not view.typing
    assert view.typed == {BOT}


def test_an_event_is_taken_once() -> None:
    view = RoomView(RoomId("!r"))
    view.add_timeline([message("$1", "a"), message("$1", "a")])
    view.add_timeline([message("$1", "a")])
    assert len(view.messages) == 1
