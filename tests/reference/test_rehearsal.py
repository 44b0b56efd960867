import io
import json
import wave
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
    Spend,
    Step,
    WriteFile,
)
from lambda_matrix.reference.wire import (
    Custom,
    StateSnapshot,
    TextContent,
    TextStart,
    ToolStart,
    Usage,
)
from lambda_matrix.reference.workspace import Arrival


def question(text: str, *before: str, **more: Any) -> Question:
    earlier = tuple(Message(f"${n}", "user", one) for n, one in enumerate(before))
    newest = Message("$new", "user", text)
    fields: dict[str, Any] = {
        "text": text,
        "arrivals": (),
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
    files = (
        Arrival(Attachment("image", "chats/7/a.png", "image/png"), 12, "1234abcd"),
        Arrival(Attachment("document", ""), fault="no such file or directory"),
    )
    text = said(list(rehearse(question("Look", arrivals=files))))
    assert text.endswith(
        "- image: `chats/7/a.png` (image/png): 12 bytes, sha256 1234abcd\n"
        "- document: inline (of unknown type): no such file or directory"
    )


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
    *_, ask = rehearse(question("confirm"))
    assert isinstance(ask, Ask)
    assert len(ask.interrupts) == 1
    *_, ask = rehearse(question("confirm 0.5"))
    assert isinstance(ask, Ask)
    assert len(ask.interrupts) == 1


def test_a_decision_is_told() -> None:
    decisions = [Decision("i", approved=True), Decision("j", approved=False, reason="no")]
    assert said(list(resume(question(""), decisions))) == (
        "Decided:\n\n- `i`: done\n- `j`: left alone (no)"
    )
    several = [Decision("k", approved=False, each=(True, False))]
    assert said(list(resume(question(""), several))).endswith("- `k`: done, left alone")


def test_a_file_lies_in_the_threads_folder_and_a_repeat_names_it_alike() -> None:
    steps = list(rehearse(question("file", "Hello")))
    assert isinstance(steps[0], WriteFile)
    assert steps[0].path == "chats/7/rehearsal-2.txt"
    assert steps[-1] == Custom(
        "file", {"path": "chats/7/rehearsal-2.txt", "caption": "Rehearsal file 2"}
    )
    assert list(rehearse(question("file", "Hello"))) == steps
    assert "no workspace" in said(list(rehearse(question("file", workspace=None))))


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("missing", "chats/7/never-written.txt"),
        ("outside", "../outside.txt"),
        ("absolute", "/etc/hostname"),
        ("foreign", "chats/0/rehearsal-1.txt"),
        ("folder", "chats/7"),
    ],
)
def test_a_file_that_cannot_be_had_is_named_all_the_same(kind: str, path: str) -> None:
    steps = list(rehearse(question(f"file {kind}")))
    assert not any(isinstance(step, WriteFile) for step in steps)
    assert steps[-1] == Custom("file", {"path": path, "caption": "Rehearsal file 1"})


@pytest.mark.parametrize(
    ("kind", "name", "head"),
    [
        ("image", "rehearsal-1.png", b"\x89PNG\r\n\x1a\n"),
        ("audio", "rehearsal-1.wav", b"RIFF"),
        ("empty", "rehearsal-1.bin", b""),
        ("strange", "rehearsal-1.txt", b"You said: file strange"),
    ],
)
def test_a_file_is_of_the_kind_that_is_asked_for(kind: str, name: str, head: bytes) -> None:
    step, *_, last = rehearse(question(f"file {kind}"))
    assert isinstance(step, WriteFile)
    assert step.path == f"chats/7/{name}"
    assert step.content.startswith(head)
    assert isinstance(last, Custom)
    assert last.value["path"] == step.path


def test_the_sound_is_one_that_players_know() -> None:
    step = next(rehearse(question("file audio")))
    assert isinstance(step, WriteFile)
    with wave.open(io.BytesIO(step.content)) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 8000)


def test_the_way_over_the_mount_is_the_same_file() -> None:
    step, *_, last = rehearse(question("file mount"))
    assert isinstance(step, WriteFile)
    assert isinstance(last, Custom)
    assert last.value["path"] == f"/workspace/{step.path}"


def test_history_tells_the_first_and_the_last() -> None:
    assert said(list(rehearse(question("history", "Hello")))) == (
        "I know 2 messages from before this one (thread 7).\n\n"
        "The first is user's `$0`: Hello\n\nThe last is assistant's `a`: Aha"
    )
    alone = question("history", conversation=(Message("$new", "user", "history"),))
    assert said(list(rehearse(alone))).startswith("I know 0 messages")


def test_a_plain_confirmation_has_no_schema_and_an_expiring_one_its_time() -> None:
    *_, ask = rehearse(question("confirm 2 plain"))
    assert isinstance(ask, Ask)
    (interrupt,) = ask.interrupts
    assert (interrupt.reason, interrupt.response_schema) == ("langgraph:interrupt", None)
    assert json.dumps(interrupt.metadata).count('"delete_file"') == 2
    assert ask.expire_in is None
    *_, ask = rehearse(question("подтверди срочно 5"))
    assert ask == Ask(ask.interrupts, 5.0) if isinstance(ask, Ask) else False
    *_, ask = rehearse(question("confirm expiring"))
    assert isinstance(ask, Ask)
    assert ask.expire_in == 60.0


@pytest.mark.parametrize(("state", "visits"), [(None, 0), ({"visits": 3}, 3), ({"visits": ""}, 0)])
def test_the_state_counts_visits(state: object, visits: int) -> None:
    steps = list(rehearse(question("state", state=state)))
    assert steps[0] == StateSnapshot({"visits": visits, "thread": "7"})
    assert f"has {visits + 1} now" in said(steps)


def test_usage_is_what_is_claimed() -> None:
    assert next(rehearse(question("usage 1000 20"))) == Spend(Usage("rehearsal", 1000, 20))
    assert next(rehearse(question("usage"))) == Spend(Usage("rehearsal", 0, 0))


def test_a_failure_takes_the_code_that_is_asked_for() -> None:
    (fail,) = rehearse(question("fail model_busy please"))
    assert isinstance(fail, Fail)
    assert fail.code == "model_busy"


def test_several_tools_have_names_of_their_own() -> None:
    starts = [one for one in rehearse(question("tools 3")) if isinstance(one, ToolStart)]
    assert [one.tool_call_id for one in starts] == ["q-call-1", "q-call-2", "q-call-3"]


def test_paragraphs_are_messages_of_their_own() -> None:
    starts = [one for one in rehearse(question("paragraphs")) if isinstance(one, TextStart)]
    assert [one.message_id for one in starts] == ["q-answer-1", "q-answer-2"]


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
