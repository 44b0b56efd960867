"""The messages of a `MESSAGES_SNAPSHOT`: what of them belongs to the thread.

Messages of other roles (system, developer, reasoning, activity, those of tomorrow) are the agent's
own affair and left out, and so is what subagents said.
"""

from typing import Final, Literal

from attrs import AttrsInstance, frozen

from lambda_matrix.agent.errors import BadFrame
from lambda_matrix.agent.strictness import JsonObject, ToolContent, json_text, strict_converter
from lambda_matrix.agent_events import ThreadMessage, ToolCall


@frozen(kw_only=True)
class _Function:
    name: str
    arguments: str


@frozen(kw_only=True)
class _Call:
    id: str
    type: Literal["function"]
    function: _Function


@frozen(kw_only=True)
class _User:
    id: str
    content: ToolContent
    subagent_run_id: str | None = None

    def message(self) -> ThreadMessage:
        return ThreadMessage(id=self.id, role="user", content=text_of(self.content))


@frozen(kw_only=True)
class _Assistant:
    id: str
    content: str | None = None
    tool_calls: tuple[_Call, ...] | None = None
    subagent_run_id: str | None = None

    def message(self) -> ThreadMessage:
        calls = (
            ToolCall(call.id, call.function.name, call.function.arguments)
            for call in self.tool_calls or ()
        )
        return ThreadMessage(
            id=self.id, role="assistant", content=self.content or "", tool_calls=tuple(calls)
        )


@frozen(kw_only=True)
class _Tool:
    id: str
    content: ToolContent
    tool_call_id: str
    subagent_run_id: str | None = None

    def message(self) -> ThreadMessage:
        return ThreadMessage(
            id=self.id,
            role="tool",
            content=text_of(self.content),
            tool_call_id=self.tool_call_id,
        )


_ROLES: Final[dict[object, type[_User | _Assistant | _Tool]]] = {
    "user": _User,
    "assistant": _Assistant,
    "tool": _Tool,
}
_MODELS: Final[tuple[type[AttrsInstance], ...]] = (_Function, _Call, _User, _Assistant, _Tool)
_CONVERTER: Final = strict_converter(_MODELS)


def parse_messages(values: tuple[JsonObject, ...]) -> tuple[ThreadMessage, ...]:
    """Read a snapshot's messages.

    Raises:
        BadFrame: one of a role that matters here is malformed.
    """
    return tuple(
        message.message()
        for value in values
        if (message := _parse(value)) is not None and message.subagent_run_id is None
    )


def _parse(value: JsonObject) -> _User | _Assistant | _Tool | None:
    role = value.get("role")
    model = _ROLES.get(role) if isinstance(role, str) else None
    if model is None:
        return None
    try:
        return _CONVERTER.structure(value, model)
    except KeyError as error:
        raise BadFrame(f"MESSAGES_SNAPSHOT: a message has no {error.args[0]}") from error
    except (TypeError, ValueError) as error:
        raise BadFrame(f"MESSAGES_SNAPSHOT: a message is malformed: {error}") from error


def text_of(content: ToolContent) -> str:
    """Say content in words: its text parts; if it has parts but no text, their JSON."""
    if isinstance(content, str):
        return content
    texts = [text for part in content if isinstance(text := part.get("text"), str)]
    return "\n".join(texts) if texts or not content else json_text(content)
