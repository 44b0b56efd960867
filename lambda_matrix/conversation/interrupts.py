"""What an agent's run ended to ask, as a person is asked, and the person's word as it wants it.

AG-UI leaves the form of an answer to the interrupt's `responseSchema`. Those that ask for yes or no
are known here: an object with a boolean `approved` (pydantic-ai), a boolean, and an object with one
boolean of another name. LangGraph gives no schema. Its approvals (deepagents) list
`action_requests`, which want a decision each; whatever else it asks gets true or false, since its
adapter makes an object of a cancelled interrupt, and that is true to most programs. To all others
a no is `cancelled`, and a yes the most common of forms.

A refusal must never be read as a consent (nobody knows what `{"keep": false}` does: such a no is
`cancelled` too). A consent that is not understood is only an error.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from attrs import field, frozen

from lambda_matrix.agent_events import (
    Interrupt,
    JsonText,
    ResumeEntry,
    ThreadMessage,
    ToolCall,
)

MOST_CHARACTERS: Final = 1_000
"""Of one line of a prompt. What is approved should be seen; a file's content need not be."""


@frozen
class _Interrupt:
    """An interrupt with its JSON read."""

    told: Interrupt
    schema: dict[str, Any]
    metadata: dict[str, Any]
    actions: list[dict[str, Any]] = field(init=False)  # LangGraph's; empty for others

    @actions.default
    def _find_actions(self) -> list[dict[str, Any]]:
        raw = self.metadata.get("langgraph")
        raw = raw.get("raw") if isinstance(raw, dict) else None
        asked = raw.get("action_requests") if isinstance(raw, dict) else None
        if not isinstance(asked, list) or not all(isinstance(action, dict) for action in asked):
            return []
        return asked

    @property
    def is_of_langgraph(self) -> bool:
        return "langgraph" in self.metadata


def prompt_lines(
    interrupts: tuple[Interrupt, ...], thread: Iterable[ThreadMessage] = ()
) -> tuple[str, ...]:
    """Say what each of the things is that are asked, in the agent's words or its tool's.

    A line is one paragraph of plain text. There is at least one for each interrupt, and more for
    one that asks about several actions. `thread` is looked through for the call that an interrupt
    without words is about.
    """
    calls = {call.id: call for message in thread for call in message.tool_calls}
    return tuple(_one_line(line) for each in map(_read, interrupts) for line in _lines(each, calls))


def resume_entries(
    interrupts: tuple[Interrupt, ...],
    approved: frozenset[int] | Literal["all"],
    reason: str | None = None,
) -> tuple[ResumeEntry, ...]:
    """Word the person's answer: one entry for each interrupt, as the protocol demands.

    `approved` are numbers of `prompt_lines`, from 1; the others are refused, for `reason`.
    """
    entries: list[ResumeEntry] = []
    number = 1
    for each in map(_read, interrupts):
        count = len(each.actions) or 1
        said = [approved == "all" or n in approved for n in range(number, number + count)]
        number += count
        entries.append(_entry(each, said, reason))
    return tuple(entries)


def _read(interrupt: Interrupt) -> _Interrupt:
    return _Interrupt(interrupt, _object(interrupt.response_schema), _object(interrupt.metadata))


def _object(text: JsonText | None) -> dict[str, Any]:
    value = None if text is None else json.loads(text)
    return value if isinstance(value, dict) else {}


def _lines(interrupt: _Interrupt, calls: Mapping[str, ToolCall]) -> Iterator[str]:
    message = interrupt.told.message
    if interrupt.actions:
        yield from (": ".join(filter(None, (message, _action(a)))) for a in interrupt.actions)
    elif message is None and (call := calls.get(interrupt.told.tool_call_id or "")) is not None:
        yield f"{call.name}({call.arguments})"
    else:
        yield message or interrupt.told.reason


def _action(action: dict[str, Any]) -> str:
    name, arguments = action.get("name"), action.get("args")
    if not isinstance(name, str):
        return str(action.get("description") or json.dumps(action, ensure_ascii=False))
    return f"{name}({json.dumps(arguments, ensure_ascii=False) if arguments else ''})"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 1]}…"


def _entry(interrupt: _Interrupt, said: list[bool], reason: str | None) -> ResumeEntry:
    if interrupt.actions:
        return _resolved(interrupt, {"decisions": [_decision(yes, reason) for yes in said]})
    [yes] = said
    schema = interrupt.schema
    if schema.get("type") == "boolean" or (not schema and interrupt.is_of_langgraph):
        return _resolved(interrupt, yes)
    booleans = _booleans(schema)
    if "approved" in booleans:
        why = {"reason": reason} if reason and not yes and _takes_reason(schema) else {}
        return _resolved(interrupt, {"approved": yes, **why})
    if not yes:
        return ResumeEntry(interrupt.told.id, "cancelled")
    return _resolved(interrupt, {booleans[0] if len(booleans) == 1 else "approved": True})


def _resolved(interrupt: _Interrupt, payload: object) -> ResumeEntry:
    return ResumeEntry(interrupt.told.id, "resolved", json.dumps(payload))


def _decision(yes: bool, reason: str | None) -> dict[str, str]:  # noqa: FBT001 - a person's word
    if yes:
        return {"type": "approve"}
    return {"type": "reject", "message": reason} if reason else {"type": "reject"}


def _booleans(schema: dict[str, Any]) -> list[str]:
    """Name the properties of an object that say yes or no."""
    return [
        name
        for name, each in _properties(schema).items()
        if isinstance(each, dict) and each.get("type") == "boolean"
    ]


def _takes_reason(schema: dict[str, Any]) -> bool:
    return "reason" in _properties(schema) or schema.get("additionalProperties") is not False


def _properties(schema: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    return properties if isinstance(properties, dict) else {}
