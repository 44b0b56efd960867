import json
from typing import Any, Literal

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.agent_events import Interrupt, ResumeEntry, ThreadMessage, ToolCall
from lambda_matrix.conversation.interrupts import (
    MOST_CHARACTERS,
    prompt_lines,
    resume_entries,
)

APPROVED = {
    "type": "object",
    "properties": {
        "approved": {"type": "boolean"},
        "dryRun": {"type": "boolean"},
        "reason": {"type": "string"},
    },
    "required": ["approved"],
}


def asking(schema: object = None, metadata: object = None, **more: Any) -> Interrupt:
    return Interrupt(
        **{"id": "i", "reason": "why", **more},
        response_schema=None if schema is None else json.dumps(schema),
        metadata=None if metadata is None else json.dumps(metadata),
    )


def langgraph(*actions: object, **more: Any) -> Interrupt:
    raw = {"action_requests": list(actions)} if actions else "Sure?"
    return asking(None, {"langgraph": {"raw": raw}}, **more)


def action(name: str, **arguments: object) -> dict[str, object]:
    return {"name": name, "args": arguments, "description": "a long story"}


def answer(
    interrupt: Interrupt, approved: frozenset[int] | Literal["all"], reason: str | None = None
) -> tuple[str, object]:
    [entry] = resume_entries((interrupt,), approved, reason)
    assert entry.interrupt_id == "i"
    return entry.status, None if entry.payload is None else json.loads(entry.payload)


NO: frozenset[int] = frozenset()


@pytest.mark.parametrize(
    ("interrupt", "yes", "no"),
    [
        (asking(APPROVED), {"approved": True}, {"approved": False, "reason": "late"}),
        (asking({"type": "boolean"}), True, False),
        (
            asking({"properties": {"approved": {"type": "boolean"}, "n": True}}),
            {"approved": True},
            {"approved": False, "reason": "late"},
        ),
        (
            asking(
                {"properties": {"approved": {"type": "boolean"}}, "additionalProperties": False}
            ),
            {"approved": True},
            {"approved": False},
        ),
        (
            langgraph(action("a"), action("b")),
            {"decisions": [{"type": "approve"}] * 2},
            {"decisions": [{"type": "reject", "message": "late"}] * 2},
        ),
        (langgraph(), True, False),
    ],
)
def test_a_yes_and_a_no_are_what_the_agent_asks_for(
    interrupt: Interrupt, yes: object, no: object
) -> None:
    assert answer(interrupt, "all", "unasked") == ("resolved", yes)
    assert answer(interrupt, NO, "late") == ("resolved", no)


def test_a_no_needs_no_reason() -> None:
    assert answer(asking(APPROVED), NO) == ("resolved", {"approved": False})
    assert answer(langgraph(action("a")), NO) == ("resolved", {"decisions": [{"type": "reject"}]})


def test_a_no_by_another_name_is_no_no() -> None:
    keep = asking({"properties": {"keep": {"type": "boolean"}}})
    assert answer(keep, "all") == ("resolved", {"keep": True})
    assert answer(keep, NO, "late") == ("cancelled", None)


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {},
        {"type": "string"},
        {"type": "object", "properties": []},
        {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "boolean"}}},
    ],
)
@pytest.mark.parametrize(
    "metadata", [None, [], {"langgraph": 1}, {"langgraph": {"raw": {"action_requests": [1]}}}]
)
def test_what_is_no_question_of_yes_or_no_is_cancelled_by_a_no(
    schema: object, metadata: object
) -> None:
    if isinstance(metadata, dict) and not schema:
        assert answer(asking(schema, metadata), NO) == ("resolved", False)
    else:
        assert answer(asking(schema, metadata), NO) == ("cancelled", None)
        assert answer(asking(schema, metadata), "all") == ("resolved", {"approved": True})


def test_some_of_several_are_approved_by_their_numbers() -> None:
    interrupts = (
        asking(APPROVED, id="1", message="Delete a?"),
        langgraph(action("send", to="Bob"), action("send", to="Eve"), id="2"),
        asking({"type": "boolean"}, id="3", message="Delete b?"),
    )
    assert prompt_lines(interrupts) == (
        "Delete a?",
        'send({"to": "Bob"})',
        'send({"to": "Eve"})',
        "Delete b?",
    )
    entries = resume_entries(interrupts, frozenset({2, 4, 9}))
    assert entries == (
        ResumeEntry("1", "resolved", '{"approved": false}'),
        ResumeEntry("2", "resolved", '{"decisions": [{"type": "approve"}, {"type": "reject"}]}'),
        ResumeEntry("3", "resolved", "true"),
    )


@pytest.mark.parametrize(
    ("interrupt", "expected"),
    [
        (asking(message="Delete\n\n  it?\t"), "Delete it?"),
        (asking(message="x" * 2000), "x" * (MOST_CHARACTERS - 1) + "…"),
        (asking(), "why"),
        (asking(tool_call_id="t"), 'rm({"path": "/"})'),
        (asking(tool_call_id="t", message="Sure?"), "Sure?"),
        (asking(tool_call_id="u"), "why"),
        (langgraph(action("rm", path="ж")), 'rm({"path": "ж"})'),
        (langgraph(action("rm")), "rm()"),
        (langgraph(action("rm"), message="Sure?"), "Sure?: rm()"),
        (langgraph({"description": "a long story"}), "a long story"),
        (langgraph({"n": 1}), '{"n": 1}'),
    ],
)
def test_a_prompt_says_what_is_asked(interrupt: Interrupt, expected: str) -> None:
    call = ToolCall("t", "rm", '{"path": "/"}')
    thread = (ThreadMessage(id="1", role="assistant", tool_calls=(call,)),)
    assert prompt_lines((interrupt,), thread) == (expected,)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["type", "properties", "approved", "langgraph", "raw", "action_requests", "name"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    st.lists(st.builds(asking, values, values), max_size=3).map(tuple),
    st.frozensets(st.integers(1, 5)) | st.just("all"),
    st.none() | st.text(max_size=5),
)
def test_there_is_an_entry_for_each_interrupt_and_a_line_for_each_number(
    interrupts: tuple[Interrupt, ...], approved: frozenset[int] | Literal["all"], reason: str | None
) -> None:
    entries = resume_entries(interrupts, approved, reason)
    assert len(entries) == len(interrupts) <= len(prompt_lines(interrupts))
    for entry in resume_entries(interrupts, NO, reason):
        assert '"approve"' not in (entry.payload or "")
        assert "true" not in (entry.payload or "") or (reason and "true" in reason)
