import json

import pytest
from attrs import evolve
from hypothesis import given, strategies as st

from lambda_matrix.ids import EventId, InstanceId, RequestId
from lambda_matrix.matrix_events import ANSWER_KEY, AnswerMark, AnswerState
from lambda_matrix.surface.writing.content import (
    ENVELOPE,
    EVENT_LIMIT,
    Content,
    as_edit,
    as_final_edit,
    encode,
    event_size,
    fits,
    mark_content,
    notice,
    plain_of_edit,
    text_message,
    with_replacement,
)
from lambda_matrix.surface.writing.rendering import Rendered, render

QUESTION = EventId("$question")
ROOT = EventId("$root")
MARK = AnswerMark(
    question=QUESTION,
    request=RequestId("r1"),
    part=0,
    state=AnswerState.FINAL,
    instance=InstanceId("1-a"),
)


def decode(content: bytes) -> Content:
    decoded: Content = json.loads(content)
    return decoded


def test_a_plain_message() -> None:
    assert text_message(Rendered("hello"), MARK) == {
        "msgtype": "m.text",
        "body": "hello",
        "m.mentions": {},
        ANSWER_KEY: {
            "question": "$question",
            "request": "r1",
            "part": 0,
            "parts": 1,
            "state": "final",
            "instance": "1-a",
        },
    }


def test_a_formatted_message_has_both_texts() -> None:
    content = text_message(render("**hello**"), MARK)
    assert content["body"] == "**hello**"
    assert content["format"] == "org.matrix.custom.html"
    assert content["formatted_body"] == "<strong>hello</strong>"


def test_a_notice_is_given_as_markdown() -> None:
    content = notice("see [here](https://example.org)", MARK, reply_to=QUESTION)
    assert content["msgtype"] == "m.notice"
    assert content["formatted_body"] == 'see <a href="https://example.org">here</a>'
    assert content["m.relates_to"] == {"m.in_reply_to": {"event_id": QUESTION}}


@pytest.mark.parametrize(
    ("reply_to", "expected"), [(None, EventId("$thread")), (QUESTION, QUESTION)]
)
def test_a_message_in_a_thread_is_a_reply_too(reply_to: EventId | None, expected: EventId) -> None:
    content = text_message(Rendered("x"), MARK, reply_to=reply_to, thread=EventId("$thread"))
    assert content["m.relates_to"] == {
        "rel_type": "m.thread",
        "event_id": "$thread",
        "is_falling_back": reply_to is None,
        "m.in_reply_to": {"event_id": expected},
    }


def test_a_mark_of_nothing_asked() -> None:
    assert mark_content(evolve(MARK, question=None))["question"] is None


def test_an_edit_has_the_mark_twice_and_no_reply() -> None:
    content = text_message(render("**x**"), MARK, reply_to=QUESTION)
    edit = decode(with_replacement(encode(as_edit(content)), ROOT))
    new_content = {key: value for key, value in content.items() if key != "m.relates_to"}
    assert edit == {
        "msgtype": "m.text",
        "body": "* **x**",
        "m.mentions": {},
        ANSWER_KEY: mark_content(MARK),
        "m.new_content": new_content,
        "m.relates_to": {"rel_type": "m.replace", "event_id": ROOT},
    }


def test_the_last_edit_is_formatted_for_clients_without_edits_too() -> None:
    content = text_message(render("**x**"), MARK)
    formatted = {"format": "org.matrix.custom.html", "formatted_body": "* <strong>x</strong>"}
    assert as_final_edit(content) == {**as_edit(content), **formatted}
    plain = text_message(Rendered("x"), MARK)
    assert as_final_edit(plain) == as_edit(plain)


def test_a_last_edit_that_would_be_too_large_is_not_formatted_twice() -> None:
    content = text_message(render("**x** " + "y" * 18_000), MARK)
    assert fits(content)
    assert as_final_edit(content) == as_edit(content)


def test_an_edit_whose_root_is_lost_becomes_a_message() -> None:
    content = text_message(render("**x**"), MARK)
    assert plain_of_edit(encode(as_edit(content))) == encode(content)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_the_same_content_gives_the_same_bytes(text: str) -> None:
    content = text_message(render(text), MARK)
    shuffled: Content = dict(reversed(content.items()))
    assert encode(content) == encode(shuffled)
    assert decode(encode(content)) == content
    edit = encode(as_edit(content))
    assert with_replacement(edit, ROOT) == with_replacement(encode(as_edit(shuffled)), ROOT)


def test_size_is_measured_in_bytes_of_the_edit() -> None:
    content = text_message(Rendered("ж" * 1000), MARK)
    assert event_size(content) == len(encode(content)) + ENVELOPE
    assert 4000 < event_size(as_edit(content)) - ENVELOPE < 5000


def test_what_fits_as_a_message_alone_does_not_fit() -> None:
    content = text_message(Rendered("x" * 40_000), MARK)
    assert event_size(content) < EVENT_LIMIT
    assert not fits(content)
    assert fits(text_message(Rendered("x" * 29_000), MARK))
