"""What we say to an agent: AG-UI's RunAgentInput (AG-UI 1.0; docs/agent-wire.md)."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Final, Literal

import trio
from attrs import field, frozen

from lambda_matrix.agent_events import (
    Attachment,
    JsonText,
    ResumeEntry,
    ThreadMessage,
    ToolCall,
)
from lambda_matrix.ids import PlatformChatId, RequestId, RunId

PROTOCOL_VERSION: Final = "1.0"
LARGE: Final = 65_536
"""Characters and bytes of an input from which on a thread encodes it: a few milliseconds."""

_Wire = dict[str, object]


@frozen
class RunInput:
    """One attempt to have one question answered.

    `thread_id` alone selects the agent's memory. `run_id` is new for each attempt, `request_id`
    the same for all of them. `messages` are what this agent is to get: the new one, or the whole
    conversation (`history = "client"`). They may be empty where `resume` answers what the thread's
    last run asked. `state` is what that run left (`conversation.thread`).

    `inlined` is None for an agent that reads files in its workspace: it is told their paths. For
    one that does not (`inline_files = true`) it has the files' bytes, by path, that go within the
    messages; of files that are not in it, such as those of old messages, the name alone is told.
    """

    thread_id: PlatformChatId
    run_id: RunId
    request_id: RequestId
    messages: tuple[ThreadMessage, ...]
    user: str
    room: str
    locale: Literal["ru", "en"]
    resume: tuple[ResumeEntry, ...] = ()
    state: JsonText | None = None
    inlined: Mapping[str, bytes] | None = field(default=None, repr=False)


async def encoded(run: RunInput) -> bytes:
    """Do `encode_run_input`, in a thread if there is so much that other runs would wait for it."""
    size = sum(map(len, (run.inlined or {}).values())) + len(run.state or "")
    size += sum(
        len(message.content) + sum(len(call.arguments) for call in message.tool_calls)
        for message in run.messages
    )
    if size < LARGE:
        return encode_run_input(run)
    return await trio.to_thread.run_sync(encode_run_input, run)


def encode_run_input(run: RunInput) -> bytes:
    """Give the RunAgentInput as JSON: the one frame, or the one request body, that opens a run.

    A lone surrogate, which JSON can smuggle in but UTF-8 cannot say, becomes a question mark.
    """
    wire: _Wire = {
        "threadId": str(run.thread_id),
        "runId": run.run_id,
        "protocolVersion": PROTOCOL_VERSION,
        "messages": [_message(message, run.inlined) for message in run.messages],
        "forwardedProps": {
            "user": run.user,
            "room": run.room,
            "locale": run.locale,
            "requestId": run.request_id,
        },
        # 1.0 may leave these three out; agents made for earlier versions want them there.
        "state": {} if run.state is None else json.loads(run.state),
        "tools": [],
        "context": [],
    }
    if run.resume:
        wire["resume"] = [_resume(entry) for entry in run.resume]
    text = json.dumps(wire, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def _message(message: ThreadMessage, inlined: Mapping[str, bytes] | None) -> _Wire:
    wire: _Wire = {"id": message.id, "role": message.role}
    match message.role:
        case "user":
            wire["content"] = _content(message, inlined)
        case "assistant":
            # A message that only calls tools says nothing: empty content is another thing.
            if message.content or not message.tool_calls:
                wire["content"] = message.content
            if message.tool_calls:
                wire["toolCalls"] = [_call(call) for call in message.tool_calls]
        case "tool":
            wire["content"] = message.content
            wire["toolCallId"] = message.tool_call_id or ""
    return wire


def _content(message: ThreadMessage, inlined: Mapping[str, bytes] | None) -> str | list[_Wire]:
    if not message.attachments:
        return message.content
    text: list[_Wire] = [{"type": "text", "text": message.content}] if message.content else []
    return [*text, *(_part(attached, inlined) for attached in message.attachments)]


def _part(attached: Attachment, inlined: Mapping[str, bytes] | None) -> _Wire:
    source: _Wire
    if inlined is None:
        source = {"type": "file", "provider": "workspace", "value": attached.path}
    elif (body := inlined.get(attached.path)) is not None:
        source = {"type": "data", "value": b64encode(body).decode("ascii")}
    else:
        return {"type": "text", "text": f"[{attached.name}]"}
    source["mimeType"] = attached.mime_type
    return {"type": attached.kind, "source": source, "metadata": {"name": attached.name}}


def _call(call: ToolCall) -> _Wire:
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": function}


def _resume(entry: ResumeEntry) -> _Wire:
    wire: _Wire = {"interruptId": entry.interrupt_id, "status": entry.status}
    if entry.payload is not None:
        wire["payload"] = json.loads(entry.payload)
    return wire
