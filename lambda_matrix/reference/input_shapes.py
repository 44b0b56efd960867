"""The shapes of a RunAgentInput (AG-UI 1.0), read strictly: nothing is coerced. No I/O.

Unknown fields are skipped, for a newer client may send them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import attrs
from attrs import frozen
from cattrs.gen import make_dict_structure_fn, override

from lambda_matrix.reference.strictness import make_converter, mapping, text
from lambda_matrix.reference.wire import camel_case


class ShapeError(ValueError):
    """The text is not JSON, or not of the shape; the message says so without the data."""


@frozen
class TextPart:
    """A content part that is text."""

    text: str
    id: str | None = None


@frozen
class Data:
    """A part's source that is inline, in base64."""

    value: str
    mime_type: str


@frozen
class Url:
    """A part's source behind a URL."""

    value: str
    mime_type: str | None = None


@frozen
class File:
    """A part's source that a provider keeps; `workspace` is this project's."""

    value: str
    provider: str | None = None
    mime_type: str | None = None


Source = Data | Url | File


@frozen
class MediaPart:
    """A content part that is a file."""

    type: Literal["image", "audio", "video", "document"]
    source: Source
    id: str | None = None


Part = TextPart | MediaPart
Content = str | tuple[Part, ...]


@frozen
class UserMessage:
    """What a person said."""

    id: str
    content: Content
    name: str | None = None


@frozen
class Function:
    """Which function a tool call names, and the JSON text of its arguments."""

    name: str
    arguments: str


@frozen
class ToolCall:
    """One call of a tool in an assistant's message."""

    id: str
    function: Function
    type: Literal["function"] = "function"


@frozen
class AssistantMessage:
    """What an agent said; a turn may be tool calls alone."""

    id: str
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    name: str | None = None


@frozen
class ToolMessage:
    """What a tool returned."""

    id: str
    content: Content
    tool_call_id: str
    error: str | None = None


@frozen
class PlainMessage:
    """A message of the roles developer, system and reasoning."""

    id: str
    content: str


@frozen
class ActivityMessage:
    """What a user interface shows of an agent's doings."""

    id: str
    activity_type: str
    content: Mapping[str, object]


Message = UserMessage | AssistantMessage | ToolMessage | PlainMessage | ActivityMessage


@frozen
class Tool:
    """A tool that the client offers."""

    name: str
    description: str
    parameters: object = None


@frozen
class Context:
    """A piece of ambient information."""

    description: str
    value: str


@frozen
class Resume:
    """The answer to one interrupt."""

    interrupt_id: str
    status: Literal["resolved", "cancelled"]
    payload: object = None


@frozen
class RunAgentInput:
    """A request to run an agent."""

    thread_id: str
    run_id: str
    messages: tuple[Message, ...]
    protocol_version: str | None = None
    parent_run_id: str | None = None
    state: object = None
    tools: tuple[Tool, ...] | None = None
    context: tuple[Context, ...] | None = None
    forwarded_props: object = None
    resume: tuple[Resume, ...] | None = None


def read_shape(frame: str) -> RunAgentInput:
    """Read the JSON text of a RunAgentInput.

    Raises:
        ShapeError: it is something else.
    """
    try:
        return _CONVERTER.structure(json.loads(frame), RunAgentInput)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ShapeError(f"not a RunAgentInput ({type(error).__name__})") from error


_SOURCES: Mapping[str, type] = {"data": Data, "url": Url, "file": File}
_MEDIA = ("image", "audio", "video", "document")
_PARTS: Mapping[str, type] = {"text": TextPart} | dict.fromkeys(_MEDIA, MediaPart)
_ROLES: Mapping[str, type] = {
    "user": UserMessage,
    "assistant": AssistantMessage,
    "tool": ToolMessage,
    "activity": ActivityMessage,
} | dict.fromkeys(("developer", "system", "reasoning"), PlainMessage)


def _tagged(tag: str, shapes: Mapping[str, type]) -> Callable[[object, object], object]:
    """Return a hook for a union whose members tell themselves apart by the field `tag`."""

    def structure(value: object, _: object) -> object:
        fields = mapping(value)
        return _CONVERTER.structure(fields, shapes[text(fields.get(tag))])

    return structure


def _content(value: object, _: object) -> Content:
    if isinstance(value, str):
        return value
    parts: tuple[Part, ...] = _CONVERTER.structure(value, tuple[Part, ...])
    return parts


def _class_hook(shape: type) -> Callable[[Mapping[str, object], type], object]:
    spellings: dict[str, Any] = {
        f.name: override(rename=camel_case(f.name)) for f in attrs.fields(shape)
    }
    return make_dict_structure_fn(shape, _CONVERTER, **spellings)


_CONVERTER = make_converter()
_CONVERTER.register_structure_hook_factory(attrs.has, _class_hook)
_CONVERTER.register_structure_hook_func(lambda kind: kind == Content, _content)
_CONVERTER.register_structure_hook_func(lambda kind: kind == Source, _tagged("type", _SOURCES))
_CONVERTER.register_structure_hook_func(lambda kind: kind == Part, _tagged("type", _PARTS))
_CONVERTER.register_structure_hook_func(lambda kind: kind == Message, _tagged("role", _ROLES))
