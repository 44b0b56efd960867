"""AG-UI 1.0 as an agent reads it: the RunAgentInput that a client sends first. No I/O.

Reading is strict: what the official models refuse is refused here, and so is a thread id that is
no `platform_chat_id`. Unknown fields are skipped, for a newer client may send them.
"""

from __future__ import annotations

import re
from typing import Literal

from attrs import frozen

from lambda_matrix.ids import RequestId, RunId
from lambda_matrix.reference import input_shapes as shapes

_THREAD_ID = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


class InputError(ValueError):
    """The first frame is no RunAgentInput; the text says why, in one sentence without its data."""


def is_thread_id(text: str) -> bool:
    """Tell whether the text is a `platform_chat_id`: canonical, decimal, at most 19 digits."""
    return _THREAD_ID.fullmatch(text) is not None


@frozen
class Attachment:
    """A file that came with a message.

    Attributes:
        kind: image, audio, video or document.
        place: a path in the workspace or a URL; "" if it came inline.
        mime_type: what the client takes it for.
        data: base64 of a file that came inline. It is there in the run that brings it, and is not
            remembered.
        transcript: what was heard in it, once it has been listened to.
    """

    kind: str
    place: str
    mime_type: str | None = None
    data: str | None = None
    transcript: str | None = None


@frozen
class Call:
    """A tool that the agent has called; `arguments` is JSON text as the model wrote it."""

    id: str
    name: str
    arguments: str


@frozen
class Message:
    """A message of the conversation, reduced to what an agent remembers of it.

    `calls` are an assistant's; `call_id` is of a tool's message, and says whose result it is.
    """

    id: str
    role: Literal["user", "assistant", "tool"]
    text: str
    attachments: tuple[Attachment, ...] = ()
    calls: tuple[Call, ...] = ()
    call_id: str | None = None


@frozen
class Decision:
    """The person's word on one interrupt of an earlier run (AG-UI `resume`).

    `each` has one word for each request of an interrupt that asked for several (LangGraph's).
    """

    interrupt_id: str
    approved: bool
    reason: str | None = None
    each: tuple[bool, ...] = ()


@frozen
class RunInput:
    """One run as asked for. `request_id` is the run's own id if the client names no request."""

    thread_id: str
    run_id: RunId
    request_id: RequestId
    messages: tuple[Message, ...]
    decisions: tuple[Decision, ...] = ()
    state: object = None
    locale: str = "en"

    @property
    def newest(self) -> Message | None:
        """What the person said last, of what the input brings."""
        return next((one for one in reversed(self.messages) if one.role == "user"), None)


def parse_input(frame: str | bytes) -> RunInput:
    """Read the one frame that a client sends.

    Raises:
        InputError: it is binary, not JSON, not a RunAgentInput, or of no valid thread.
    """
    if isinstance(frame, bytes):
        raise InputError("the input must be a text frame")
    try:
        raw = shapes.read_shape(frame)
    except shapes.ShapeError as error:
        raise InputError(str(error)) from error
    if not is_thread_id(raw.thread_id):
        raise InputError("threadId must be a decimal number")
    return RunInput(
        thread_id=raw.thread_id,
        run_id=RunId(raw.run_id),
        request_id=_request_id(raw),
        messages=tuple(m for m in map(_remembered, raw.messages) if m is not None),
        decisions=tuple(map(_decision, raw.resume or ())),
        state=raw.state,
        locale=_locale(raw),
    )


def _request_id(raw: shapes.RunAgentInput) -> RequestId:
    props = raw.forwarded_props
    request_id = props.get("requestId") if isinstance(props, dict) else None
    if request_id is None:
        return RequestId(raw.run_id)
    if not isinstance(request_id, str) or not request_id:
        raise InputError("forwardedProps.requestId must be a string that is not empty")
    return RequestId(request_id)


def _locale(raw: shapes.RunAgentInput) -> str:
    props = raw.forwarded_props
    locale = props.get("locale") if isinstance(props, dict) else None
    return locale if isinstance(locale, str) else "en"


def _remembered(message: shapes.Message) -> Message | None:
    match message:
        case shapes.UserMessage(id=message_id, content=str(text)):
            return Message(message_id, "user", text)
        case shapes.UserMessage(id=message_id, content=parts):
            return Message(
                message_id,
                "user",
                "\n".join(part.text for part in parts if isinstance(part, shapes.TextPart)),
                tuple(_attachment(part) for part in parts if isinstance(part, shapes.MediaPart)),
            )
        case shapes.AssistantMessage(id=message_id, content=str(text)) if text:
            return Message(message_id, "assistant", text)
        case _:
            return None  # tools' results, instructions and the like are no one's words


def _attachment(part: shapes.MediaPart) -> Attachment:
    source = part.source
    if isinstance(source, shapes.Data):
        return Attachment(part.type, "", source.mime_type, data=source.value)
    return Attachment(part.type, source.value, source.mime_type)


def _decision(entry: shapes.Resume) -> Decision:
    """Read the answer as `{"approved": ...}`, as LangGraph's `{"decisions": [...]}`, or bare."""
    if entry.status == "cancelled":
        return Decision(entry.interrupt_id, approved=False)
    match entry.payload:
        case {"approved": bool(approved), "reason": str(reason)}:
            return Decision(entry.interrupt_id, approved, reason)
        case {"approved": bool(approved)} | bool(approved):
            return Decision(entry.interrupt_id, approved)
        case {"decisions": [_, *_] as decisions}:
            return _several(entry.interrupt_id, decisions)
        case None:
            return Decision(entry.interrupt_id, approved=True)
        case _:
            raise InputError("resume.payload must tell whether it is approved")


def _several(interrupt_id: str, decisions: list[object]) -> Decision:
    each = []
    for decision in decisions:
        match decision:
            case {"type": str(kind)}:
                each.append(kind == "approve")
            case _:
                raise InputError("resume.payload.decisions must each have a type")
    return Decision(interrupt_id, all(each), each=tuple(each))
