"""Frames of AG-UI 1.0 as the official models make them: one strategy for each event type."""

import json
from typing import Any

from ag_ui.core import Event, EventType
from hypothesis import strategies as st
from pydantic import TypeAdapter

OFFICIAL: TypeAdapter[Any] = TypeAdapter(Event)

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_text, inner, max_size=2),
    max_leaves=4,
)
_object = st.dictionaries(_text, _json, max_size=2)
_parts = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": _text}), max_size=2)
_usage = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "provider": _text,
            "model": _text,
            "inputTokens": st.integers(0, 2**53 - 1),
            "outputTokens": st.integers(0, 2**53 - 1),
        },
    ),
    max_size=3,
)
_interrupt = st.fixed_dictionaries(
    {"id": _text, "reason": _text},
    optional={
        "message": _text,
        "toolCallId": _text,
        "responseSchema": _object,
        "metadata": _object,
        "expiresAt": _text | st.datetimes().map(lambda moment: moment.isoformat()),
    },
)
_outcome = st.one_of(
    st.just({"type": "success"}),
    st.fixed_dictionaries(
        {"type": st.just("success"), "pendingToolCallIds": st.lists(_text, max_size=2)}
    ),
    st.just({"type": "cancelled"}),
    st.fixed_dictionaries(
        {
            "type": st.just("interrupt"),
            "interrupts": st.lists(_interrupt, min_size=1, max_size=3),
        }
    ),
)
_common = {
    "timestamp": st.integers(0, 2**53 - 1),
    "rawEvent": _json.filter(lambda value: value is not None),
    "metadata": _object,
    "aFieldOfTomorrow": _json,
}
_SUBAGENT = {"subagentRunId": _text}
_ids = st.sampled_from(["a", "b", "c"])
_call = st.fixed_dictionaries(
    {
        "id": _text,
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": _text, "arguments": _text}),
    }
)
_messages = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"id": _ids, "role": st.sampled_from(["system", "developer"]), "content": _text}
        ),
        st.fixed_dictionaries({"id": _ids, "role": st.just("user"), "content": _text | _parts}),
        st.fixed_dictionaries(
            {"id": _ids, "role": st.just("assistant")},
            optional={
                "content": _text,
                "toolCalls": st.lists(_call, max_size=2),
                "subagentRunId": _text,
            },
        ),
        st.fixed_dictionaries(
            {"id": _ids, "role": st.just("tool"), "toolCallId": _text, "content": _text | _parts}
        ),
        st.fixed_dictionaries({"id": _ids, "role": st.just("reasoning"), "content": _text}),
    ),
    max_size=4,
)
_role = st.sampled_from(["developer", "system", "assistant", "user"])

FIELDS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "RUN_STARTED": (
        {"threadId": st.just("1000"), "runId": st.just("q1.1")},
        {"protocolVersion": _text, "parentRunId": _text},
    ),
    "RUN_FINISHED": (
        {"threadId": st.just("1000"), "runId": st.just("q1.1")},
        {"outcome": _outcome, "usage": _usage, "result": _text},
    ),
    "RUN_ERROR": ({"message": _text}, {"code": _text, "usage": _usage}),
    "TEXT_MESSAGE_START": ({"messageId": _ids}, {"role": _role, "name": _text, **_SUBAGENT}),
    "TEXT_MESSAGE_CONTENT": ({"messageId": _ids, "delta": _text}, _SUBAGENT),
    "TEXT_MESSAGE_END": ({"messageId": _ids}, _SUBAGENT),
    "TEXT_MESSAGE_CHUNK": (
        {},
        {"messageId": _ids, "role": _role, "delta": _text, "name": _text, **_SUBAGENT},
    ),
    "TOOL_CALL_START": (
        {"toolCallId": _ids, "toolCallName": _text},
        {"parentMessageId": _text, **_SUBAGENT},
    ),
    "TOOL_CALL_ARGS": ({"toolCallId": _ids, "delta": _text}, _SUBAGENT),
    "TOOL_CALL_END": ({"toolCallId": _ids}, _SUBAGENT),
    "TOOL_CALL_CHUNK": (
        {},
        {"toolCallId": _ids, "toolCallName": _text, "delta": _text, "parentMessageId": _text},
    ),
    "TOOL_CALL_RESULT": (
        {"messageId": _text, "toolCallId": _ids, "content": _text | _parts},
        {"role": st.just("tool"), **_SUBAGENT},
    ),
    "STATE_SNAPSHOT": ({"snapshot": _json}, {}),
    "STATE_DELTA": ({"delta": st.just([{"op": "add", "path": "/a", "value": 1}])}, {}),
    "MESSAGES_SNAPSHOT": ({"messages": _messages}, {}),
    "ACTIVITY_SNAPSHOT": ({"messageId": _text, "activityType": _text, "content": _object}, {}),
    "ACTIVITY_DELTA": ({"messageId": _text, "activityType": _text, "patch": st.just([])}, {}),
    "RAW": ({"event": _json}, {"source": _text}),
    "CUSTOM": ({"name": _text | st.just("file"), "value": _json}, _SUBAGENT),
    "STEP_STARTED": ({"stepName": _text}, {}),
    "STEP_FINISHED": ({"stepName": _text}, {}),
    "REASONING_START": ({"messageId": _text}, {}),
    "REASONING_MESSAGE_START": ({"messageId": _text, "role": st.just("reasoning")}, {}),
    "REASONING_MESSAGE_CONTENT": ({"messageId": _text, "delta": _text}, {}),
    "REASONING_MESSAGE_END": ({"messageId": _text}, {}),
    "REASONING_MESSAGE_CHUNK": ({}, {"messageId": _text, "delta": _text}),
    "REASONING_END": ({"messageId": _text}, {}),
    "REASONING_ENCRYPTED_VALUE": (
        {"subtype": st.just("message"), "entityId": _text, "encryptedValue": _text},
        {},
    ),
    "SUBAGENT_STARTED": ({"subagentRunId": _text, "name": _text}, {}),
    "SUBAGENT_FINISHED": ({"subagentRunId": _text}, {}),
    "SUBAGENT_ERROR": ({"subagentRunId": _text, "message": _text}, {}),
}
ALL_TYPES = frozenset(kind.value for kind in EventType)


def frames_of(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Make official frames of one type."""
    required, optional = FIELDS[kind]
    return st.fixed_dictionaries(
        {"type": st.just(kind), **required}, optional={**optional, **_common}
    )


any_frame = st.sampled_from(sorted(FIELDS)).flatmap(frames_of)


def is_official(text: str) -> bool:
    """Tell whether the official models take this frame."""
    try:
        OFFICIAL.validate_python(json.loads(text))
    except ValueError:
        return False
    return True
