"""The homeserver's word on a room's power levels and creation → facts.

Power levels of room versions before 10 may be strings of digits; so they are read in every version,
where a homeserver would not have let them in.
"""

from __future__ import annotations

import re
from typing import Final

from lambda_matrix.client_server_api.errors import UnreadableAnswer
from lambda_matrix.client_server_api.parsing_events import membership_of
from lambda_matrix.client_server_api.parsing_json import (
    JsonObject,
    id_at,
    integer_at,
    is_id,
    list_at,
    object_at,
    read_object,
)
from lambda_matrix.client_server_api.parsing_state import (
    FIRST_ROOM_VERSION,
    parse_marker,
    parse_predecessor,
)
from lambda_matrix.client_server_api.power import (
    CreateInfo,
    PowerLevels,
    has_creators_above_all,
)
from lambda_matrix.ids import UserId
from lambda_matrix.matrix_events import Membership

_DIGITS: Final = re.compile(r"\s*[+-]?\d{1,15}\s*", re.ASCII)


def parse_membership(body: bytes) -> Membership | None:
    """Read the content of `m.room.member`; None where it states no membership."""
    return membership_of(read_object(body, "a membership"))


def parse_power_levels(body: bytes) -> PowerLevels:
    """Read the content of `m.room.power_levels`; what is no level is as if it were not there."""
    content = read_object(body, "power levels")
    levels = {
        key: level
        for key in ("users_default", "state_default")
        if (level := _level_at(content, key)) is not None
    }
    users = _levels_in(object_at(content, "users"))
    return PowerLevels(
        users={UserId(user): level for user, level in users.items()},
        events=_levels_in(object_at(content, "events")),
        **levels,
    )


def _levels_in(container: JsonObject) -> dict[str, int]:
    levels = ((key, _level_at(container, key)) for key in container if is_id(key))
    return {key: level for key, level in levels if level is not None}


def _level_at(container: JsonObject, key: str) -> int | None:
    value = container.get(key)
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        return int(value)
    return integer_at(container, key)


def parse_create_event(body: bytes) -> CreateInfo:
    """Read a whole `m.room.create` event.

    Raises:
        UnreadableAnswer: It does not say who made the room.
    """
    event = read_object(body, "m.room.create")
    content = object_at(event, "content")
    sender = id_at(event, "sender")
    if sender is None:
        raise UnreadableAnswer("m.room.create: the answer names no sender", status=200)
    version = id_at(content, "room_version") or FIRST_ROOM_VERSION
    others = list_at(content, "additional_creators") if has_creators_above_all(version) else []
    return CreateInfo(
        creator=UserId(sender),
        room_version=version,
        additional_creators=frozenset(UserId(user) for user in others if is_id(user)),
        room_type=id_at(content, "type"),
        predecessor=parse_predecessor(content),
        marker=parse_marker(content),
    )
