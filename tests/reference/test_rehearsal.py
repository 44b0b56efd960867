from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lambda_matrix.reference import samples
from lambda_matrix.reference.rehearsal import WORDS, echo, find_word, rehearse, resume
from lambda_matrix.reference.run_input import Attachment, Decision, Message
from lambda_matrix.reference.steps import (
    Ask,
    BareFrame,
    BreakOff,
    Fail,
    Pause,
    Question,
    Silence,
    Step,
    WriteFile,
)
from lambda_matrix.reference.wire import Custom, TextContent, ToolStart


def question(text: str, *before: str, **more: Any) -> Question:
    earlier = tuple(Message(f"${n}", "user", one) for n, one in enumerate(before))
    newest = Message("$new", "user", text)
    fields: dict[str, Any] = {
        "text": text,
        "attachments": (),
        "conversation": (*earlier, Message("a", "assistant", "Aha"), newest),
        "message_id": "$new",
        "thread_id": "7",
        "key": "q",
        "pace": 0.5,
        "workspace": Path("/workspace"),
    }
    return Question(**(fields | more))


def said(steps: Sequence[Step]) -> str:
    return "".join(step.delta for step in steps if isinstance(step, TextContent))


def test_an_answer_shows_what_came_and_what_is_remembered() -> None:
    assert said(list(rehearse(question("Hello")))) == (
        "You said: Hello\n\nThis is message 1 of this conversation (thread 7); "
        "before it there was nothing."
    )
    assert said(list(rehearse(question("And\nthen?", "Hello", "x" * 300)))) == (
        "You said: And\nthen?\n\nThis is message 3 of this conversation (thread 7); "
        f"before it you said: {'x' * 199}…"
    )


def test_an_answer_names_the_attachments() -> None:
    files = (Attachment("image", "7/a.png", "image/png"), Attachment("document", ""))
    text = said(list(rehearse(question("Look", attachments=files))))
    assert "- image: `7/a.png` (image/png)\n- document: inline (of unknown type)" in text


def test_nothing_said_is_answered_too() -> None:
    assert said(list(rehearse(question("")))).startswith("You said: \n")
    assert said(list(rehearse(question("  ")))).startswith("You said:   \n")


def test_every_word_is_listed_and_found_by_each_of_its_names() -> None:
    text = said(list(rehearse(question("help"))))
    names = [name for word in WORDS for name in word.names]
    assert len(names) == len(set(names))
    for word in WORDS:
        assert all(f"`{name}`" in text for name in word.names)
        assert all(find_word(f"{name.capitalize()}: and more") is word for name in word.names)
    assert find_word("Please help") is None


def test_slow_takes_the_pace_or_the_time_that_is_asked_for() -> None:
    pauses = [s.seconds for s in rehearse(question("slow")) if isinstance(s, Pause)]
    assert set(pauses) == {0.5}
    pauses = [s.seconds for s in rehearse(question("медленно 1,5 с")) if isinstance(s, Pause)]
    assert sum(pauses) == pytest.approx(1.5)
    steps = list(rehearse(question("slow")))
    assert said(steps).startswith("You said: slow\n\nThis is message 1")


@pytest.mark.parametrize("number", ["nan", "inf", "-1", "0", "soon", ""])
def test_what_is_no_time_is_no_time(number: str) -> None:
    pauses = [s.seconds for s in rehearse(question(f"slow {number}")) if isinstance(s, Pause)]
    assert set(pauses) == {0.5}


def test_a_tool_is_used_for_as_long_as_is_asked() -> None:
    steps = list(rehearse(question("tool 2")))
    assert steps[0] == ToolStart("q-call", "count_words")
    assert Pause(2.0) in steps
    assert said(steps) == "The tool `count_words` has counted: **2**."


def test_confirm_asks_so_many_times_with_ids_of_the_request() -> None:
    *_, ask = rehearse(question("confirm 3"))
    assert isinstance(ask, Ask)
    assert [one.id for one in ask.interrupts] == [f"q-confirm-{n}" for n in (1, 2, 3)]
    *_, ask = rehearse(question("confirm 0.5"))
    assert isinstance(ask, Ask)
    assert len(ask.interrupts) == 1


def test_a_decision_is_told() -> None:
    decisions = [Decision("i", approved=True), Decision("j", approved=False, reason="no")]
    assert said(list(resume(question(""), decisions))) == (
        "Decided:\n\n- `i`: done\n- `j`: left alone (no)"
    )


def test_a_file_lies_in_the_threads_folder_and_a_repeat_names_it_alike() -> None:
    steps = list(rehearse(question("file", "Hello")))
    assert isinstance(steps[0], WriteFile)
    assert steps[0].path == "7/rehearsal-2.txt"
    assert steps[-1] == Custom("file", {"path": "7/rehearsal-2.txt", "caption": "Rehearsal file 2"})
    assert list(rehearse(question("file", "Hello"))) == steps
    assert "no workspace" in said(list(rehearse(question("file", workspace=None))))


def test_recall_lists_both_sides() -> None:
    text = said(list(rehearse(question("recall", "Hello"))))
    assert text.endswith("1. user: Hello\n2. assistant: Aha\n3. user: recall")


def test_the_ways_to_end_badly() -> None:
    assert list(rehearse(question("hang"))) == [Silence()]
    assert isinstance(list(rehearse(question("break")))[-1], BreakOff)
    assert isinstance(next(rehearse(question("garbage"))), BareFrame)
    (fail,) = rehearse(question("fail"))
    assert fail == Fail("this failure was asked for", "rehearsed")


@pytest.mark.parametrize("text", ["table", "code", "math", "surrogate"])
def test_samples_are_said_as_they_are(text: str) -> None:
    assert said(list(rehearse(question(text)))) == getattr(samples, text.upper())


@pytest.mark.parametrize(("text", "size"), [("long", 100_000), ("long 3", 3000)])
def test_a_long_answer_is_as_long_as_asked_with_whole_blocks(text: str, size: int) -> None:
    answer = said(list(rehearse(question(text))))
    assert size <= len(answer.encode()) < size + 2500
    assert answer.count("```") % 2 == 0


def test_an_echo_is_one_piece() -> None:
    assert said(list(echo(question("Hello there")))) == "Hello there"
    assert len(list(echo(question("Hello there")))) == 3
    assert len(list(echo(question("")))) == 2
