"""What is to be repaired: a pure function of what is observed and what is recorded.

The theory. What people do by hand wins: a link that somebody emptied is not put back, a link that
somebody put back is not taken out, and who left is not invited again. What has not ended yet (a
room being made, a chat being ended, an upgrade to be followed, a command to be done once more) is
left to whoever takes it up after the start, so a plan never competes with them. What may be
believed at all is `evidence`'s.

The order is the same however often it is made: people first, for new contexts are for the agent of
their choice; then rooms in the order in which they were made, so numbers are given in that order.
"""

from attrs import define, evolve, field

from lambda_matrix.account_data import Binding, Unbound
from lambda_matrix.ids import PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import RoomMarker
from lambda_matrix.reconcile.choices import plan_choices
from lambda_matrix.reconcile.evidence import Evidence, is_first
from lambda_matrix.reconcile.repairs import (
    BindRoom,
    FinishChat,
    FinishTree,
    FollowBinding,
    KeepBinding,
    LeaveDuplicate,
    LinkChat,
    NoteByHand,
    NoteLeft,
    NoteMoved,
    Repair,
    RestoreChat,
    RestoreDirect,
    RestoreSpace,
    UnlinkChat,
)
from lambda_matrix.reconcile.topology import (
    Observed,
    Recorded,
    RecordedRoom,
    SeenChild,
    SeenRoom,
)
from lambda_matrix.store.records import Intent, RoomKind


def plan(observed: Observed, recorded: Recorded) -> tuple[Repair, ...]:
    """Return what is to be repaired, in the order in which it is to be done."""
    planning = _Planning(observed, recorded)
    planning.departures()
    planning.spaces()
    for room in planning.evidence.rooms:
        planning.room(room)
    planning.links()
    planning.trees()
    planning.direct_rooms()
    return (*plan_choices(observed, recorded), *planning.repairs)


@define
class _Chat:
    """A chat as it will be: whose, and whether archived. `settled`: its Space is looked at."""

    room: SeenRoom
    owner: UserId
    archived: bool
    is_settled: bool = True


@define
class _Planning:
    """The plan so far, and what will be true once it is done."""

    observed: Observed
    recorded: Recorded
    repairs: list[Repair] = field(factory=list)
    evidence: Evidence = field(init=False)
    intents: dict[str, Intent] = field(init=False)
    numbers: dict[PlatformChatId, RoomId] = field(init=False)
    space_of: dict[UserId, SeenRoom] = field(factory=dict)
    chats: dict[RoomId, _Chat] = field(factory=dict)
    awaited: set[UserId] = field(factory=set)
    """Those for whom a chat is being made, or is about to be."""

    def __attrs_post_init__(self) -> None:
        self.evidence = Evidence(self.observed)
        self.intents = {intent.intent_id: intent for intent in self.recorded.intents}
        self.numbers = dict(self.recorded.numbers)
        self.awaited = {intent.owner for intent in self.recorded.intents if not intent.done}

    # -- rooms --

    def departures(self) -> None:
        """Rooms that the bot is not in any more."""
        gone = self.recorded.rooms.keys() - self.observed.joined
        self.repairs += [NoteLeft(room_id=room_id) for room_id in sorted(gone)]

    def spaces(self) -> None:
        """The Space of each person: the one that was made first."""
        for room in self.evidence.rooms:
            known = self._known(room)
            owner = known.owner
            if known.kind is RoomKind.UNREGISTERED and room.room_type is not None:
                marker = self.evidence.marker(room)
                owner = None
                if marker is not None and marker.kind == "space" and self._is_for_us(room, marker):
                    owner = marker.owner
                    self.repairs.append(
                        RestoreSpace(room_id=room.room_id, owner=owner, intent=marker.intent)
                    )
            elif known.kind is not RoomKind.SPACE:
                continue
            if owner is not None:
                self.space_of.setdefault(owner, room)

    def room(self, room: SeenRoom) -> None:
        """Whatever else a room may be."""
        known, binding = self._known(room), self.evidence.binding(room.room_id)
        match known.kind:
            case RoomKind.SPACE | RoomKind.MOVED:
                pass
            case RoomKind.CHAT:
                self._recorded_chat(room, known, binding)
            case RoomKind.UNREGISTERED | RoomKind.DIRECT if isinstance(binding, Binding):
                self._bound_room(room, binding)
            case RoomKind.UNREGISTERED if room.replaced_by is not None:
                self._replaced_room(room, binding)
            case RoomKind.UNREGISTERED if room.room_type is None and binding is None:
                self._unbound_room(room)
            case RoomKind.UNREGISTERED | RoomKind.DIRECT:
                pass

    def _bound_room(self, room: SeenRoom, binding: Binding) -> None:
        """A room of which we know nothing, and our account data all: a chat."""
        marker = self.evidence.marker(room)
        if marker is not None and not self._is_for_us(room, marker, binding):
            return
        number = binding.platform_chat_id
        if binding.since_event in self.recorded.pending and number <= self.recorded.highest:
            return  # a `!bind` was cut off here, and is to be done once more
        if self.evidence.is_about_to_move_to(room, binding) or not self._take_numbers(
            room, binding
        ):
            return
        self.repairs.append(
            RestoreChat(
                room_id=room.room_id,
                binding=binding,
                intent=None if marker is None else marker.intent,
                created_at=room.created_at,
            )
        )
        self.chats[room.room_id] = _Chat(room, binding.owner, binding.archived)

    def _replaced_room(self, room: SeenRoom, binding: Binding | Unbound | None) -> None:
        """A room that goes on in another one: a chat, if a binding went along.

        Some homeservers forget account data that was emptied; then the marker says what it was.
        """
        marker, goes_on = self.evidence.marker(room), self.evidence.binding(room.replaced_by)
        owner = goes_on.owner if isinstance(goes_on, Binding) else None
        if binding is None and (marker is None or owner is None):
            return
        if marker is not None:
            owner = marker.owner
        intent = None if marker is None else marker.intent
        self.repairs.append(NoteMoved(room_id=room.room_id, owner=owner, intent=intent))

    def _unbound_room(self, room: SeenRoom) -> None:
        """A room that may have been made for a chat, and has no binding."""
        marker = self.evidence.marker(room)
        if marker is not None:
            is_new = marker.intent not in self.intents
            if marker.kind == "chat" and self._is_for_us(room, marker) and is_new:
                self.repairs.append(
                    FinishChat(room_id=room.room_id, owner=marker.owner, intent=marker.intent)
                )
                self.awaited.add(marker.owner)
            return
        parents = self.evidence.parents(room)
        owners = (owner for owner, space in self.space_of.items() if space.room_id in parents)
        owner = next(owners, None) if parents else None
        if owner is not None:
            self.repairs.append(BindRoom(room_id=room.room_id, owner=owner))
            self.chats[room.room_id] = _Chat(room, owner, archived=False)

    def _recorded_chat(
        self, room: SeenRoom, known: RecordedRoom, binding: Binding | Unbound | None
    ) -> None:
        if known.ended or room.replaced_by is not None or known.owner is None:
            return
        chat = _Chat(room, known.owner, known.archived, is_settled=known.noted)
        self.chats[room.room_id] = chat
        if binding is None:
            self.repairs.append(KeepBinding(room_id=room.room_id))
        elif isinstance(binding, Binding) and known.platform_chat_id is not None:
            self._compare(chat, known, binding, known.platform_chat_id)

    def _compare(
        self, chat: _Chat, known: RecordedRoom, binding: Binding, number: PlatformChatId
    ) -> None:
        """Numbers only grow: the higher one is the newer one."""
        if binding.since_event in self.recorded.pending:
            return  # a command is to be done once more, and gives another
        if binding.platform_chat_id < number:
            self.repairs.append(KeepBinding(room_id=known.room_id))
            return
        if not known.noted:
            binding = evolve(binding, archived=known.archived)  # what was done by hand is newer
        is_same = (
            binding.platform_chat_id == number
            and binding.archived is known.archived
            and binding.own_threads is known.own_threads
            and all(thread in self.numbers for _, thread in binding.threads)
        )
        if not is_same and self._take_numbers(chat.room, binding):
            self.repairs.append(FollowBinding(room_id=known.room_id, binding=binding))
            chat.archived = binding.archived

    # -- what stands in Spaces --

    def links(self) -> None:
        """Each chat stands in its owner's Space, unless it is archived."""
        for chat in self.chats.values():
            space = self.space_of.get(chat.owner)
            if space is None or space.replaced_by is not None or not chat.is_settled:
                continue
            if chat.room.replaced_by is None:
                child = self.evidence.link(space.room_id, chat.room.room_id)
                self._link(chat, space.room_id, child)

    def _link(self, chat: _Chat, space_id: RoomId, child: SeenChild | None) -> None:
        room_id, owner = chat.room.room_id, chat.owner
        if child is None:
            if not chat.archived:
                self.repairs.append(LinkChat(space_id=space_id, room_id=room_id, owner=owner))
        elif child.has_via is not chat.archived:
            pass
        elif child.sender != self.observed.me:
            self.repairs.append(NoteByHand(room_id=room_id, archived=not child.has_via))
        elif chat.archived:
            self.repairs.append(UnlinkChat(space_id=space_id, room_id=room_id, owner=owner))

    def trees(self) -> None:
        """Whoever has a Space has, or had, a chat; who left it is not invited again for that."""
        parents = self.evidence.spaces_with_children()
        have = {chat.owner for chat in self.chats.values()} | self.awaited | self.observed.absent
        have |= {i.owner for i in self.intents.values() if i.kind is RoomKind.CHAT}
        known = map(self._known, self.evidence.rooms)  # also of chats that end, or go on elsewhere
        have |= {room.owner for room in known if room.owner and room.kind is RoomKind.CHAT}
        for owner, space in self.space_of.items():
            if owner not in have and space.room_id not in parents and space.replaced_by is None:
                self.repairs.append(FinishTree(space_id=space.room_id, owner=owner))
                self.awaited.add(owner)

    # -- direct rooms --

    def direct_rooms(self) -> None:
        """Where somebody who may talk to us is alone with us, in a room of their own."""
        ours = self.evidence.spoken_for() | self.chats.keys()
        greeted = {chat.owner for chat in self.chats.values()} | self.observed.absent
        for room in self.evidence.rooms:
            creator = self.evidence.direct_with(room)
            is_free = self._known(room).kind is RoomKind.UNREGISTERED and room.room_id not in ours
            if creator is not None and is_free:
                is_greeted = creator in self.space_of and creator in greeted
                self.repairs.append(
                    RestoreDirect(room_id=room.room_id, owner=creator, is_greeted=is_greeted)
                )

    # -- what may not be twice --

    def _is_for_us(
        self, room: SeenRoom, marker: RoomMarker, binding: Binding | None = None
    ) -> bool:
        """Return whether the room is what its intent wanted; if another one is, it is left.

        A room that is still being made is nobody's business. One that was made, as its binding
        shows, is: then the database was set back, and would make another chat of it.
        """
        intent = self.intents.get(marker.intent)
        is_open = intent is not None and not intent.done
        if intent is not None and is_open and (binding is None or is_first(binding, intent)):
            return False
        found = self.evidence.made_for(marker.intent)
        kept = found if intent is None or is_open else intent.room_id
        if kept == room.room_id:
            return True
        if kept is not None and kept in self.observed.joined:
            self.repairs.append(LeaveDuplicate(room_id=room.room_id, kept=kept))
        return False

    def _take_numbers(self, room: SeenRoom, binding: Binding) -> bool:
        """Have the binding's numbers be the room's; False: one of them is another room's."""
        wanted = (binding.platform_chat_id, *(number for _, number in binding.threads))
        if any(self.numbers.get(number, room.room_id) != room.room_id for number in wanted):
            return False
        self.numbers |= dict.fromkeys(wanted, room.room_id)
        return True

    def _known(self, room: SeenRoom) -> RecordedRoom:
        return self.recorded.rooms.get(room.room_id) or RecordedRoom(room_id=room.room_id)
