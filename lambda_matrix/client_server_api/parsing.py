"""Whole answers of the homeserver → facts. Above this module nobody sees a dict of its making.

An answer that is not what the specification says raises `UnreadableAnswer`; inside a good answer
nothing raises: a room's section or an event that cannot be read becomes a `MalformedEvent` of that
room, and everything beside it is read as ever.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

from attrs import frozen

from lambda_matrix.client_server_api.content_address import read_mxc
from lambda_matrix.client_server_api.errors import UnreadableAnswer
from lambda_matrix.client_server_api.parsing_account_data import (
    parse_binding,
    parse_instance,
    parse_kept,
)
from lambda_matrix.client_server_api.parsing_events import parse_event
from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    integer_at,
    is_id,
    list_at,
    object_at,
    raw_text,
    read_object,
    text_at,
    whole,
)
from lambda_matrix.client_server_api.parsing_state import parse_room_state
from lambda_matrix.ids import (
    AccessToken,
    DeviceId,
    EventId,
    FilterId,
    RoomId,
    SyncToken,
    UserId,
)
from lambda_matrix.matrix_events import (
    InvitedRoom,
    JoinedRoom,
    LeftRoom,
    MalformedEvent,
    SyncBatch,
    TimelineEvent,
)

log = logging.getLogger(__name__)


@frozen
class WhoAmI:
    """`/account/whoami`: whose the access token is. An application service has no device."""

    user_id: UserId
    device_id: DeviceId | None


@frozen
class LoggedIn:
    """`/login`: a new access token, kept out of every repr."""

    user_id: UserId
    device_id: DeviceId
    access_token: AccessToken

    def __repr__(self) -> str:
        return f"LoggedIn({self.user_id!r}, {self.device_id!r})"


@frozen
class Page:
    """One answer of `/messages`, in the order asked for; `end` is None when there is no more."""

    events: tuple[TimelineEvent, ...]
    end: SyncToken | None


@frozen
class Context:
    """One answer of `/context`: the event, and the tokens from which to page on from it.

    `before` is for paging backwards: the next is what lies right before the event. `after` is for
    paging forwards, from right after it.
    """

    event: TimelineEvent
    before: SyncToken | None
    after: SyncToken | None


def parse_sync(body: bytes, me: UserId) -> SyncBatch:
    """Read an answer of `/sync`. `me` tells our own invites from those of others in a room."""
    answer = read_object(body, "sync")
    rooms = object_at(answer, "rooms")
    return SyncBatch(
        next_batch=SyncToken(_required(answer, "next_batch", "sync")),
        joined=tuple(_joined(*section) for section in _sections(rooms, "join")),
        invited=tuple(
            invited
            for section in _sections(rooms, "invite")
            if (invited := _invited(*section, me)) is not None
        ),
        left=tuple(
            LeftRoom(room_id=room_id, timeline=_timeline(room_id, section))
            for room_id, section in _sections(rooms, "leave")
        ),
        kept=parse_kept(answer),
        instance=parse_instance(answer),
    )


def _sections(rooms: JsonObject, membership: str) -> Iterator[tuple[RoomId, object]]:
    for room_id, section in object_at(rooms, membership).items():
        if is_id(room_id):
            yield RoomId(room_id), section
        else:
            log.warning("a room's section is skipped: %s is no room id", raw_text(room_id))


def _joined(room_id: RoomId, section: object) -> JoinedRoom:
    if not isinstance(section, dict):
        return JoinedRoom(room_id=room_id, timeline=_timeline(room_id, section))
    timeline = object_at(section, "timeline")
    prev_batch = text_at(timeline, "prev_batch")
    return JoinedRoom(
        room_id=room_id,
        timeline=_timeline(room_id, section),
        limited=timeline.get("limited") is True,
        prev_batch=None if prev_batch is None else SyncToken(prev_batch),
        state=parse_room_state(room_id, section),
        binding=parse_binding(room_id, section),
    )


def _timeline(room_id: RoomId, section: object) -> tuple[TimelineEvent, ...]:
    """Read a section's timeline; what is no timeline is kept as one malformed event."""
    if not isinstance(section, dict):
        return (MalformedEvent(room_id, None, "the section is not an object", raw_text(section)),)
    timeline = section.get("timeline", {})
    events = timeline.get("events", []) if isinstance(timeline, dict) else timeline
    if not isinstance(events, list):
        return (MalformedEvent(room_id, None, "the timeline is not a list", raw_text(timeline)),)
    return tuple([parse_event(event, room_id) for event in events])


def _invited(room_id: RoomId, section: object, me: UserId) -> InvitedRoom | None:
    """Read an invite from its stripped state; None where it does not say who invites."""
    inviter: str | None = None
    is_direct = encrypted = False
    room_type: str | None = None
    state = object_at(section, "invite_state") if isinstance(section, dict) else {}
    for event in list_at(state, "events"):
        if not isinstance(event, dict):
            continue
        kind, content = event.get("type"), object_at(event, "content")
        if kind == "m.room.member" and event.get("state_key") == me:
            if content.get("membership") == "invite":
                inviter, is_direct = id_at(event, "sender"), content.get("is_direct") is True
        elif kind == "m.room.encryption":
            encrypted = True
        elif kind == "m.room.create":
            room_type = id_at(content, "type")
    if inviter is None:
        log.warning("an invite to %s is skipped: it names no inviter", room_id)
        return None
    return InvitedRoom(
        room_id=room_id,
        inviter=UserId(inviter),
        is_direct=is_direct,
        encrypted=encrypted,
        room_type=room_type,
    )


def parse_page(body: bytes, room_id: RoomId) -> Page:
    """Read an answer of `/messages`."""
    answer = read_object(body, "messages")
    end = text_at(answer, "end")
    return Page(
        tuple([parse_event(event, room_id) for event in list_at(answer, "chunk")]),
        None if end is None else SyncToken(end),
    )


def parse_context(body: bytes, room_id: RoomId) -> Context:
    """Read an answer of `/context`."""
    answer = read_object(body, "context")
    start, end = text_at(answer, "start"), text_at(answer, "end")
    return Context(
        parse_event(answer.get("event"), room_id),
        None if start is None else SyncToken(start),
        None if end is None else SyncToken(end),
    )


def parse_one_event(body: bytes, room_id: RoomId) -> TimelineEvent:
    """Read the answer of `/event`."""
    return parse_event(read_object(body, "event"), room_id)


def parse_avatar_url(body: bytes) -> str | None:
    """Read somebody's picture: an `mxc://` address, None where there is none."""
    url = text_at(read_object(body, "avatar_url"), "avatar_url")
    return url if url and read_mxc(url) is not None else None


def parse_display_name(body: bytes) -> str | None:
    """Read somebody's name; None where there is none."""
    return text_at(read_object(body, "displayname"), "displayname") or None


def parse_event_id(body: bytes) -> EventId:
    """Read the answer to an event that was sent."""
    return EventId(_required(read_object(body, "send"), "event_id", "send"))


def parse_room_id(body: bytes) -> RoomId:
    """Read the answer of `/createRoom` or `/join`."""
    return RoomId(_required(read_object(body, "createRoom"), "room_id", "createRoom"))


def parse_filter_id(body: bytes) -> FilterId:
    """Read the answer to a filter that was uploaded."""
    return FilterId(_required(read_object(body, "filter"), "filter_id", "filter"))


def parse_whoami(body: bytes) -> WhoAmI:
    """Read the answer of `/account/whoami`."""
    answer = read_object(body, "whoami")
    device_id = id_at(answer, "device_id")
    return WhoAmI(
        UserId(_required(answer, "user_id", "whoami")),
        None if device_id is None else DeviceId(device_id),
    )


def parse_login(body: bytes) -> LoggedIn:
    """Read the answer of `/login`."""
    answer = read_object(body, "login")
    return LoggedIn(
        UserId(_required(answer, "user_id", "login")),
        DeviceId(_required(answer, "device_id", "login")),
        AccessToken(_required(answer, "access_token", "login")),
    )


def parse_default_room_version(body: bytes) -> str:
    """Read the version of new rooms from `/capabilities`; "1" where it is not said (2.6.1)."""
    capabilities = object_at(read_object(body, "capabilities"), "capabilities")
    return id_at(object_at(capabilities, "m.room_versions"), "default") or "1"


def parse_joined_rooms(body: bytes) -> frozenset[RoomId]:
    """Read the answer of `/joined_rooms`."""
    rooms = read_object(body, "joined_rooms").get("joined_rooms")
    if not isinstance(rooms, list):
        raise UnreadableAnswer("joined_rooms: the answer has no list", status=200)
    return frozenset(RoomId(room_id) for room_id in rooms if is_id(room_id))


def parse_joined_members(body: bytes) -> frozenset[UserId]:
    """Read the answer of `/rooms/{roomId}/joined_members`."""
    members = read_object(body, "joined_members").get("joined")
    if not isinstance(members, dict):
        raise UnreadableAnswer("joined_members: the answer has no members", status=200)
    return frozenset(UserId(user_id) for user_id in members if is_id(user_id))


def parse_upload_limit(body: bytes) -> int | None:
    """Read the answer of `/media/config`: bytes of the largest file, where it is said."""
    return integer_at(read_object(body, "media config"), "m.upload.size")


def parse_content_uri(body: bytes) -> str:
    """Read the answer of `/upload`: an `mxc://` address."""
    uri = _required(read_object(body, "upload"), "content_uri", "upload")
    if read_mxc(uri) is None:
        raise UnreadableAnswer("upload: the answer's content_uri is no mxc:// address", status=200)
    return uri


def parse_account_data(body: bytes) -> JsonObject:
    """Read account data: JSON of our own writing, whose meaning is its reader's."""
    return read_object(body, "account_data")


def _required(answer: JsonObject, key: str, asked: str) -> str:
    value = answer.get(key)
    if not isinstance(value, str) or not value or whole(value) != value:
        raise UnreadableAnswer(f"{asked}: the answer has no {key}", status=200)
    return value
