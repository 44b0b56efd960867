"""Events and /sync answers as a homeserver makes them, for the tests of the parsers."""

from __future__ import annotations

import json
from typing import Any

from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.matrix_events import TextMessage

Json = dict[str, Any]

ME = "@bot:example.org"
ANNA = "@anna:example.org"
ROOM = "!room:example.org"
ROOM_ID = RoomId(ROOM)
COMMON: Any = {
    "room_id": ROOM_ID,
    "event_id": EventId("$event"),
    "sender": UserId(ANNA),
    "origin_server_ts": 1_700_000_000_000,
}
"""What the fact of `event()` has."""


def event(kind: str = "m.room.message", content: Json | None = None, **more: object) -> Json:
    """An event of Anna's; a text message unless said otherwise."""
    return {
        "type": kind,
        "event_id": "$event",
        "sender": ANNA,
        "origin_server_ts": 1_700_000_000_000,
        "content": {"msgtype": "m.text", "body": "hello"} if content is None else content,
        **more,
    }


def state(kind: str, content: Json, state_key: str = "", **more: object) -> Json:
    """A state event."""
    return event(kind, content, state_key=state_key, **more)


def member(user_id: str, membership: str, **more: object) -> Json:
    """A membership."""
    return state("m.room.member", {"membership": membership}, user_id, **more)


def joined(*timeline: object, **more: object) -> Json:
    """A `rooms.join` section."""
    return {"timeline": {"events": list(timeline), "prev_batch": "p1", "limited": False}, **more}


def answer(join: Json | None = None, invite: Json | None = None, leave: Json | None = None) -> Json:
    """A whole answer."""
    return {
        "next_batch": "s2",
        "rooms": {"join": join or {}, "invite": invite or {}, "leave": leave or {}},
        "device_one_time_keys_count": {"signed_curve25519": 0},
    }


def encoded(value: object) -> bytes:
    """As on the wire."""
    return json.dumps(value).encode()


def text(**more: Any) -> TextMessage:
    """The fact of `event()`."""
    return TextMessage(**{"msgtype": "m.text", "body": "hello", **COMMON, **more})


def edit(newer: object, **more: object) -> Json:
    """An edit of `$first`."""
    return event(
        content={
            "msgtype": "m.text",
            "body": "* newer",
            "m.relates_to": {"rel_type": "m.replace", "event_id": "$first"},
            "m.new_content": newer,
            **more,
        }
    )
