"""All that an account has at its homeserver, as one answer of /sync without a token tells it.

The filter goes along in the query, so that looking around stores nothing there: the survey is one
GET. Rooms that were left and are not forgotten come, too (`include_leave`).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from enum import Enum
from typing import Final

from attrs import frozen

from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    is_id,
    list_at,
    object_at,
    read_object,
    text_at,
)
from lambda_matrix.ids import RoomId

OUR_TYPES: Final = "ru.coredump.lambda."
"""What the types of our own account data begin with."""
_STATE_TYPES: Final = ("m.room.create", "m.room.name")
_SPACE: Final = "m.space"
_NOTHING: Final[dict[str, tuple[str, ...]]] = {"types": ()}
_OURS: Final = {"types": (f"{OUR_TYPES}*",)}


_STATE_KEYS: Final = (
    "invite_state",
    "state",
    "timeline",
    "state_after",
    "org.matrix.msc4222.state_after",
)
"""Where a section tells of state, the later over the earlier."""


def survey_filter() -> str:
    """Return what is asked for, as JSON (8.2)."""
    wanted = {
        "presence": asked_anew(),
        "account_data": _OURS,
        "room": {
            "include_leave": True,
            "ephemeral": _NOTHING,
            "account_data": _OURS,
            "state": {"types": _STATE_TYPES, "lazy_load_members": True},
            # The state that is told is the one before the timeline, which then must tell the rest.
            "timeline": {"limit": 1, "types": _STATE_TYPES, "lazy_load_members": True},
        },
    }
    return json.dumps(wanted)


def asked_anew() -> dict[str, object]:
    """Return a filter of presence that lets nothing pass, and that nobody has sent before.

    Synapse keeps an answer of /sync for two minutes, for whoever asks in the very same words. Who
    asks without a token wants to hear how things are now.
    """
    return {"types": (), "not_types": (f"{OUR_TYPES}{secrets.token_hex(8)}",)}


class Standing(Enum):
    """What the account is in a room."""

    JOINED = "join"
    INVITED = "invite"
    LEFT = "leave"


@frozen(kw_only=True)
class SurveyedRoom:
    """A room of the account's. `bound` names the types of our account data of the room."""

    room_id: RoomId
    standing: Standing
    is_space: bool = False
    name: str = ""
    bound: tuple[str, ...] = ()


@frozen
class Survey:
    """What the account has: its rooms, and our account data that is not empty, by its types."""

    rooms: tuple[SurveyedRoom, ...]
    account_data: tuple[tuple[str, JsonObject], ...]


def parse_survey(body: bytes) -> Survey:
    """Read an answer of /sync; a room of which nothing can be read is a room all the same.

    Raises:
        UnreadableAnswer: it is no answer of /sync.
    """
    answer = read_object(body, "sync")
    rooms = object_at(answer, "rooms")
    return Survey(
        rooms=tuple(
            _room(RoomId(room_id), standing, section if isinstance(section, dict) else {})
            for standing in Standing
            for room_id, section in object_at(rooms, standing.value).items()
            if is_id(room_id)
        ),
        account_data=tuple(_account_data(answer)),
    )


def _room(room_id: RoomId, standing: Standing, section: JsonObject) -> SurveyedRoom:
    name, is_space = "", False
    for event in _state(section):
        content = object_at(event, "content")
        if event.get("type") == "m.room.create":
            is_space = id_at(content, "type") == _SPACE
        elif event.get("type") == "m.room.name":
            name = text_at(content, "name") or ""
    return SurveyedRoom(
        room_id=room_id,
        standing=standing,
        is_space=is_space,
        name=name,
        bound=tuple(kind for kind, _ in _account_data(section)),
    )


def _state(section: JsonObject) -> Iterator[JsonObject]:
    """Give the events of a section's state, in whichever of its forms it comes."""
    for key in _STATE_KEYS:
        for event in list_at(object_at(section, key), "events"):
            if isinstance(event, dict):
                yield event


def _account_data(container: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Give our account data; what is empty was taken back, since it cannot be deleted."""
    for event in list_at(object_at(container, "account_data"), "events"):
        if isinstance(event, dict):
            kind, content = id_at(event, "type"), object_at(event, "content")
            if kind is not None and kind.startswith(OUR_TYPES) and content:
                yield kind, content
