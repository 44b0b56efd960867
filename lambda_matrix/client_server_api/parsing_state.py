"""State events → what a batch newly says about a room.

With MSC4222 (`state_after`, v1.16) a room's section holds the state after its timeline, and state
events of the timeline are history only. Without it the section's `state` is what was before the
timeline, and the timeline's state events come on top, in order.
"""

from __future__ import annotations

from typing import Final, Literal

from attrs import define, field

from lambda_matrix.client_server_api.parsing_events import parse_event
from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    integer_at,
    is_id,
    list_at,
    object_at,
    text_at,
)
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import (
    MARKER_KEY,
    MemberChange,
    RoomMarker,
    RoomState,
    SpaceChild,
    Tombstone,
)

_STATE_AFTER: Final = ("state_after", "org.matrix.msc4222.state_after")
_MARKER_KINDS: Final[dict[str, Literal["space", "chat"]]] = {"space": "space", "chat": "chat"}
FIRST_ROOM_VERSION: Final = "1"
"""The version of a room whose create event names none."""


def parse_room_state(room_id: RoomId, section: JsonObject) -> RoomState:
    """Fold the state events of one `rooms.join` section. Malformed ones are skipped."""
    fold = _Fold(room_id)
    after = next((section[key] for key in _STATE_AFTER if key in section), None)
    if isinstance(after, dict):
        fold.add_all(after.get("events"))
    else:
        fold.add_all(object_at(section, "state").get("events"))
        fold.add_all(object_at(section, "timeline").get("events"))
    return fold.result(integer_at(object_at(section, "summary"), "m.joined_member_count"))


def parse_marker(content: JsonObject) -> RoomMarker | None:
    """Read our marker in an `m.room.create`'s content; None where it is absent or not ours."""
    marker = object_at(content, MARKER_KEY)
    intent, owner, kind = id_at(marker, "intent"), id_at(marker, "owner"), marker.get("kind")
    if intent is None or owner is None or not isinstance(kind, str) or kind not in _MARKER_KINDS:
        return None
    return RoomMarker(intent, _MARKER_KINDS[kind], UserId(owner))


def parse_predecessor(create: JsonObject) -> RoomId | None:
    """Read the room that a room with this `m.room.create` content goes on from."""
    room_id = id_at(object_at(create, "predecessor"), "room_id")
    return None if room_id is None else RoomId(room_id)


@define
class _Fold:
    """The state so far; a later event of a key replaces an earlier one."""

    room_id: RoomId
    members: dict[UserId, MemberChange] = field(factory=dict)
    children: dict[RoomId, SpaceChild] = field(factory=dict)
    singles: dict[str, JsonObject] = field(factory=dict)

    def add_all(self, events: object) -> None:
        for event in events if isinstance(events, list) else []:
            if isinstance(event, dict) and "state_key" in event:
                self.add(event)

    def add(self, event: JsonObject) -> None:
        kind = event.get("type")
        if kind == "m.room.member":
            fact = parse_event(event, self.room_id)
            if isinstance(fact, MemberChange):
                self.members[fact.target] = fact
        elif kind == "m.space.child":
            self.add_child(event)
        elif isinstance(kind, str) and event["state_key"] == "":
            self.singles[kind] = event

    def add_child(self, event: JsonObject) -> None:
        room_id, sender = event["state_key"], id_at(event, "sender")
        if is_id(room_id) and sender is not None:
            has_via = any(map(is_id, list_at(object_at(event, "content"), "via")))
            self.children[RoomId(room_id)] = SpaceChild(RoomId(room_id), has_via, UserId(sender))

    def tombstone(self) -> Tombstone | None:
        event = self.singles.get("m.room.tombstone", {})
        replacement = id_at(object_at(event, "content"), "replacement_room")
        sender = id_at(event, "sender")
        if replacement is None or sender is None:
            return None
        return Tombstone(RoomId(replacement), UserId(sender))

    def content(self, kind: str) -> JsonObject | None:
        event = self.singles.get(kind)
        return None if event is None else object_at(event, "content")

    def result(self, joined_member_count: int | None) -> RoomState:
        name, create = self.content("m.room.name"), self.content("m.room.create")
        creator = None if create is None else id_at(self.singles["m.room.create"], "sender")
        return RoomState(
            creator=None if creator is None else UserId(creator),
            created_at=(
                None
                if create is None
                else integer_at(self.singles["m.room.create"], "origin_server_ts")
            ),
            room_type=None if create is None else id_at(create, "type"),
            room_version=(
                None if create is None else id_at(create, "room_version") or FIRST_ROOM_VERSION
            ),
            marker=None if create is None else parse_marker(create),
            name=None if name is None else text_at(name, "name") or "",
            encrypted=True if self.content("m.room.encryption") is not None else None,
            tombstone=self.tombstone(),
            predecessor=None if create is None else parse_predecessor(create),
            children=tuple(self.children.values()),
            members=tuple(self.members.values()),
            joined_member_count=joined_member_count,
        )
