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
from typing import Final

from attrs import frozen

from lambda_matrix.client_server_api.command_descriptions import (
    CommandDescription,
    description_event,
)
from lambda_matrix.client_server_api.initial_state import InitialState
from lambda_matrix.client_server_api.power import has_creators_above_all
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import MARKER_KEY, RoomMarker

SPACE_TYPE: Final = "m.space"

_OWNER_POWER: Final = 100
_BOT_POWER: Final = 150
"""Only before room version 12."""
_ENCRYPTION_POWER: Final = 150
_SPACE_CHAT_POWER: Final = 100
"""Nobody chats in the Space itself (10.x "Spaces": events_default 100)."""


@frozen(kw_only=True)
class RoomCreation:
    """A Space or a chat room to be made for `marker.owner`.

    `marker` goes into the create event, so that the room is found again if the answer is lost.
    A chat room with a `parent` links to its Space from the start, by way of the servers `via`.
    Who stands in `invite` is invited within the same request (no invite limit counts it).
    `avatar` is an `mxc://` address. The `commands` are described for clients that offer them.
    """

    marker: RoomMarker
    name: str
    topic: str | None = None
    invite: tuple[UserId, ...] = ()
    parent: RoomId | None = None
    via: tuple[str, ...] = ()
    avatar: str | None = None
    commands: tuple[CommandDescription, ...] = ()
    initial_state: tuple[InitialState, ...] = ()

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
            for state in _initial_state(creation, bot)
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
    has_creator = not has_creators_above_all(room_version)
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


def _initial_state(creation: RoomCreation, bot: UserId) -> tuple[InitialState, ...]:
    states = [
        InitialState("m.room.history_visibility", {"history_visibility": "shared"}),
        InitialState("m.room.guest_access", {"guest_access": "forbidden"}),
    ]
    if creation.avatar is not None:
        states.append(InitialState("m.room.avatar", {"url": creation.avatar}))
    if creation.parent is not None:
        link = {"via": list(creation.via), "canonical": True}
        states.append(InitialState("m.space.parent", link, state_key=creation.parent))
    descriptions = (description_event(command, bot) for command in creation.commands)
    return (*states, *descriptions, *creation.initial_state)
