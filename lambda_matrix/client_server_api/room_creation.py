"""What a room of ours is made of: the body of `createRoom` for a Space or a chat room.

Theory. The bot is the creator and stays above everybody; the owner has 100. From room version 12
on a creator has infinite power by being the creator and *must not* stand in the power levels;
before, it is a user like any other and gets more than the owner's 100 there. Nobody but the bot
may switch encryption on, which cannot be undone and which the bot cannot read yet.

`power_level_content_override` replaces whole keys of the homeserver's defaults, so `events` is
given in full. The preset is `private_chat`; `trusted_private_chat` would make the invitee a
co-creator in version 12.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import MARKER_KEY, RoomMarker

SPACE_TYPE: Final = "m.space"

_OWNER_POWER: Final = 100
_BOT_POWER: Final = 150
"""Only before room version 12."""
_ENCRYPTION_POWER: Final = 150
_SPACE_CHAT_POWER: Final = 100
"""Nobody chats in the Space itself (10.x "Spaces": events_default 100)."""
_VERSIONS_WITH_CREATOR_IN_POWER_LEVELS: Final = frozenset(str(number) for number in range(1, 12))


@frozen
class InitialState:
    """A state event that the room has from its birth."""

    type: str
    content: Mapping[str, object]
    state_key: str = ""


@frozen(kw_only=True)
class RoomCreation:
    """A Space or a chat room to be made for `marker.owner`.

    `marker` goes into the create event, so that the room is found again if the answer is lost.
    A chat room with a `parent` links to its Space from the start, by way of the servers `via`.
    Who stands in `invite` is invited within the same request (no invite limit counts it).
    """

    marker: RoomMarker
    name: str
    topic: str | None = None
    invite: tuple[UserId, ...] = ()
    parent: RoomId | None = None
    via: tuple[str, ...] = ()
    initial_state: tuple[InitialState, ...] = field(default=())

    @property
    def room_type(self) -> str | None:
        """`m.space` for a Space."""
        return SPACE_TYPE if self.marker.kind == "space" else None


def creation_body(creation: RoomCreation, *, bot: UserId, room_version: str) -> bytes:
    """Give the JSON of the request that makes the room, as `bot`, in `room_version`."""
    body: dict[str, object] = {
        "preset": "private_chat",
        "visibility": "private",
        "room_version": room_version,
        "name": creation.name,
        "invite": list(creation.invite),
        "creation_content": _creation_content(creation),
        "power_level_content_override": _power_levels(creation, bot, room_version),
        "initial_state": [
            {"type": state.type, "state_key": state.state_key, "content": dict(state.content)}
            for state in _initial_state(creation)
        ],
    }
    if creation.topic is not None:
        body["topic"] = creation.topic
    return json.dumps(body).encode()


def _creation_content(creation: RoomCreation) -> dict[str, object]:
    marker = creation.marker
    content: dict[str, object] = {
        MARKER_KEY: {"intent": marker.intent, "kind": marker.kind, "owner": marker.owner}
    }
    if creation.room_type is not None:
        content["type"] = creation.room_type
    return content


def _power_levels(creation: RoomCreation, bot: UserId, room_version: str) -> dict[str, object]:
    has_creator = room_version in _VERSIONS_WITH_CREATOR_IN_POWER_LEVELS
    users: dict[str, int] = {creation.marker.owner: _OWNER_POWER}
    if has_creator:
        users[bot] = _BOT_POWER
    levels: dict[str, object] = {
        "users": users,
        "events": {
            "m.room.name": 50,
            "m.room.avatar": 50,
            "m.room.canonical_alias": 50,
            "m.room.history_visibility": 100,
            "m.room.power_levels": 100,
            "m.room.server_acl": 100,
            # A version 12 homeserver refuses less than 150 here; before, nobody has that much.
            "m.room.tombstone": 100 if has_creator else 150,
            "m.room.encryption": _ENCRYPTION_POWER,
        },
    }
    if creation.marker.kind == "space":
        levels["events_default"] = _SPACE_CHAT_POWER
    return levels


def _initial_state(creation: RoomCreation) -> tuple[InitialState, ...]:
    own = (
        InitialState("m.room.history_visibility", {"history_visibility": "shared"}),
        InitialState("m.room.guest_access", {"guest_access": "forbidden"}),
    )
    if creation.parent is None:
        return own + creation.initial_state
    link = {"via": list(creation.via), "canonical": True}
    parent = InitialState("m.space.parent", link, state_key=creation.parent)
    return (*own, parent, *creation.initial_state)
