"""What a Matrix client shows of a room: messages with their newest edit, who types, who has read.

Pure: raw events go in as the homeserver gave them, and the view is folded from them. Written apart
from the service's own parsing, so that the two can contradict each other.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter

from attrs import define, evolve, field, frozen

from lambda_matrix.demo.bare_http import Json
from lambda_matrix.ids import EventId, InstanceId, RequestId, RoomId, UserId
from lambda_matrix.matrix_events import ANSWER_KEY, AnswerMark, AnswerState

FILE = "file:"
"""How the request of the mark of an agent's file begins."""


@frozen
class Message:
    """One message as it stands now; `versions` are all its texts so far, the oldest first.

    `address` is where the file is, if it is one.
    """

    event_id: EventId
    sender: UserId
    msgtype: str
    versions: tuple[str, ...]
    html: str | None = None
    mark: AnswerMark | None = None
    in_reply_to: EventId | None = None
    redacted: bool = False
    address: str | None = None

    @property
    def body(self) -> str:
        """The newest text."""
        return self.versions[-1]


@frozen
class Answer:
    """All that was said to one question: its parts in order, each part once (else `doubled`)."""

    parts: tuple[Message, ...]
    is_final: bool
    doubled: tuple[Message, ...] = ()

    @property
    def text(self) -> str:
        """The newest text of all the parts."""
        return "\n\n".join(part.body for part in self.parts)

    @property
    def previews(self) -> int:
        """How often it was seen to grow before it was whole."""
        return sum(len(part.versions) - 1 for part in self.parts)


@define
class RoomView:
    """A room from one person's side. `events` are all of its timeline's, in the server's order."""

    room_id: RoomId
    membership: str = "leave"
    inviter: UserId | None = None
    typing: frozenset[UserId] = frozenset()
    typed: set[UserId] = field(factory=set)
    receipts: dict[UserId, EventId] = field(factory=dict)
    state: dict[tuple[str, str], Json] = field(factory=dict)
    events: list[Json] = field(factory=list)
    _known: set[str] = field(factory=set)

    @property
    def name(self) -> str | None:
        """The room's name, if it has one."""
        return text_at(self.state.get(("m.room.name", ""), {}), "name")

    @property
    def is_space(self) -> bool:
        """Whether the room is a Space."""
        return text_at(self.state.get(("m.room.create", ""), {}), "type") == "m.space"

    @property
    def children(self) -> frozenset[RoomId]:
        """The rooms that a Space holds: children count only with a `via` (11.32, Spaces)."""
        return frozenset(
            RoomId(state_key)
            for (event_type, state_key), content in self.state.items()
            if event_type == "m.space.child" and content.get("via")
        )

    def knows(self, event: Json) -> bool:
        """Whether this event is in `events` already."""
        return text_at(event, "event_id") in self._known

    def add_timeline(self, events: Iterable[Json]) -> None:
        """Take events of the timeline, oldest first; known ones are passed over."""
        for event in events:
            event_id = text_at(event, "event_id")
            if event_id is None or event_id in self._known:
                continue
            self._known.add(event_id)
            self.events.append(event)
            if "state_key" in event:
                self.add_state([event])

    def add_state(self, events: Iterable[Json]) -> None:
        """Take state events, full or stripped."""
        for event in events:
            event_type, key = text_at(event, "type"), text_at(event, "state_key")
            if event_type is not None and key is not None:
                self.state[event_type, key] = object_at(event, "content")

    def add_ephemeral(self, events: Iterable[Json]) -> None:
        """Take typing notices and receipts."""
        for event in events:
            content = object_at(event, "content")
            if event.get("type") == "m.typing":
                users = content.get("user_ids")
                names = users if isinstance(users, list) else []
                self.typing = frozenset(UserId(name) for name in names)
                self.typed |= self.typing
            elif event.get("type") == "m.receipt":
                for event_id in content:
                    for user in object_at(content, event_id, "m.read"):
                        self.receipts[UserId(user)] = EventId(event_id)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The room's messages in order, each with its newest valid edit."""
        return fold_messages(self.events)

    def said_by(self, sender: UserId) -> tuple[Message, ...]:
        """The messages of one user."""
        return tuple(message for message in self.messages if message.sender == sender)

    def answer(self, question: EventId, by: UserId) -> Answer | None:
        """What `by` has said to `question`, by the answer's mark; None for nothing yet."""
        return find_answer(self.messages, question, by)


def find_answer(messages: Iterable[Message], question: EventId, by: UserId) -> Answer | None:
    """What `by` has said to `question`, by the answer's mark; None for nothing yet.

    The files that came with it are no part of it: they have marks of their own.
    """
    marked = [
        (message.mark.part, message)
        for message in messages
        if message.sender == by
        and message.mark
        and message.mark.question == question
        and not message.mark.request.startswith(FILE)
    ]
    marked.sort(key=itemgetter(0))
    parts: list[Message] = []
    doubled: list[Message] = []
    for _, same in groupby(marked, key=itemgetter(0)):
        first, *more = (message for _, message in same)
        parts.append(first)
        doubled += more
    if not parts:
        return None
    marks = [part.mark for part in parts if part.mark]
    whole = [mark.part for mark in marks] == list(range(marks[-1].parts))
    is_final = whole and all(mark.state is AnswerState.FINAL for mark in marks)
    return Answer(tuple(parts), is_final, tuple(doubled))


def fold_messages(events: Iterable[Json]) -> tuple[Message, ...]:
    """Fold events, in the server's order, to messages with their newest valid edit.

    An edit is valid from the message's own sender only (11.37.1); the newest is the one that came
    last.
    """
    messages: dict[EventId, Message] = {}
    for event in events:
        event_id, sender = text_at(event, "event_id"), text_at(event, "sender")
        content = object_at(event, "content")
        if event_id is None or sender is None:
            continue
        if event.get("type") == "m.room.redaction":
            target = text_at(event, "redacts") or text_at(content, "redacts")
            if target in messages:
                gone = EventId(target)
                messages[gone] = evolve(messages[gone], redacted=True, versions=("",), html=None)
        elif event.get("type") == "m.room.message":
            _fold_message(messages, EventId(event_id), UserId(sender), content)
    return tuple(messages.values())


def _fold_message(
    messages: dict[EventId, Message], event_id: EventId, sender: UserId, content: Json
) -> None:
    if text_at(content, "m.relates_to", "rel_type") != "m.replace":
        messages[event_id] = Message(
            event_id,
            sender,
            text_at(content, "msgtype") or "",
            (text_at(content, "body") or "",),
            text_at(content, "formatted_body"),
            read_mark(content),
            _event_id(text_at(content, "m.relates_to", "m.in_reply_to", "event_id")),
            redacted="body" not in content,
            address=text_at(content, "url"),
        )
        return
    edited = messages.get(EventId(text_at(content, "m.relates_to", "event_id") or ""))
    new = object_at(content, "m.new_content")
    if edited is None or edited.redacted or edited.sender != sender or not new:
        return
    messages[edited.event_id] = evolve(
        edited,
        msgtype=text_at(new, "msgtype") or edited.msgtype,
        versions=(*edited.versions, text_at(new, "body") or ""),
        html=text_at(new, "formatted_body"),
        mark=read_mark(new),
    )


def read_mark(content: Json) -> AnswerMark | None:
    """The mark by which an event of the service names what it answers; None without one."""
    mark = object_at(content, ANSWER_KEY)
    part, parts, state = mark.get("part"), mark.get("parts"), text_at(mark, "state")
    if not isinstance(part, int) or state not in {"open", "final"}:
        return None
    return AnswerMark(
        _event_id(text_at(mark, "question")),
        RequestId(text_at(mark, "request") or ""),
        part,
        AnswerState(state),
        InstanceId(text_at(mark, "instance") or ""),
        parts if isinstance(parts, int) else 1,
    )


def object_at(value: object, *path: str) -> Json:
    """The JSON object at `path` within `value`; an empty one if there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def text_at(value: object, *path: str) -> str | None:
    """The JSON string at `path` within `value`; None if there is none."""
    *parents, last = path
    found = object_at(value, *parents).get(last)
    return found if isinstance(found, str) else None


def list_at(value: object, *path: str) -> list[Json]:
    """The JSON objects of the list at `path` within `value`."""
    *parents, last = path
    found = object_at(value, *parents).get(last)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _event_id(text: str | None) -> EventId | None:
    return None if text is None else EventId(text)
