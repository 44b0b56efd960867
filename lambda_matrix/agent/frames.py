"""AG-UI 1.0 events as they come over the wire, one JSON object per frame.

The theory. AG-UI 1.0 knows 31 event types. A consumer must drop what it does not know (a type, a
field) with a note, and must treat a known event with a missing or mistyped field as fatal: it
cannot tell what else is wrong. So a frame is one of four things here:

* an event that the service uses: an attrs class below, every field that the official schema
  types checked by `parsing.py` as the schema says;
* an event that is known and of no use here (`IGNORED_TYPES`): not looked into;
* an event of an unknown type: `UnknownEvent`;
* anything else: `BadFrame`.

No state and no I/O: what may follow what is `decoder.py`'s matter.
"""

from typing import Final, Literal

from attrs import frozen

from lambda_matrix.agent.strictness import JsonObject, ToolContent

TextRole = Literal["developer", "system", "assistant", "user"]


@frozen(kw_only=True)
class _Event:
    timestamp: int | None = None
    metadata: JsonObject | None = None


@frozen(kw_only=True)
class _Attributable(_Event):
    subagent_run_id: str | None = None


@frozen(kw_only=True)
class RunStarted(_Event):
    """`RUN_STARTED`: the first event of a run."""

    thread_id: str
    run_id: str
    protocol_version: str | None = None
    parent_run_id: str | None = None


@frozen(kw_only=True)
class TokenUsage:
    """What one model took of a run. A count that is not there was not counted."""

    provider: str | None = None
    model: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None


@frozen(kw_only=True)
class WireInterrupt:
    """One thing that the run ended to ask for."""

    id: str
    reason: str
    message: str | None = None
    tool_call_id: str | None = None
    response_schema: JsonObject | None = None
    expires_at: str | None = None
    metadata: JsonObject | None = None
    subagent_run_id: str | None = None


@frozen(kw_only=True)
class Outcome:
    """How the run ended. `interrupts` belongs to type `interrupt` alone, and is never empty there.

    AG-UI has a type for each of the three; all that differs here is that one field.
    """

    type: Literal["success", "interrupt", "cancelled"]
    interrupts: tuple[WireInterrupt, ...] = ()
    pending_tool_call_ids: tuple[str, ...] | None = None

    def __attrs_post_init__(self) -> None:
        if self.type == "interrupt" and not self.interrupts:
            raise ValueError("an outcome interrupt without interrupts")


@frozen(kw_only=True)
class RunFinishedFrame(_Event):
    """`RUN_FINISHED`; an absent outcome is `success`."""

    thread_id: str
    run_id: str
    outcome: Outcome | None = None
    usage: tuple[TokenUsage, ...] | None = None


@frozen(kw_only=True)
class RunErrorFrame(_Event):
    """`RUN_ERROR`: carries no ids."""

    message: str
    code: str | None = None
    usage: tuple[TokenUsage, ...] | None = None


@frozen(kw_only=True)
class TextStart(_Attributable):
    """`TEXT_MESSAGE_START`; an absent role is `assistant`."""

    message_id: str
    role: TextRole | None = None
    name: str | None = None


@frozen(kw_only=True)
class TextContent(_Attributable):
    """`TEXT_MESSAGE_CONTENT`."""

    message_id: str
    delta: str


@frozen(kw_only=True)
class TextEnd(_Attributable):
    """`TEXT_MESSAGE_END`."""

    message_id: str


@frozen(kw_only=True)
class TextChunk(_Attributable):
    """`TEXT_MESSAGE_CHUNK`: start, content and end in one; the first of a message names it."""

    message_id: str | None = None
    role: TextRole | None = None
    delta: str | None = None
    name: str | None = None


@frozen(kw_only=True)
class ToolCallStart(_Attributable):
    """`TOOL_CALL_START`."""

    tool_call_id: str
    tool_call_name: str
    parent_message_id: str | None = None


@frozen(kw_only=True)
class ToolCallArgs(_Attributable):
    """`TOOL_CALL_ARGS`: a piece of the JSON text of a call's arguments."""

    tool_call_id: str
    delta: str


@frozen(kw_only=True)
class ToolCallEnd(_Attributable):
    """`TOOL_CALL_END`: the arguments are complete; the tool itself runs now."""

    tool_call_id: str


@frozen(kw_only=True)
class ToolCallChunk(_Attributable):
    """`TOOL_CALL_CHUNK`: start, arguments and end in one; the first of a call names it."""

    tool_call_id: str | None = None
    tool_call_name: str | None = None
    parent_message_id: str | None = None
    delta: str | None = None


@frozen(kw_only=True)
class ToolCallResult(_Attributable):
    """`TOOL_CALL_RESULT`: the tool is done, and this is what it gave."""

    message_id: str
    tool_call_id: str
    content: ToolContent
    role: Literal["tool"] | None = None


@frozen(kw_only=True)
class StateSnapshot(_Attributable):
    """`STATE_SNAPSHOT`: the agent's state, any JSON value."""

    snapshot: object


@frozen(kw_only=True)
class StateDelta(_Attributable):
    """`STATE_DELTA`: a JSON Patch, of which only the shape is looked at here."""

    delta: tuple[JsonObject, ...]


@frozen(kw_only=True)
class MessagesSnapshot(_Event):
    """`MESSAGES_SNAPSHOT`: the conversation; `snapshot.parse_messages` reads its messages."""

    messages: tuple[JsonObject, ...]


@frozen(kw_only=True)
class Custom(_Attributable):
    """`CUSTOM`: `name` says what `value` is; the service knows `file`."""

    name: str
    value: object


@frozen
class Ignored:
    """A known event that the service has no use for."""

    type: str


@frozen
class UnknownEvent:
    """An event of a later AG-UI, or of nobody's."""

    type: str


@frozen
class FileValue:
    """The `value` of `CUSTOM` `file` (docs/agent-wire.md): a path in the agent's workspace."""

    path: str
    caption: str | None = None


UsedFrame = (
    RunStarted | RunFinishedFrame | RunErrorFrame
    | TextStart | TextContent | TextEnd | TextChunk
    | ToolCallStart | ToolCallArgs | ToolCallEnd | ToolCallChunk | ToolCallResult
    | StateSnapshot | StateDelta | MessagesSnapshot
    | Custom
)  # fmt: skip
Frame = UsedFrame | Ignored | UnknownEvent

USED_TYPES: Final[dict[str, type[UsedFrame]]] = {
    "RUN_STARTED": RunStarted,
    "RUN_FINISHED": RunFinishedFrame,
    "RUN_ERROR": RunErrorFrame,
    "TEXT_MESSAGE_START": TextStart,
    "TEXT_MESSAGE_CONTENT": TextContent,
    "TEXT_MESSAGE_END": TextEnd,
    "TEXT_MESSAGE_CHUNK": TextChunk,
    "TOOL_CALL_START": ToolCallStart,
    "TOOL_CALL_ARGS": ToolCallArgs,
    "TOOL_CALL_END": ToolCallEnd,
    "TOOL_CALL_CHUNK": ToolCallChunk,
    "TOOL_CALL_RESULT": ToolCallResult,
    "STATE_SNAPSHOT": StateSnapshot,
    "STATE_DELTA": StateDelta,
    "MESSAGES_SNAPSHOT": MessagesSnapshot,
    "CUSTOM": Custom,
}

IGNORED_TYPES: Final = frozenset(
    {
        "ACTIVITY_SNAPSHOT",
        "ACTIVITY_DELTA",
        "RAW",
        "STEP_STARTED",
        "STEP_FINISHED",
        "REASONING_START",
        "REASONING_MESSAGE_START",
        "REASONING_MESSAGE_CONTENT",
        "REASONING_MESSAGE_END",
        "REASONING_MESSAGE_CHUNK",
        "REASONING_END",
        "REASONING_ENCRYPTED_VALUE",
        "SUBAGENT_STARTED",
        "SUBAGENT_FINISHED",
        "SUBAGENT_ERROR",
    }
)
