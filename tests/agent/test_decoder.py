import json
from collections.abc import Iterable
from contextlib import suppress
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lambda_matrix.agent.decoder import FrameDecoder
from lambda_matrix.agent.errors import BadFrame
from lambda_matrix.agent_events import (
    AgentEvent,
    FileOffered,
    Interrupt,
    MessagesReplaced,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunInterrupted,
    RunOutcome,
    StatePatched,
    StateReplaced,
    TextDelta,
    TextStarted,
    ThreadMessage,
    ToolArguments,
    ToolCall,
    ToolFinished,
    ToolReturned,
    ToolStarted,
    Usage,
)
from lambda_matrix.ids import PlatformChatId, RunId
from tests.agent.corpus import any_frame

STARTED: dict[str, Any] = {"type": "RUN_STARTED", "threadId": "1000", "runId": "q1.1"}
FINISHED: dict[str, Any] = {"type": "RUN_FINISHED", "threadId": "1000", "runId": "q1.1"}


def start(message_id: str, **more: object) -> dict[str, Any]:
    return {"type": "TEXT_MESSAGE_START", "messageId": message_id, **more}


def content(message_id: str, delta: str, **more: object) -> dict[str, Any]:
    return {"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": delta, **more}


def end(message_id: str) -> dict[str, Any]:
    return {"type": "TEXT_MESSAGE_END", "messageId": message_id}


def chunk(**fields: object) -> dict[str, Any]:
    return {"type": "TEXT_MESSAGE_CHUNK", **fields}


def tool(kind: str, call_id: str, **more: object) -> dict[str, Any]:
    return {"type": f"TOOL_CALL_{kind}", "toolCallId": call_id, **more}


def result(call_id: str, **more: object) -> dict[str, Any]:
    return tool("RESULT", call_id, **{"messageId": f"r-{call_id}", "content": "done", **more})


def returned(call_id: str) -> ToolReturned:
    return ToolReturned(call_id, f"r-{call_id}", "done")


def new_decoder() -> FrameDecoder:
    return FrameDecoder(PlatformChatId(1000), RunId("q1.1"))


def decode(*frames: dict[str, Any]) -> list[AgentEvent]:
    """Decode what comes between RUN_STARTED and RUN_FINISHED."""
    decoder = new_decoder()
    events = feed(decoder, (STARTED, *frames, FINISHED))
    assert events[-1] == RunFinished()
    return events[:-1]


def feed(decoder: FrameDecoder, frames: Iterable[dict[str, Any]]) -> list[AgentEvent]:
    return [event for frame in frames for event in decoder.feed(json.dumps(frame))]


def test_a_message_is_a_start_and_its_deltas() -> None:
    assert decode(
        start("m", role="assistant"),
        content("m", "Hel"),
        content("m", ""),
        content("m", "lo"),
        end("m"),
    ) == [TextStarted("m"), TextDelta("m", "Hel"), TextDelta("m", "lo")]


def test_a_role_that_is_absent_is_the_assistant() -> None:
    assert decode(start("m"), content("m", "hi")) == [TextStarted("m"), TextDelta("m", "hi")]


@pytest.mark.parametrize("role", ["user", "system", "developer"])
def test_only_the_assistant_is_heard(role: str) -> None:
    assert decode(start("m", role=role), content("m", "secret"), end("m")) == []
    assert decode(chunk(messageId="m", role=role, delta="secret"), chunk(delta="more")) == []


def test_subagents_are_not_heard() -> None:
    assert decode(start("m", subagentRunId="s"), content("m", "inner"), end("m")) == []
    assert decode(chunk(messageId="m", subagentRunId="s", delta="inner")) == []
    assert decode(start("m"), content("m", "inner", subagentRunId="s")) == [TextStarted("m")]


def test_messages_may_interleave() -> None:
    assert decode(
        start("a"), start("b"), content("b", "2"), content("a", "1"), end("b"), end("a")
    ) == [
        TextStarted("a"),
        TextStarted("b"),
        TextDelta("b", "2"),
        TextDelta("a", "1"),
    ]


def test_a_lone_surrogate_passes_for_the_surface_to_clean() -> None:
    assert decode(start("m"), content("m", "\ud83d")) == [
        TextStarted("m"),
        TextDelta("m", "\ud83d"),
    ]


def test_chunks_are_messages_too() -> None:
    assert decode(
        chunk(messageId="a", delta="1"),
        chunk(delta="2"),
        chunk(messageId="a", delta="3"),
        chunk(messageId="b"),
        chunk(delta="4"),
    ) == [
        TextStarted("a"),
        TextDelta("a", "1"),
        TextDelta("a", "2"),
        TextDelta("a", "3"),
        TextStarted("b"),
        TextDelta("b", "4"),
    ]


def test_another_event_ends_a_message_of_chunks() -> None:
    chunks = (chunk(messageId="a", delta="1"), {"type": "STEP_STARTED", "stepName": "s"})
    assert decode(*chunks, chunk(messageId="a", delta="2")) == [
        TextStarted("a"),
        TextDelta("a", "1"),
        TextStarted("a"),
        TextDelta("a", "2"),
    ]
    with pytest.raises(BadFrame, match="does not name it"):
        decode(*chunks, chunk(delta="2"))


def test_a_chunk_goes_on_with_a_message_that_was_started() -> None:
    assert decode(start("a"), chunk(messageId="a", delta="1"), end("a")) == [
        TextStarted("a"),
        TextDelta("a", "1"),
    ]


def test_a_tool_is_done_when_its_result_comes() -> None:
    assert decode(
        tool("START", "t", toolCallName="search"),
        tool("ARGS", "t", delta="{}"),
        tool("END", "t"),
        result("t"),
    ) == [
        ToolStarted("t", "search"),
        ToolArguments("t", "{}"),
        returned("t"),
        ToolFinished("t"),
    ]


def test_a_tool_without_result_is_done_when_text_goes_on() -> None:
    assert decode(
        tool("START", "t", toolCallName="search"), tool("END", "t"), start("m"), result("t")
    ) == [ToolStarted("t", "search"), ToolFinished("t"), TextStarted("m"), returned("t")]


def test_a_tool_whose_arguments_still_come_is_not_done_by_text() -> None:
    assert decode(
        tool("START", "t", toolCallName="n"), start("m"), tool("END", "t"), result("t")
    ) == [
        ToolStarted("t", "n"),
        TextStarted("m"),
        returned("t"),
        ToolFinished("t"),
    ]


def test_chunks_are_tool_calls_too() -> None:
    assert decode(
        tool("CHUNK", "t", toolCallName="search", delta="{", parentMessageId="p"),
        {"type": "TOOL_CALL_CHUNK", "delta": "}"},
        tool("CHUNK", "u", toolCallName="find"),
        start("m"),
        result("u"),
    ) == [
        ToolStarted("t", "search", "p"),
        ToolArguments("t", "{"),
        ToolArguments("t", "}"),
        ToolStarted("u", "find"),
        ToolFinished("t"),
        ToolFinished("u"),
        TextStarted("m"),
        returned("u"),
    ]


def test_the_result_of_a_call_of_an_earlier_run_belongs_to_the_thread() -> None:
    assert decode(tool("END", "old"), result("old")) == [returned("old")]


def test_arguments_belong_to_a_call_that_is_open() -> None:
    assert decode(
        tool("ARGS", "t", delta="early"),
        tool("START", "t", toolCallName="n", parentMessageId="p"),
        tool("ARGS", "t", delta=""),
        tool("END", "t"),
        tool("ARGS", "t", delta="late"),
    ) == [ToolStarted("t", "n", "p")]


def test_what_a_subagents_tool_is_given_and_gives_is_no_part_of_the_thread() -> None:
    assert decode(
        tool("START", "t", toolCallName="n", subagentRunId="s"),
        tool("ARGS", "t", delta="{}", subagentRunId="s"),
        tool("END", "t"),
        result("t"),
        result("u", subagentRunId="s"),
    ) == [ToolStarted("t", "n", by_subagent=True), ToolFinished("t")]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("done", "done"),
        ([], ""),
        ([{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}], "a\nb"),
        ([{"type": "image"}], '[{"type": "image"}]'),
    ],
)
def test_a_result_is_said_in_words(content: object, expected: str) -> None:
    assert decode(result("t", content=content)) == [ToolReturned("t", "r-t", expected)]


def test_the_state_is_passed_on_as_it_is() -> None:
    patch = [{"op": "add", "path": "/a", "value": "ы"}]
    assert decode(
        {"type": "STATE_SNAPSHOT", "snapshot": None}, {"type": "STATE_DELTA", "delta": patch}
    ) == [StateReplaced("null"), StatePatched(json.dumps(patch))]


def test_a_state_without_bottom_is_refused() -> None:
    deep: object = {}
    for _ in range(99):
        deep = [deep]
    frame = {"type": "STATE_SNAPSHOT", "snapshot": deep}
    assert len(decode(frame)) == 1
    with pytest.raises(BadFrame, match="within one another"):
        decode({**frame, "snapshot": {"a": deep}})


def test_a_snapshot_gives_the_messages_that_matter() -> None:
    call = {"id": "t", "type": "function", "function": {"name": "n", "arguments": "{}"}}
    messages = [
        {"id": "0", "role": "system", "content": "Be nice."},
        {"id": "1", "role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"id": "2", "role": "assistant", "toolCalls": [call]},
        {"id": "3", "role": "tool", "toolCallId": "t", "content": "done"},
        {"id": "4", "role": "assistant", "content": "inner", "subagentRunId": "s"},
        {"id": "5", "role": "reasoning", "content": "hm"},
        {"id": "6", "role": ["of tomorrow"]},
        {"id": "7", "role": "assistant", "content": "Hello", "toolCalls": None},
    ]
    assert decode({"type": "MESSAGES_SNAPSHOT", "messages": messages}) == [
        TextStarted("7"),
        TextDelta("7", "Hello"),
        MessagesReplaced(
            (
                ThreadMessage(id="1", role="user", content="Hi"),
                ThreadMessage(id="2", role="assistant", tool_calls=(ToolCall("t", "n", "{}"),)),
                ThreadMessage(id="3", role="tool", content="done", tool_call_id="t"),
                ThreadMessage(id="7", role="assistant", content="Hello"),
            )
        ),
    ]


def snapshot(*messages: tuple[str, str]) -> dict[str, Any]:
    """Make a snapshot of messages that are told by their roles and contents."""
    return {
        "type": "MESSAGES_SNAPSHOT",
        "messages": [
            {"id": f"{n}", "role": role, "content": content, "toolCallId": "t"}
            for n, (role, content) in enumerate(messages)
        ],
    }


def told(events: Iterable[AgentEvent]) -> list[TextStarted | TextDelta]:
    return [event for event in events if isinstance(event, TextStarted | TextDelta)]


OLD = (("user", "q1"), ("assistant", "a1"), ("user", "q2"))
TOLD = (("assistant", "Wait"), ("tool", "done"), ("assistant", ""), ("assistant", "Done"))


def test_a_text_that_a_snapshot_alone_tells_is_said() -> None:
    whole = snapshot(*OLD, *TOLD)
    assert told(decode(snapshot(*OLD), whole, whole)) == [
        TextStarted("3"),
        TextDelta("3", "Wait"),
        TextStarted("6"),
        TextDelta("6", "Done"),
    ]
    tools = (tool("START", "t", toolCallName="n"), tool("END", "t"))
    first, second, *_ = decode(*tools, whole)
    assert (first, second) == (ToolStarted("t", "n"), ToolFinished("t"))


def test_a_text_that_was_said_is_not_said_again_by_a_snapshot() -> None:
    hidden = (start("h", role="system"), content("h", "x"))
    said = (start("other id"), content("other id", "Done"))
    assert told(decode(*said, snapshot(*OLD, *TOLD))) == [
        TextStarted("other id"),
        TextDelta("other id", "Done"),
    ]
    assert len(told(decode(*hidden, snapshot(*OLD, *TOLD)))) == 4


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ((*OLD, *TOLD), [TextStarted("6"), TextDelta("6", "Done")]),
        ((*OLD, TOLD[0]), []),
        ((*OLD[:2], TOLD[1], OLD[2], TOLD[0]), []),
        ((), []),
    ],
)
def test_a_run_that_resumes_says_what_comes_after_its_decisions(
    messages: tuple[tuple[str, str], ...], expected: list[AgentEvent]
) -> None:
    decoder = FrameDecoder(PlatformChatId(1000), RunId("q1.1"), resuming=True)
    assert told(feed(decoder, (STARTED, snapshot(*messages), FINISHED))) == expected


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"id": "1", "role": "user"}, "no content"),
        ({"id": 1, "role": "user", "content": ""}, "malformed"),
        ({"id": "1", "role": "assistant", "toolCalls": [{}]}, "no id"),
        ({"id": "1", "role": "tool", "content": "x"}, "no toolCallId"),
    ],
)
def test_a_snapshot_with_a_malformed_message_is_refused(message: object, why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        decode({"type": "MESSAGES_SNAPSHOT", "messages": [message]})


def test_a_file_is_offered() -> None:
    custom = {"type": "CUSTOM", "name": "file", "value": {"path": "out/a.png", "caption": "A"}}
    assert decode(custom) == [FileOffered("out/a.png", "A")]


def test_custom_events_of_others_are_left_alone() -> None:
    decoder = new_decoder()
    others = (
        {"type": "CUSTOM", "name": "x", "value": 1},
        {"type": "CUSTOM", "name": "file", "value": 1},
    )
    assert feed(decoder, (STARTED, *others)) == []
    assert decoder.skipped == 1


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, RunFinished()),
        ({"outcome": {"type": "success", "pendingToolCallIds": ["t"]}}, RunFinished()),
        ({"outcome": {"type": "cancelled"}}, RunCancelled()),
        (
            {
                "outcome": {
                    "type": "interrupt",
                    "interrupts": [{"id": "i", "reason": "r", "message": "m"}],
                }
            },
            RunInterrupted((Interrupt("i", "r", "m"),)),
        ),
        (
            {
                "outcome": {
                    "type": "interrupt",
                    "interrupts": [
                        {
                            "id": "i",
                            "reason": "r",
                            "toolCallId": "t",
                            "responseSchema": {"type": "boolean"},
                            "metadata": {},
                            "expiresAt": "1970-01-01T01:00:00+01:00",
                        },
                        {"id": "j", "reason": "r", "expiresAt": "1970-01-02T00:00:00"},
                        {"id": "k", "reason": "r", "expiresAt": "tomorrow"},
                        {"id": "l", "reason": "r", "expiresAt": "0001-01-01T00:00:00+23:00"},
                    ],
                }
            },
            RunInterrupted(
                (
                    Interrupt(
                        "i",
                        "r",
                        tool_call_id="t",
                        response_schema='{"type": "boolean"}',
                        metadata="{}",
                        expires_at=0.0,
                    ),
                    Interrupt("j", "r", expires_at=86_400.0),
                    Interrupt("k", "r"),
                    Interrupt("l", "r", expires_at=-62_135_679_600.0),
                )
            ),
        ),
        (
            {"usage": [{"inputTokens": 2, "outputTokens": 3}, {"inputTokens": 5}]},
            RunFinished(Usage(7, 3)),
        ),
        ({"usage": [{"outputTokens": 3}]}, RunFinished(Usage(None, 3))),
        ({"usage": [{"model": "m"}]}, RunFinished()),
    ],
)
def test_a_run_ends_in_one_of_its_ways(more: dict[str, Any], expected: RunOutcome) -> None:
    decoder = new_decoder()
    assert feed(decoder, (STARTED, {**FINISHED, **more})) == [expected]
    assert decoder.outcome == expected


def test_a_run_may_fail_before_it_has_begun() -> None:
    decoder = new_decoder()
    error = {"type": "RUN_ERROR", "message": "no model", "code": "x", "usage": [{"inputTokens": 1}]}
    assert feed(decoder, [error]) == [RunFailed("no model", "x", Usage(1, None))]


def test_after_the_end_nothing_is_heard_but_all_is_counted() -> None:
    decoder = new_decoder()
    feed(decoder, (STARTED, FINISHED))
    assert feed(decoder, (STARTED, start("m"), FINISHED)) == []
    assert decoder.feed("not even JSON") == ()
    assert decoder.skipped == 4
    assert decoder.outcome == RunFinished()


def test_what_is_unknown_is_skipped_and_counted_even_before_the_start() -> None:
    decoder = new_decoder()
    assert feed(decoder, ({"type": "OF_TOMORROW"}, STARTED, {"type": "OF_TOMORROW"})) == []
    assert decoder.skipped == 2


@pytest.mark.parametrize(
    ("frames", "why"),
    [
        ((start("m"),), "first event"),
        ((FINISHED,), "first event"),
        ((STARTED, STARTED), "second RUN_STARTED"),
        (({**STARTED, "threadId": "1001"},), "1001"),
        (({**STARTED, "runId": "q2.1"},), "q2.1"),
        ((STARTED, {**FINISHED, "runId": "q2.1"}), "q2.1"),
        ((STARTED, content("m", "x")), "not started"),
        ((STARTED, end("m")), "not started"),
        ((STARTED, start("m"), start("m")), "started again"),
        ((STARTED, start("m"), end("m"), content("m", "x")), "not started"),
        ((STARTED, chunk(delta="x")), "does not name it"),
        (
            (STARTED, tool("START", "t", toolCallName="n"), tool("START", "t", toolCallName="n")),
            "started again",
        ),
        ((STARTED, {"type": "TOOL_CALL_CHUNK", "delta": "x"}), "does not name it"),
        ((STARTED, tool("CHUNK", "t")), "does not name the tool"),
    ],
)
def test_an_event_out_of_order_is_fatal(frames: tuple[dict[str, Any], ...], why: str) -> None:
    with pytest.raises(BadFrame, match=why):
        feed(new_decoder(), frames)


@given(st.lists(any_frame, max_size=30))
def test_no_sequence_of_frames_breaks_the_decoder(frames: list[dict[str, Any]]) -> None:
    decoder = new_decoder()
    events: list[AgentEvent] = []
    with suppress(BadFrame):
        for frame in (STARTED, *frames):
            events += decoder.feed(json.dumps(frame))
    ends = [event for event in events if isinstance(event, RunOutcome)]
    assert ends == ([] if decoder.outcome is None else [decoder.outcome])
    assert not ends or events[-1] is ends[0]
    shown = {event.message_id for event in events if isinstance(event, TextStarted)}
    assert {event.message_id for event in events if isinstance(event, TextDelta)} <= shown


@given(st.text(max_size=30))
def test_no_text_breaks_the_decoder(text: str) -> None:
    with suppress(BadFrame):
        assert new_decoder().feed(text) == ()


RECORDED = sorted(
    (
        entry
        for entry in files("ag_ui_validate").joinpath("spec", "fixtures", "valid").iterdir()
        if entry.name.endswith(".jsonl")
    ),
    key=lambda entry: entry.name,
)


@pytest.mark.parametrize("stream", RECORDED, ids=lambda entry: str(entry.name))
def test_the_validators_valid_streams_are_followed_to_their_end(stream: Any) -> None:
    """One file may hold several runs, one after the other: a run is a connection here."""
    runs: list[list[dict[str, Any]]] = []
    for line in stream.read_text().splitlines():
        frame = json.loads(line)
        if frame["type"] == "RUN_STARTED":
            runs.append([])
        runs[-1].append(frame)
    for run in runs:
        decoder = FrameDecoder(run[0]["threadId"], RunId(run[0]["runId"]))
        feed(decoder, run)
        assert decoder.outcome is not None
        assert decoder.skipped == 0
    assert runs
