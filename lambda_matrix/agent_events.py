"""What an agent says during one run, as frozen facts, and the ways in which a run can fail.

`agent/` makes these from AG-UI frames; `conversation/` folds them into an answer. Neither Matrix
nor a WebSocket is to be seen here.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import field, frozen

JsonText = str
"""A JSON value that the service passes on as it came, as its text."""


# -- what a conversation with an agent consists of (AG-UI `messages`) --


@frozen
class ToolCall:
    """One call of a tool by an assistant message; `arguments` is the JSON text as it came."""

    id: str
    name: str
    arguments: JsonText = ""


@frozen
class Attachment:
    """A file that goes along with a message: `path` is relative to the agent's workspace."""

    kind: Literal["image", "audio", "video", "document"]
    path: str
    mime_type: str
    name: str


@frozen(kw_only=True)
class ThreadMessage:
    """One message of a thread, in AG-UI's terms. A `tool` message names the call it answers."""

    id: str
    role: Literal["user", "assistant", "tool"]
    content: str = ""
    attachments: tuple[Attachment, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


@frozen
class ResumeEntry:
    """A person's word on one interrupt: AG-UI's `resume` has one for each of the ended run."""

    interrupt_id: str
    status: Literal["resolved", "cancelled"]
    payload: JsonText | None = None


# -- what an agent says --


@frozen
class Usage:
    """AG-UI `usage`: tokens that a run took, as far as the agent counts them."""

    input_tokens: int | None = None
    output_tokens: int | None = None


@frozen
class TextStarted:
    """A new text message of the assistant begins: a new paragraph of the answer."""

    message_id: str


@frozen
class TextDelta:
    """More text of message `message_id`."""

    message_id: str
    delta: str


@frozen
class ToolStarted:
    """The agent calls a tool: shown as a status line while it lasts.

    A subagent's call is shown likewise, but is no part of the thread.
    """

    tool_call_id: str
    name: str
    parent_message_id: str | None = None
    by_subagent: bool = field(default=False, kw_only=True)


@frozen
class ToolArguments:
    """More of the JSON text of a call's arguments."""

    tool_call_id: str
    delta: str


@frozen
class ToolReturned:
    """What a tool gave back, as a message of the thread."""

    tool_call_id: str
    message_id: str
    content: str


@frozen
class ToolFinished:
    """The tool call has its result (or its arguments are complete and nothing more will come)."""

    tool_call_id: str


@frozen
class FileOffered:
    """`CUSTOM` `file`: the agent offers a file of its workspace to the user."""

    path: str
    caption: str | None = None


@frozen
class StateReplaced:
    """`STATE_SNAPSHOT`: the agent's state, which goes along with the thread's next run."""

    state: JsonText


@frozen
class StatePatched:
    """`STATE_DELTA`: a JSON Patch (RFC 6902) on that state."""

    patch: JsonText


@frozen
class MessagesReplaced:
    """`MESSAGES_SNAPSHOT`: the thread's messages as the agent has them, in order.

    Those of users, assistants and tools alone, without what subagents said, and without their
    files: whoever sent those still has them.
    """

    messages: tuple[ThreadMessage, ...]


@frozen
class Interrupt:
    """One thing that a run waits for a person's word on (AG-UI `Interrupt`).

    `response_schema` and `metadata` are JSON texts; `expires_at` is in seconds since the epoch.
    """

    id: str
    reason: str
    message: str | None = None
    tool_call_id: str | None = None
    response_schema: JsonText | None = None
    metadata: JsonText | None = None
    expires_at: float | None = None


@frozen
class RunFinished:
    """`RUN_FINISHED` with outcome `success`."""

    usage: Usage | None = None


@frozen
class RunInterrupted:
    """`RUN_FINISHED` with outcome `interrupt`: the run ended to ask."""

    interrupts: tuple[Interrupt, ...]
    usage: Usage | None = None


@frozen
class RunCancelled:
    """`RUN_FINISHED` with outcome `cancelled`: the agent stopped on purpose."""

    usage: Usage | None = None


@frozen
class RunFailed:
    """`RUN_ERROR`: the agent says itself that it failed. `message` is for the journal only."""

    message: str
    code: str | None = None
    usage: Usage | None = None


RunOutcome = RunFinished | RunInterrupted | RunCancelled | RunFailed
AgentEvent = (
    TextStarted | TextDelta
    | ToolStarted | ToolArguments | ToolReturned | ToolFinished
    | FileOffered
    | StateReplaced | StatePatched | MessagesReplaced
    | RunOutcome
)  # fmt: skip


class RunFailure(Enum):
    """Why a run brought no answer; each has its own sentence (`conversation.texts`)."""

    UNREACHABLE = "unreachable"  # refused, no route, DNS, TLS not completed
    HANDSHAKE_REFUSED = "handshake_refused"  # an HTTP status instead of a WebSocket
    UNAUTHORIZED = "unauthorized"  # 401 or 403 at the handshake
    INPUT_REFUSED = "input_refused"  # closed with 1007 or 1009 before any event
    TRUNCATED = "truncated"  # closed before a terminal event
    IDLE_TIMEOUT = "idle_timeout"  # silent for longer than idle_timeout
    RUN_TIMEOUT = "run_timeout"  # longer than run_timeout in all
    BAD_FRAME = "bad_frame"  # not JSON, not an event, an event out of order
    FRAME_TOO_LARGE = "frame_too_large"
    RUN_ERROR = "run_error"  # RUN_ERROR: it says so itself
    NOT_ALLOWED = "not_allowed"  # the agent is not for this person
    NO_AGENT = "no_agent"  # the room's agent is not in the registry
    GAVE_UP = "gave_up"  # every attempt was cut off before its end
