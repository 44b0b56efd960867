"""A streamed chat completion as facts: `chat.completion.chunk` objects, piece by piece. No I/O.

Endpoints that call themselves compatible leave things out: a tool call's id or index, the usage,
the `[DONE]`. What is needed is read, the rest is let be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from attrs import define, field, frozen

from lambda_matrix.reference.model_errors import ModelError, ModelFault, of_body

DONE: Final = "[DONE]"
"""The data of the event that ends a stream."""
_MOST_CHARACTERS: Final = 1_000_000
_MOST_CALLS: Final = 64


@frozen
class Tokens:
    """How much a completion has cost."""

    input: int = 0
    output: int = 0

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.input + other.input, self.output + other.output)


@frozen
class Asking:
    """A tool call as the model has written it; `arguments` should be JSON."""

    name: str
    arguments: str


@define
class _Growing:
    key: object
    name: str = ""
    arguments: str = ""


@define
class Completion:
    """Grows with each chunk. `finish` is None until the model says that it is done."""

    text: str = ""
    finish: str | None = None
    tokens: Tokens | None = None
    _calls: list[_Growing] = field(factory=list, init=False)
    _size: int = field(default=0, init=False)

    @property
    def calls(self) -> tuple[Asking, ...]:
        """The tool calls, in order."""
        return tuple(Asking(call.name, call.arguments) for call in self._calls)

    def take(self, data: str) -> str:
        """Take a chunk in; return the text that it adds.

        Raises:
            ModelError: it is no chunk, or an error, or the answer has become too long to be one.
        """
        self._size += len(data)
        if self._size > _MOST_CHARACTERS * 10:
            raise ModelError(ModelFault.GARBLED, "the answer does not end")
        match _json(data):
            case {"error": error} if error is not None:
                raise of_body(error)
            case {"choices": list(choices), **rest}:
                self._count(rest.get("usage"))
                return "".join(map(self._choose, choices[:1]))
            case {"usage": usage}:
                self._count(usage)
                return ""
            case _:
                raise ModelError(ModelFault.GARBLED, "an event of the stream is no chunk")

    def _choose(self, choice: object) -> str:
        if not isinstance(choice, dict):
            raise ModelError(ModelFault.GARBLED, "a choice of the stream is no object")
        finish = choice.get("finish_reason")
        if isinstance(finish, str) and finish:
            self.finish = finish
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            return ""
        calls = delta.get("tool_calls")
        for position, call in enumerate(calls if isinstance(calls, list) else ()):
            self._call(call, position)
        added = _text(delta.get("content")) + _text(delta.get("refusal"))
        self.text += added
        if len(self.text) > _MOST_CHARACTERS:
            raise ModelError(ModelFault.GARBLED, "the answer does not end")
        return added

    def _call(self, call: object, position: int) -> None:
        match call:
            case {"function": {**function}, **rest}:
                growing = self._growing(rest, position)
                growing.name = growing.name or _text(function.get("name"))
                growing.arguments += _text(function.get("arguments"))
            case _:
                return

    def _growing(self, call: dict[object, object], position: int) -> _Growing:
        """Find the call that a piece belongs to: by its index, or else by its id or its place."""
        key = call.get("index")
        if not isinstance(key, int):
            key = call.get("id") or position
        for growing in self._calls:
            if growing.key == key:
                return growing
        if len(self._calls) == _MOST_CALLS:
            raise ModelError(ModelFault.GARBLED, "the model calls more tools than there can be")
        self._calls.append(_Growing(key))
        return self._calls[-1]

    def _count(self, usage: object) -> None:
        if isinstance(usage, dict):
            tokens = Tokens(
                _number(usage.get("prompt_tokens")), _number(usage.get("completion_tokens"))
            )
            self.tokens = tokens


def _json(data: str) -> object:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise ModelError(ModelFault.GARBLED, "an event of the stream is not JSON") from None


def _text(content: object) -> str:
    """Return a text, or the texts of content parts; other parts (thoughts) are let be."""
    if isinstance(content, str):
        return content
    return "".join(_texts_of(content)) if isinstance(content, list) else ""


def _texts_of(parts: list[object]) -> Iterator[str]:
    for part in parts:
        match part:
            case {"type": "text", "text": str(text)}:
                yield text
            case _:
                continue


def _number(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0
