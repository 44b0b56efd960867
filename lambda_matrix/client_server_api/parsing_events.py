"""One event of a timeline → one fact. What cannot be read becomes a `MalformedEvent`.

Theory. An event is read outside in: first what makes it an event (id, sender, type), without which
nothing can be stored but its text; then whether it is state (a `state_key`), because a message
type with a state key is no message; then whether it was redacted, because then its content means
nothing; and only then its content, by type. Edits are read from `m.new_content`, which is the
message as it is now; an edit of anything but text says nothing to the service and is `UnknownEvent`
rather than a second attachment.
"""

from __future__ import annotations

from typing import Final, Literal, TypedDict

from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    integer_at,
    is_id,
    list_at,
    object_at,
    raw_text,
    text_at,
    whole,
)
from lambda_matrix.ids import EventId, InstanceId, RequestId, RoomId, TransactionId, UserId
from lambda_matrix.matrix_events import (
    ANSWER_KEY,
    AnswerMark,
    AnswerState,
    EncryptedMessage,
    MalformedEvent,
    MemberChange,
    Membership,
    OtherMessage,
    Redaction,
    StateChange,
    TextMessage,
    TimelineEvent,
    UnknownEvent,
)

TextKind = Literal["m.text", "m.notice", "m.emote"]

OTHER_MESSAGE_TYPES: Final = (
    "m.sticker",
    "m.location",
    "m.poll.start",
    "org.matrix.msc3381.poll.start",
    "org.matrix.msc3488.location",
)
"""Event types that are messages without text: each gets a sentence."""

_TEXT_KINDS: Final[dict[str, TextKind]] = {
    "m.text": "m.text",
    "m.notice": "m.notice",
    "m.emote": "m.emote",
}
_MEMBERSHIPS: Final = {membership.value: membership for membership in Membership}
_ANSWER_STATES: Final = {state.value: state for state in AnswerState}


class _Common(TypedDict):
    room_id: RoomId
    event_id: EventId
    sender: UserId
    origin_server_ts: int
    transaction_id: TransactionId | None


def parse_event(event: object, room_id: RoomId) -> TimelineEvent:
    """Read one event of `room_id`'s timeline. Never raises."""
    if not isinstance(event, dict):
        return MalformedEvent(room_id, None, "the event is not an object", raw_text(event))
    event_id, sender, kind = id_at(event, "event_id"), id_at(event, "sender"), event.get("type")
    if event_id is None:
        return MalformedEvent(room_id, None, "the event has no id", raw_text(event))
    if sender is None:
        return _malformed(room_id, event_id, "the event has no sender", event)
    if not is_id(kind):
        return _malformed(room_id, event_id, "the event has no type", event)
    unsigned = object_at(event, "unsigned")
    transaction_id = id_at(unsigned, "transaction_id")
    common: _Common = {
        "room_id": room_id,
        "event_id": EventId(event_id),
        "sender": UserId(sender),
        "origin_server_ts": integer_at(event, "origin_server_ts") or 0,
        "transaction_id": None if transaction_id is None else TransactionId(transaction_id),
    }
    content = event.get("content")
    if not isinstance(content, dict):
        return _malformed(room_id, event_id, "the content is not an object", event)
    if "state_key" in event:
        found = _state_event(kind, event, content, common)
    elif kind != "m.room.redaction" and (not content or "redacted_because" in unsigned):
        found = UnknownEvent(type=kind, **common)
    else:
        found = _message_event(kind, event, content, common)
    return found if not isinstance(found, str) else _malformed(room_id, event_id, found, event)


def _malformed(room_id: RoomId, event_id: str, why: str, event: JsonObject) -> MalformedEvent:
    return MalformedEvent(room_id, EventId(event_id), why, raw_text(event))


def _state_event(
    kind: str, event: JsonObject, content: JsonObject, common: _Common
) -> TimelineEvent | str:
    """Give the fact, or the reason why there is none."""
    state_key = event["state_key"]
    if not isinstance(state_key, str):
        return "the state key is not a string"
    if kind != "m.room.member":
        return StateChange(type=kind, state_key=whole(state_key), **common)
    membership = membership_of(content)
    if membership is None or not is_id(state_key):
        return "the membership is not one"
    before = object_at(object_at(event, "unsigned"), "prev_content")
    return MemberChange(
        target=UserId(state_key), membership=membership, previous=membership_of(before), **common
    )


def membership_of(content: JsonObject) -> Membership | None:
    """Give the membership that an `m.room.member`'s content states."""
    value = content.get("membership")
    return _MEMBERSHIPS.get(value) if isinstance(value, str) else None


def _message_event(
    kind: str, event: JsonObject, content: JsonObject, common: _Common
) -> TimelineEvent | str:
    """Give the fact, or the reason why there is none."""
    if kind == "m.room.message":
        return _room_message(content, common)
    if kind == "m.room.encrypted":
        return EncryptedMessage(**common)
    if kind == "m.room.redaction":
        # Room version 11 moved it into the content.
        redacts = id_at(content, "redacts") or id_at(event, "redacts")
        if redacts is None:
            return "the redaction names no event"
        return Redaction(redacts=EventId(redacts), **common)
    if kind in OTHER_MESSAGE_TYPES:
        return OtherMessage(kind=kind, body=text_at(content, "body") or "", **common)
    return UnknownEvent(type=kind, **common)


def _room_message(content: JsonObject, common: _Common) -> TimelineEvent | str:
    relation = object_at(content, "m.relates_to")
    if relation.get("rel_type") == "m.replace":
        return _edit(content, relation, common)
    msgtype, body = content.get("msgtype"), text_at(content, "body")
    if not isinstance(msgtype, str):
        return "the message has no msgtype"
    if msgtype not in _TEXT_KINDS:
        return OtherMessage(kind=whole(msgtype), body=body or "", **common)
    if body is None:
        return "the message has no body"
    is_thread = relation.get("rel_type") == "m.thread"
    replied_to = id_at(object_at(relation, "m.in_reply_to"), "event_id")
    if replied_to is not None:
        body = without_reply_fallback(body)
    if is_thread and relation.get("is_falling_back") is True:
        replied_to = None  # only there for clients that do not know threads
    thread_root = id_at(relation, "event_id") if is_thread else None
    return TextMessage(
        msgtype=_TEXT_KINDS[msgtype],
        body=body,
        in_reply_to=None if replied_to is None else EventId(replied_to),
        thread_root=None if thread_root is None else EventId(thread_root),
        mentions=_mentions(content),
        answer=parse_answer_mark(content.get(ANSWER_KEY)),
        **common,
    )


def _edit(content: JsonObject, relation: JsonObject, common: _Common) -> TimelineEvent | str:
    replaces, newer = id_at(relation, "event_id"), object_at(content, "m.new_content")
    msgtype, body = newer.get("msgtype"), text_at(newer, "body")
    if replaces is None:
        return "the edit names no event"
    if not isinstance(msgtype, str):
        return "the edit has no new content"
    if msgtype not in _TEXT_KINDS:
        return UnknownEvent(type="m.room.message", **common)
    if body is None:
        return "the edit has no new body"
    return TextMessage(
        msgtype=_TEXT_KINDS[msgtype],
        body=body,
        replaces=EventId(replaces),
        mentions=_mentions(newer),
        answer=parse_answer_mark(newer.get(ANSWER_KEY, content.get(ANSWER_KEY))),
        **common,
    )


def _mentions(content: JsonObject) -> frozenset[UserId]:
    user_ids = list_at(object_at(content, "m.mentions"), "user_ids")
    return frozenset(UserId(user_id) for user_id in user_ids if is_id(user_id))


def without_reply_fallback(body: str) -> str:
    """Strip the quote that old clients put before a reply (until v1.13, "Rich replies").

    Only a quote that begins by naming its author is one; a person may quote with `> ` too.
    """
    if not body.startswith(("> <@", "> * <@")):
        return body
    lines = body.split("\n")
    first = next((at for at, line in enumerate(lines) if not line.startswith(">")), len(lines))
    if first < len(lines) and not lines[first]:
        first += 1
    return "\n".join(lines[first:])


def parse_answer_mark(value: object) -> AnswerMark | None:
    """Read `ru.coredump.lambda.answer`; None where it is absent or not as we write it."""
    if not isinstance(value, dict):
        return None
    question, request = value.get("question"), id_at(value, "request")
    instance, state = id_at(value, "instance"), value.get("state")
    part, parts = integer_at(value, "part"), integer_at({"parts": 1, **value}, "parts")
    if request is None or instance is None or part is None or parts is None:
        return None
    if not isinstance(state, str) or state not in _ANSWER_STATES or not 0 <= part < parts:
        return None
    if question is not None and not is_id(question):
        return None
    return AnswerMark(
        question=None if question is None else EventId(question),
        request=RequestId(request),
        part=part,
        state=_ANSWER_STATES[state],
        instance=InstanceId(instance),
        parts=parts,
    )
