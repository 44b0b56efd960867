"""The conversation as a model is given it: a window of it, in the shapes of chat completions.

The window is what fits, newest first, in whole turns: a call of a tool is never without its result,
for endpoints refuse that. What the person asked last goes along in any case, with all that was
done about it. Pure; no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from attrs import frozen

from lambda_matrix.reference.enclosures import Enclosure, Excerpt, Picture, Place, Unusable
from lambda_matrix.reference.prompts import PENDING, came_with
from lambda_matrix.reference.run_input import Attachment, Call, Message

Json = dict[str, object]

_PICTURE_WEIGHT: Final = 4000
"""Characters that a picture is reckoned as."""


_UNSEEN: Final = {
    "image": "you cannot look at it",
    "audio": "you cannot listen to it",
    "video": "you cannot watch it",
}


@frozen
class Limits:
    """How much of a conversation a request holds at most."""

    messages: int
    characters: int

    def halved(self) -> Limits:
        """Return limits that are half as wide."""
        return Limits(self.messages // 2, self.characters // 2)


@frozen
class _Unit:
    """Messages that go together: one of the person's, or the agent's with its tools' results."""

    messages: tuple[Json, ...]
    weight: int
    is_users: bool


def compose(
    conversation: Sequence[Message],
    enclosures: Mapping[Place, Enclosure],
    limits: Limits,
) -> list[Json]:
    """Return the messages of a request, without the system's."""
    units = list(_units(conversation, enclosures))
    start = max((at for at, unit in enumerate(units) if unit.is_users), default=0)
    messages = sum(len(unit.messages) for unit in units[start:])
    weight = sum(unit.weight for unit in units[start:])
    while start > 0:
        messages += len(units[start - 1].messages)
        weight += units[start - 1].weight
        if messages > limits.messages or weight > limits.characters:
            break
        start -= 1
    while start < len(units) - 1 and not units[start].is_users:
        start += 1  # an answer whose question is out of the window says nothing
    return [message for unit in units[start:] for message in unit.messages]


def _units(
    conversation: Sequence[Message], enclosures: Mapping[Place, Enclosure]
) -> Iterator[_Unit]:
    results = {one.call_id: one.text for one in conversation if one.role == "tool"}
    calls = 0
    for message in conversation:
        if message.role == "user":
            content, weight = _content(message, enclosures)
            yield _Unit(({"role": "user", "content": content},), weight, is_users=True)
        elif message.role == "assistant":
            names = [f"call{calls + position:05d}" for position in range(len(message.calls))]
            calls += len(names)
            yield _assistant_unit(message, names, results)


def _assistant_unit(
    message: Message, names: Sequence[str], results: Mapping[str | None, str]
) -> _Unit:
    said: Json = {"role": "assistant", "content": message.text or None}
    if not message.calls:
        return _Unit((said,), len(message.text), is_users=False)
    said["tool_calls"] = [_call(*pair) for pair in zip(names, message.calls, strict=True)]
    given = [results.get(call.id, PENDING) for call in message.calls]
    tools: list[Json] = [
        {"role": "tool", "tool_call_id": name, "content": result}
        for name, result in zip(names, given, strict=True)
    ]
    texts = [message.text, *given, *(call.arguments for call in message.calls)]
    return _Unit((said, *tools), sum(map(len, texts)), is_users=False)


def _call(name: str, call: Call) -> Json:
    """Write a call under a name of nine letters and digits: one provider takes no other."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": name, "type": "function", "function": function}


def _content(
    message: Message, enclosures: Mapping[Place, Enclosure]
) -> tuple[str | list[Json], int]:
    """Return what a message of the person is to a model, and its weight in characters."""
    lines = [message.text] if message.text else []
    pictures: list[Json] = []
    for index, attachment in enumerate(message.attachments):
        enclosure = enclosures.get((message.id, index))
        lines.append(_line(attachment, enclosure))
        if isinstance(enclosure, Picture):
            pictures.append({"type": "image_url", "image_url": {"url": enclosure.url}})
    text = "\n\n".join(lines)
    if not pictures:
        return text, len(text)
    weight = len(text) + len(pictures) * _PICTURE_WEIGHT
    return [{"type": "text", "text": text}, *pictures], weight


def _line(attachment: Attachment, enclosure: Enclosure | None) -> str:
    kind, name = attachment.kind.capitalize(), PurePosixPath(attachment.place).name
    if attachment.transcript is not None:
        return came_with(kind, name, f"in it was said:\n{attachment.transcript}")
    match enclosure:
        case Picture():
            return came_with(kind, name, "you see it here")
        case Excerpt(text=text):
            return came_with(kind, name, f"it says:\n{text}")
        case Unusable(why=why):
            return came_with(kind, name, why)
        case None:
            unseen = _UNSEEN.get(attachment.kind, "it has come")
            where = f"; it is there as {attachment.place}" if attachment.place else ""
            return came_with(kind, name, unseen + where)
