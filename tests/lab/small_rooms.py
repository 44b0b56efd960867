"""A room of the small homeserver: what was said in it, and what it tells of that."""

from __future__ import annotations

from attrs import define, field

from lambda_matrix.ids import EventId, RoomId, UserId
from tests.lab.small_http import Json


@define(eq=False)
class Room:
    """A room: its events with their positions in the stream of the whole homeserver."""

    room_id: RoomId
    events: list[tuple[int, Json]] = field(factory=list)

    def state(self, since: int = 0) -> list[Json]:
        """What changed after position `since`, as it is now."""
        latest = {(e["type"], e["state_key"]): (at, e) for at, e in self.events if "state_key" in e}
        return [event for at, event in latest.values() if at > since]

    def event(self, event_id: EventId) -> Json | None:
        return next((event for _, event in self.events if event["event_id"] == event_id), None)

    def shown(self, event: Json) -> Json:
        """An event as it is told outside of /sync: with its room, and its newest edit."""
        unsigned = dict(event.get("unsigned", {}))
        edits = [edit for _, edit in self.events if _replaces(edit, event)]
        if edits:
            unsigned["m.relations"] = {"m.replace": {**edits[-1], "room_id": self.room_id}}
        return {**event, "room_id": self.room_id, "unsigned": unsigned}

    def membership(self, user: UserId) -> str | None:
        for event in self.state():
            if (event["type"], event["state_key"]) == ("m.room.member", user):
                membership: str = event["content"]["membership"]
                return membership
        return None

    def members(self, membership: str = "join") -> list[UserId]:
        events = (event for event in self.state() if event["type"] == "m.room.member")
        return [e["state_key"] for e in events if e["content"]["membership"] == membership]


def is_about(event: Json, user: UserId) -> bool:
    """Whether the event is a membership of `user`'s; so is, for want of one, an empty event."""
    return not event or (event["type"], event.get("state_key")) == ("m.room.member", user)


def _replaces(edit: Json, event: Json) -> bool:
    content = edit.get("content")
    relation = content.get("m.relates_to") if isinstance(content, dict) else None
    if not isinstance(relation, dict) or relation.get("rel_type") != "m.replace":
        return False
    same: bool = relation.get("event_id") == event["event_id"]
    return same and edit["sender"] == event["sender"]
