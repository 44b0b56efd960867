"""Who may set what in a room: a room's create event and power levels, and the rules over them.

Theory (room versions, "Authorization rules"; client-server API, "Permissions"). What somebody wants
to do needs a level, and everybody has one. Both stand in `m.room.power_levels`; what does not stand
there has a default, and a room without that event has defaults of its own. From room version 12 on
the creators are above all levels, for ever, and do not stand there.

Nothing here knows who is in the room: who is not can do nothing, whatever their level.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from attrs import field, frozen

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import RoomMarker

_CREATOR_LEVEL: Final = 100
"""Of a creator, in a room that has no power levels, before room version 12."""
_VERSIONS_OF_LESSER_CREATORS: Final = frozenset(str(number) for number in range(1, 12))


def has_creators_above_all(room_version: str) -> bool:
    """Whether a room's creators have infinite power, as from room version 12 on."""
    return room_version not in _VERSIONS_OF_LESSER_CREATORS


@frozen(kw_only=True)
class CreateInfo:
    """`m.room.create`: who made the room, in which version, and what it goes on from.

    `additional_creators` count from room version 12 on; before, there are none.
    """

    creator: UserId
    room_version: str
    additional_creators: frozenset[UserId] = frozenset()
    room_type: str | None = None
    predecessor: RoomId | None = None
    marker: RoomMarker | None = None

    @property
    def creators_above_all(self) -> frozenset[UserId]:
        """Who has infinite power; nobody before room version 12."""
        if not has_creators_above_all(self.room_version):
            return frozenset()
        return self.additional_creators | {self.creator}


@frozen(kw_only=True)
class PowerLevels:
    """What `m.room.power_levels` says of states, with the defaults of whatever is not in it."""

    users: Mapping[UserId, int] = field(factory=dict)
    users_default: int = 0
    events: Mapping[str, int] = field(factory=dict)
    state_default: int = 50


@frozen
class Power:
    """Who may set what in one room. `levels` is None in a room that has no power levels."""

    create: CreateInfo
    levels: PowerLevels | None

    def of(self, user: UserId) -> float:
        """Give the user's level; infinite for who is above all levels."""
        if user in self.create.creators_above_all:
            return math.inf
        if self.levels is None:
            return _CREATOR_LEVEL if user == self.create.creator else 0
        return self.levels.users.get(user, self.levels.users_default)

    def may_set(self, user: UserId, event_type: str) -> bool:
        """Whether the user may set state of this type. Membership has rules of its own."""
        levels = self.levels or PowerLevels(state_default=0)
        return self.of(user) >= levels.events.get(event_type, levels.state_default)
