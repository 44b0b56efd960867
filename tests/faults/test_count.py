"""The counting itself: each kind of wrong is seen."""

from __future__ import annotations

import pytest

from lambda_matrix.demo.view import Message
from lambda_matrix.ids import EventId, InstanceId, RequestId, UserId
from lambda_matrix.matrix_events import AnswerMark, AnswerState
from tests.faults.count import Asked, Tally, count_room

ANNA, BOT = UserId("@anna:x"), UserId("@bot:x")
ASKED = (
    Asked.question(EventId("$q1"), "q1-1", 1),
    Asked.question(EventId("$q2"), "q1-2", 2),
)
QUESTIONS = [Message(asked.event_id, ANNA, "m.text", (asked.text,)) for asked in ASKED]


def answer(
    event_id: str, to: str, text: str, number: int, state: AnswerState = AnswerState.FINAL
) -> Message:
    mark = AnswerMark(EventId(to), RequestId("r"), 0, state, InstanceId("i"))
    body = f"You said: {text}\n\nThis is message {number} of this conversation (thread 1)"
    return Message(EventId(event_id), BOT, "m.text", (body,), mark=mark)


RIGHT = [answer("$a1", "$q1", "q1-1", 1), answer("$a2", "$q2", "q1-2", 2)]


def test_all_right() -> None:
    tally = count_room([*QUESTIONS, *RIGHT], ASKED, ["q2-1"], BOT)
    assert tally == Tally(asked=2, answered=2)
    assert tally.is_clean


@pytest.mark.parametrize(
    ("answers", "wrong"),
    [
        (RIGHT[:1], Tally(asked=2, answered=1, lost=1)),
        (
            [RIGHT[0], answer("$a2", "$q2", "q1-2", 2, AnswerState.OPEN)],
            Tally(asked=2, answered=1, lost=1),
        ),
        ([*RIGHT, answer("$a3", "$q2", "?", 2)], Tally(asked=2, answered=2, doubled=1)),
        (RIGHT[::-1], Tally(asked=2, answered=2, out_of_order=1)),
        (
            [*RIGHT, answer("$a3", "$elsewhere", "?", 1)],
            Tally(asked=2, answered=2, wrong_room=1),
        ),
        (
            [*RIGHT, Message(EventId("$a3"), BOT, "m.text", ("q2-1",))],
            Tally(asked=2, answered=2, wrong_room=1),
        ),
        (
            [RIGHT[0], answer("$a2", "$q2", "q1-2", 3)],
            Tally(asked=2, answered=2, wrong_text=1),
        ),
    ],
)
def test_each_wrong_is_seen(answers: list[Message], wrong: Tally) -> None:
    tally = count_room([*QUESTIONS, *answers], ASKED, ["q2-1"], BOT)
    assert tally == wrong
    assert not tally.is_clean


def test_what_is_said_a_second_time_without_a_mark_is_doubled() -> None:
    again = Message(EventId("$a3"), BOT, "m.text", (RIGHT[0].body,))
    tally = count_room([*QUESTIONS, *RIGHT, again], ASKED, [], BOT)
    assert tally == Tally(asked=2, answered=2, doubled=1)


def test_an_excuse_is_an_answer_only_where_a_fault_excuses() -> None:
    sorry = answer("$a2", "$q2", "q1-2", 2)
    sorry = Message(sorry.event_id, BOT, "m.text", ("I could not.",), mark=sorry.mark)
    messages = [*QUESTIONS, RIGHT[0], sorry]
    assert count_room(messages, ASKED, [], BOT).wrong_text == 1
    tally = count_room(messages, ASKED, [], BOT, excuse="I could not")
    assert tally == Tally(asked=2, answered=2, excused=1)
    assert tally.is_clean


@pytest.mark.parametrize(
    ("files", "tally"),
    [
        (0, Tally(asked=1, answered=1, lost=1)),
        (1, Tally(asked=1, answered=1)),
        (2, Tally(asked=1, answered=1, doubled=1)),
    ],
)
def test_files_are_counted(files: int, tally: Tally) -> None:
    asked = Asked(EventId("$q1"), "file png", "Here", files=1)
    said = Message(EventId("$a1"), BOT, "m.text", ("Here",), mark=RIGHT[0].mark)
    mark = AnswerMark(asked.event_id, RequestId("file:r"), 0, AnswerState.FINAL, InstanceId("i"))
    given = [
        Message(EventId(f"$f{number}"), BOT, "m.file", ("a.png",), mark=mark)
        for number in range(files)
    ]
    assert count_room([said, *given], [asked], [], BOT) == tally


def test_a_file_is_missing_with_an_excuse_where_anything_may_be() -> None:
    asked = Asked(EventId("$q1"), "file png", "Here", files=1)
    said = Message(EventId("$a1"), BOT, "m.text", ("Here",), mark=RIGHT[0].mark)
    tally = count_room([said], [asked], [], BOT, excuse="")
    assert tally == Tally(asked=1, answered=1, excused=1)
