import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.agent.errors import BadFrame
from lambda_matrix.agent.frames import (
    IGNORED_TYPES,
    USED_TYPES,
    FileValue,
    Ignored,
    UnknownEvent,
)
from lambda_matrix.agent.parsing import parse_file, parse_frame
from tests.agent.corpus import ALL_TYPES, FIELDS, any_frame, is_official

junk = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=1),
)


def test_every_event_type_of_the_official_schema_is_known() -> None:
    assert USED_TYPES.keys() | IGNORED_TYPES == ALL_TYPES == FIELDS.keys()
    assert not USED_TYPES.keys() & IGNORED_TYPES
    assert len(ALL_TYPES) == 31


@given(any_frame)
def test_every_official_frame_is_taken(frame: dict[str, Any]) -> None:
    text = json.dumps(frame)
    assert is_official(text)
    assert not isinstance(parse_frame(text), UnknownEvent)


@given(any_frame.filter(lambda frame: frame["type"] in USED_TYPES), st.data())
def test_a_used_frame_that_is_taken_is_official(frame: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(frame.keys() - {"type"}) or ["timestamp"]))
    if data.draw(st.booleans()):
        frame.pop(key, None)
    else:
        frame[key] = data.draw(junk)
    text = json.dumps(frame)
    try:
        parse_frame(text)
    except BadFrame:
        return
    assert is_official(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        '"RUN_STARTED"',
        "{}",
        '{"type": null}',
        '{"type": 1}',
        '{"type": "RUN_ERROR", "message": NaN}',
        "[" * 100_000,
        '{"type": "RUN_ERROR"}',
        '{"type": "RUN_ERROR", "message": null}',
        '{"type": "RUN_ERROR", "message": "m", "usage": "none"}',
        '{"type": "RUN_ERROR", "message": "m", "usage": [[]]}',
        '{"type": "RUN_ERROR", "message": "m", "usage": [{"inputTokens": -1}]}',
        '{"type": "RUN_ERROR", "message": "m", "usage": [{"inputTokens": true}]}',
        '{"type": "RUN_ERROR", "message": "m", "usage": [{"inputTokens": 0.5}]}',
        '{"type": "RUN_ERROR", "message": "m", "metadata": []}',
        '{"type": "TEXT_MESSAGE_START", "messageId": "m", "role": "tool"}',
        '{"type": "TEXT_MESSAGE_START", "messageId": "m", "role": {}}',
        '{"type": "TOOL_CALL_RESULT", "messageId": "m", "toolCallId": "t", "content": ["x"]}',
        '{"type": "RUN_FINISHED", "threadId": "t", "runId": "r", "outcome": {"type": "maybe"}}',
        '{"type": "RUN_FINISHED", "threadId": "t", "runId": "r", "outcome": {"type": "interrupt"}}',
        '{"type": "CUSTOM", "name": "file"}',
    ],
)
def test_what_is_no_event_is_refused(text: str) -> None:
    with pytest.raises(BadFrame):
        parse_frame(text)


def test_what_is_unknown_and_what_is_of_no_use_is_told_apart() -> None:
    assert parse_frame('{"type": "THINKING_START"}') == UnknownEvent("THINKING_START")
    assert parse_frame('{"type": "STEP_STARTED"}') == Ignored("STEP_STARTED")


def test_the_error_does_not_carry_control_characters_into_the_journal() -> None:
    with pytest.raises(BadFrame) as caught:
        parse_frame('{"type": "RUN_ERROR", "message": 1}')
    assert caught.value.detail == "RUN_ERROR is malformed: int where a string is due"
    assert BadFrame("a\nb\x1b" + "c" * 999).detail == r"a\nb\x1b" + "c" * 292


def test_a_whole_number_is_a_number_however_it_is_written() -> None:
    parse_frame('{"type": "RUN_ERROR", "message": "m", "timestamp": 1700000000000.0}')


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"path": "a/b.png"}, FileValue("a/b.png")),
        ({"path": "a", "caption": "c", "more": 1}, FileValue("a", "c")),
        ({"path": "a", "caption": None}, FileValue("a")),
        ({"url": "a"}, None),
        ({"path": 1}, None),
        ("a", None),
        (None, None),
    ],
)
def test_a_file_is_a_path_and_maybe_a_caption(value: object, expected: FileValue | None) -> None:
    assert parse_file(value) == expected
