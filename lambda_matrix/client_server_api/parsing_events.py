"""One event of a timeline → one fact. What cannot be read becomes a `MalformedEvent`.

Theory. An event is read outside in: first what makes it an event (id, sender, type), without which
nothing can be stored but its text; then whether it is state (a `state_key`), because a message
type with a state key is no message; then whether it was redacted, because then its content means
nothing; and only then its content, by type.
"""

from __future__ import annotations

from typing import Final

from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    integer_at,
    is_id,
    object_at,
    raw_text,
    text_at,
    whole,
)
from lambda_matrix.client_server_api.parsing_messages import CommonFields, parse_message
from lambda_matrix.ids import EventId, RoomId, TransactionId, UserId
from lambda_matrix.matrix_events import (
    EncryptedMessage,
    MalformedEvent,
    MemberChange,
    Membership,
    OtherMessage,
    Redaction,
    StateChange,
    TimelineEvent,
    UnknownEvent,
)

OTHER_MESSAGE_TYPES: Final = (
    "m.sticker",
    "m.location",
    "m.poll.start",
    "org.matrix.msc3381.poll.start",
    "org.matrix.msc3488.location",
)
"""Event types that are messages without text: each gets a sentence."""

_MEMBERSHIPS: Final = {membership.value: membership for membership in Membership}


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
    common: CommonFields = {
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
        found = UnknownEvent(type=kind, is_redacted=True, **common)
    else:
        found = _message_event(kind, event, content, common)
    return found if not isinstance(found, str) else _malformed(room_id, event_id, found, event)


def _malformed(room_id: RoomId, event_id: str, why: str, event: JsonObject) -> MalformedEvent:
    return MalformedEvent(room_id, EventId(event_id), why, raw_text(event))


def _state_event(
    kind: str, event: JsonObject, content: JsonObject, common: CommonFields
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
    kind: str, event: JsonObject, content: JsonObject, common: CommonFields
) -> TimelineEvent | str:
    """Give the fact, or the reason why there is none."""
    if kind == "m.room.message":
        return parse_message(event, content, common)
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
