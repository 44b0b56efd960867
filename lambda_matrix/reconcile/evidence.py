"""What may be believed of all that is observed, and found quickly.

Three things are trusted, since nobody but the bot can make them: its own account data, the marker
in a room that it made itself, and a link in a Space whose sender it is. A marker in anybody else's
room is a forgery or a copy, and does not count.
"""

from collections import defaultdict

from attrs import define, field

from lambda_matrix.account_data import Binding, Unbound
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import RoomMarker
from lambda_matrix.reconcile.topology import NO_NUMBER, Observed, SeenChild, SeenRoom
from lambda_matrix.store.records import Intent
from lambda_matrix.store.records.rooms import PERSON_AND_BOT


@define
class Evidence:
    """The rooms that the bot is in, in the order in which they were made, and what is known.

    Nothing is known of a room that it is not in, or it would be known until that is noted.
    """

    _observed: Observed
    rooms: tuple[SeenRoom, ...] = field(init=False)
    _bindings: dict[RoomId, Binding | Unbound] = field(init=False)
    _links: dict[tuple[RoomId, RoomId], SeenChild] = field(init=False)
    _parents: dict[RoomId, set[RoomId]] = field(init=False)
    _made_for: dict[str, list[RoomId]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        joined = self._observed.joined
        rooms = (room for room in self._observed.rooms if room.room_id in joined)
        self.rooms = tuple(sorted(rooms, key=_age))
        bindings = self._observed.bindings.items()
        self._bindings = {room_id: each for room_id, each in bindings if room_id in joined}
        children = [child for child in self._observed.children if child.space_id in joined]
        self._links = {(child.space_id, child.room_id): child for child in children}
        self._parents = defaultdict(set)
        for child in children:
            if child.has_via and child.sender == self._observed.me:
                self._parents[child.room_id].add(child.space_id)
        self._made_for = defaultdict(list)
        for room in self.rooms:
            if (marker := self.marker(room)) is not None:
                self._made_for[marker.intent].append(room.room_id)

    def marker(self, room: SeenRoom) -> RoomMarker | None:
        """Return the room's marker if we made the room; anybody else's is none."""
        return room.marker if room.creator == self._observed.me else None

    def binding(self, room_id: RoomId | None) -> Binding | Unbound | None:
        """Return what our account data says of the room; None: nothing."""
        return None if room_id is None else self._bindings.get(room_id)

    def made_for(self, intent: str) -> RoomId | None:
        """Return the room of this intent: of several the bound one, else the one made first."""
        made = self._made_for.get(intent, ())
        bound = (room_id for room_id in made if isinstance(self.binding(room_id), Binding))
        return next(bound, next(iter(made), None))

    def parents(self, room: SeenRoom) -> set[RoomId]:
        """Return the Spaces into which we have put a room that we made."""
        return self._parents[room.room_id] if room.creator == self._observed.me else set()

    def link(self, space_id: RoomId, room_id: RoomId) -> SeenChild | None:
        """Return the room's link in this Space, if it ever had one."""
        return self._links.get((space_id, room_id))

    def spaces_with_children(self) -> set[RoomId]:
        """Return the Spaces that have, or had, a link to any room."""
        return {space_id for space_id, _ in self._links}

    def is_about_to_move_to(self, room: SeenRoom, binding: Binding) -> bool:
        """Return whether an upgrade is being followed, and the old room is still bound, too."""
        old = self.binding(room.predecessor)
        return isinstance(old, Binding) and old.platform_chat_id == binding.platform_chat_id

    def direct_with(self, room: SeenRoom) -> UserId | None:
        """Return who may talk to us, and is alone with us in this room of their own making."""
        creator = room.creator
        is_theirs = creator in self._observed.may_talk and creator != self._observed.me
        is_plain = room.room_type is None and room.replaced_by is None
        is_direct = is_theirs and is_plain and room.member_count == PERSON_AND_BOT
        return creator if is_direct else None

    def spoken_for(self) -> set[RoomId]:
        """Return the rooms that were ever bound, or in which another one goes on."""
        goes_on_in = {room.replaced_by for room in self.rooms if room.replaced_by is not None}
        return goes_on_in | self._bindings.keys()


def is_first(binding: Binding, intent: Intent) -> bool:
    """Return whether the binding is the one with which the making of the intent's chat ends."""
    return intent.agent is not None and binding == Binding(
        owner=intent.owner,
        agent=intent.agent,
        platform_chat_id=intent.platform_chat_id or NO_NUMBER,
    )


def _age(room: SeenRoom) -> tuple[bool, int, RoomId]:
    return (room.created_at is None, room.created_at or 0, room.room_id)
