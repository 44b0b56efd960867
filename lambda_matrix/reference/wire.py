"""AG-UI 1.0 as an agent writes it: the events of a run, one JSON object per text frame. No I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs
import cattrs
from attrs import frozen
from cattrs.gen import make_dict_unstructure_fn, override

PROTOCOL_VERSION = "1.0"
SUBPROTOCOL = "ag-ui.v1+json"
"""Offered by a client in `Sec-WebSocket-Protocol`; not required."""


@frozen
class RunStarted:
    """`RUN_STARTED`: the first event of every run."""

    thread_id: str
    run_id: str
    protocol_version: str = PROTOCOL_VERSION


@frozen
class Usage:
    """AG-UI `TokenUsage`; the rehearsal counts words."""

    provider: str
    input_tokens: int
    output_tokens: int
    model: str | None = None


@frozen
class Interrupt:
    """What a run needs a person's word on before it can go on; `expires_at` is ISO 8601."""

    id: str
    reason: str
    message: str | None = None
    response_schema: object = None
    tool_call_id: str | None = None
    expires_at: str | None = None
    metadata: object = None


@frozen
class Success:
    """The outcome of a run that did what was asked."""

    type: Literal["success"] = "success"


@frozen
class Interrupted:
    """The outcome of a run that ended to ask."""

    interrupts: tuple[Interrupt, ...]
    type: Literal["interrupt"] = "interrupt"


@frozen
class RunFinished:
    """`RUN_FINISHED`: the end of a run that did not fail."""

    thread_id: str
    run_id: str
    outcome: Success | Interrupted
    usage: tuple[Usage, ...] | None = None


@frozen
class RunError:
    """`RUN_ERROR`: the end of a run that failed; `usage` is what it has cost all the same."""

    message: str
    code: str | None = None
    usage: tuple[Usage, ...] | None = None


@frozen
class TextStart:
    """`TEXT_MESSAGE_START`."""

    message_id: str
    role: Literal["assistant"] = "assistant"
    subagent_run_id: str | None = None


@frozen
class TextContent:
    """`TEXT_MESSAGE_CONTENT`: `delta` is appended to the message, and is not empty."""

    message_id: str
    delta: str
    subagent_run_id: str | None = None


@frozen
class TextEnd:
    """`TEXT_MESSAGE_END`."""

    message_id: str
    subagent_run_id: str | None = None


@frozen
class TextChunk:
    """`TEXT_MESSAGE_CHUNK`: start, content and end in one."""

    message_id: str
    delta: str
    role: Literal["assistant"] = "assistant"


@frozen
class ReasoningStart:
    """`REASONING_START`."""

    message_id: str


@frozen
class ReasoningMessageStart:
    """`REASONING_MESSAGE_START`."""

    message_id: str
    role: Literal["reasoning"] = "reasoning"


@frozen
class ReasoningContent:
    """`REASONING_MESSAGE_CONTENT`."""

    message_id: str
    delta: str


@frozen
class ReasoningMessageEnd:
    """`REASONING_MESSAGE_END`."""

    message_id: str


@frozen
class ReasoningEnd:
    """`REASONING_END`."""

    message_id: str


@frozen
class StateSnapshot:
    """`STATE_SNAPSHOT`: the whole state from here on."""

    snapshot: object


@frozen
class StateDelta:
    """`STATE_DELTA`: a JSON patch (RFC 6902) of the state."""

    delta: tuple[Mapping[str, object], ...]


@frozen
class ToolStart:
    """`TOOL_CALL_START`."""

    tool_call_id: str
    tool_call_name: str


@frozen
class ToolArgs:
    """`TOOL_CALL_ARGS`: `delta` is a piece of the arguments' JSON text."""

    tool_call_id: str
    delta: str


@frozen
class ToolEnd:
    """`TOOL_CALL_END`: the arguments are complete."""

    tool_call_id: str


@frozen
class ToolResult:
    """`TOOL_CALL_RESULT`."""

    message_id: str
    tool_call_id: str
    content: str


@frozen
class Custom:
    """`CUSTOM`; the name `file` with `{"path", "caption"?}` offers a file to the person."""

    name: str
    value: Mapping[str, str]


TextEvent = TextStart | TextContent | TextEnd | TextChunk
ToolEvent = ToolStart | ToolArgs | ToolEnd | ToolResult
ReasoningEvent = (
    ReasoningStart | ReasoningMessageStart | ReasoningContent | ReasoningMessageEnd | ReasoningEnd
)
BodyEvent = TextEvent | ToolEvent | ReasoningEvent | StateSnapshot | StateDelta | Custom
Event = RunStarted | BodyEvent | RunFinished | RunError

_TYPES: Mapping[type, str] = {
    RunStarted: "RUN_STARTED",
    RunFinished: "RUN_FINISHED",
    RunError: "RUN_ERROR",
    TextStart: "TEXT_MESSAGE_START",
    TextContent: "TEXT_MESSAGE_CONTENT",
    TextEnd: "TEXT_MESSAGE_END",
    TextChunk: "TEXT_MESSAGE_CHUNK",
    ReasoningStart: "REASONING_START",
    ReasoningMessageStart: "REASONING_MESSAGE_START",
    ReasoningContent: "REASONING_MESSAGE_CONTENT",
    ReasoningMessageEnd: "REASONING_MESSAGE_END",
    ReasoningEnd: "REASONING_END",
    StateSnapshot: "STATE_SNAPSHOT",
    StateDelta: "STATE_DELTA",
    ToolStart: "TOOL_CALL_START",
    ToolArgs: "TOOL_CALL_ARGS",
    ToolEnd: "TOOL_CALL_END",
    ToolResult: "TOOL_CALL_RESULT",
    Custom: "CUSTOM",
}


def encode(event: Event) -> str:
    """Write an event as the JSON text of one frame (ASCII, so that a lone surrogate survives)."""
    fields = _CONVERTER.unstructure(event)
    return json.dumps({"type": _TYPES[type(event)], **fields}, separators=(",", ":"))


def camel_case(name: str) -> str:
    """Return a field's name as AG-UI spells it: `message_id` is `messageId`."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _write_hook(shape: type) -> Callable[[object], dict[str, object]]:
    spellings: dict[str, Any] = {
        field.name: override(rename=camel_case(field.name), omit_if_default=field.default is None)
        for field in attrs.fields(shape)
    }
    return make_dict_unstructure_fn(shape, _CONVERTER, **spellings)


_CONVERTER = cattrs.Converter()
_CONVERTER.register_unstructure_hook_factory(attrs.has, _write_hook)
