"""Whatever people and losses make of a topology: the plan is total, harms nobody, and is done once.

A homeserver in miniature holds rooms, links and the bot's account data. What it tells goes through
T1 into a real store; plans are made of what stands there, and each repair is done to both.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import Literal

from attrs import define, evolve, field
from hypothesis import settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlite_utils import Database

from lambda_matrix.account_data import Binding, Unbound
from lambda_matrix.ids import (
    AgentId,
    DeviceId,
    EventId,
    InstanceId,
    PlatformChatId,
    RoomId,
    SyncToken,
    UserId,
)
from lambda_matrix.matrix_events import (
    JoinedRoom,
    LeftRoom,
    RoomMarker,
    RoomState,
    SpaceChild,
    SyncBatch,
    Tombstone,
)
from lambda_matrix.reconcile.plan import plan
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
    RestoreSaved,
    RestoreSettings,
    RestoreSpace,
    UnlinkChat,
    describe,
)
from lambda_matrix.reconcile.topology import Observed, Recorded, read_topology
from lambda_matrix.store import intake, meta
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.schema import migrations
from lambda_matrix.store.topology import intents, observed as observed_topology, restoring
from tests.lab.effort import examples

ME = UserId("@bot:example.org")
ANNA = UserId("@anna:example.org")
BORIS = UserId("@boris:example.org")
PEOPLE = (ANNA, BORIS)
AGENT = AgentId("main")
OURSELVES = Ourselves(ME, DeviceId("DEVICE"), InstanceId("1000-start"))
Kind = Literal["space", "chat"]


@define
class Homeserver:
    """What stands there: the state of rooms, links by (Space, room), and our account data."""

    rooms: dict[RoomId, RoomState] = field(factory=dict)
    links: dict[tuple[RoomId, RoomId], SpaceChild] = field(factory=dict)
    bindings: dict[RoomId, Binding | Unbound] = field(factory=dict)
    joined: set[RoomId] = field(factory=set)
    mark: int = 1000

    def number(self) -> PlatformChatId:
        """Use up the next number of a context."""
        self.mark += 1
        return PlatformChatId(self.mark)

    def tell(self, *room_ids: RoomId) -> SyncBatch:
        """All that there is of these rooms."""
        return SyncBatch(
            next_batch=SyncToken("s"),
            joined=tuple(self._room(room_id) for room_id in room_ids if room_id in self.joined),
        )

    def _room(self, room_id: RoomId) -> JoinedRoom:
        children = tuple(child for (space, _), child in self.links.items() if space == room_id)
        return JoinedRoom(
            room_id=room_id,
            state=evolve(self.rooms[room_id], children=children),
            binding=self.bindings.get(room_id),
        )


@cache
def empty_database() -> bytes:
    connection = sqlite3.connect(":memory:")
    migrations.apply(Database(connection))
    return connection.serialize()


people = st.sampled_from(PEOPLE)
makers = st.sampled_from([ME, ME, ME, ANNA, BORIS])
kinds = st.sampled_from(["chat", "chat", "space"])
some_room = st.integers(0, 7)
"""A room by its place among those that there are."""


class Reconciling(RuleBasedStateMachine):
    """A homeserver, a store, and reconciliations between what happens to them."""

    database: Database

    def __init__(self) -> None:
        super().__init__()
        self.homeserver = Homeserver()

    @initialize()
    def lose_the_database(self) -> None:
        connection = sqlite3.connect(":memory:")
        connection.deserialize(empty_database())
        connection.execute("PRAGMA foreign_keys = ON")
        self.database = Database(connection)
        with self.database.atomic():
            meta.begin_instance(self.database, OURSELVES)
        self.tell(*self.homeserver.rooms)

    def teardown(self) -> None:
        self.repair()
        self.database.close()

    def tell(self, *room_ids: RoomId) -> None:
        """Have the service hear of these rooms (T1)."""
        with self.database.atomic():
            intake.accept_batch(self.database, self.homeserver.tell(*room_ids), OURSELVES)

    def room(self, at: int) -> RoomId:
        return sorted(self.homeserver.rooms)[at % len(self.homeserver.rooms)]

    # -- what happens --

    @rule(
        kind=kinds,
        creator=makers,
        owner=people,
        intent=st.sampled_from(["a", "b", "$c"]),
        marked=st.booleans(),
        created_at=st.none() | st.integers(1, 9),
        count=st.integers(1, 3),
        binds=st.booleans(),
    )
    def make_a_room(
        self,
        kind: Kind,
        creator: UserId,
        owner: UserId,
        intent: str,
        created_at: int | None,
        count: int,
        *,
        marked: bool,
        binds: bool,
    ) -> None:
        """Somebody makes a room, perhaps with a marker, which only ours is not a forgery."""
        room_id = RoomId(f"!{len(self.homeserver.rooms)}")
        self.homeserver.rooms[room_id] = RoomState(
            creator=creator,
            created_at=created_at,
            room_type="m.space" if kind == "space" else None,
            marker=RoomMarker(f"{intent}-{kind}-{owner}", kind, owner) if marked else None,
            joined_member_count=count,
        )
        self.homeserver.joined.add(room_id)
        if binds and kind == "chat":
            self.bind(room_id, owner)
        self.tell(room_id)

    @rule(owner=people, by=makers, has_via=st.booleans(), archived=st.booleans())
    def make_a_tree(self, owner: UserId, by: UserId, *, has_via: bool, archived: bool) -> None:
        """A Space with a chat, as provisioning leaves it, or as somebody left it later."""
        space_id, room_id = (RoomId(f"!{len(self.homeserver.rooms) + at}") for at in (0, 1))
        for kind, made in (("space", space_id), ("chat", room_id)):
            self.homeserver.rooms[made] = RoomState(
                creator=ME,
                room_type="m.space" if kind == "space" else None,
                marker=RoomMarker(f"{made}-{owner}", "space" if kind == "space" else "chat", owner),
            )
            self.homeserver.joined.add(made)
        self.bind(room_id, owner, archived=archived)
        self.homeserver.links[space_id, room_id] = SpaceChild(room_id, has_via, by)
        self.tell(space_id, room_id)

    @precondition(lambda self: self.homeserver.rooms)
    @rule(at=some_room, owner=people, archived=st.booleans(), threads=st.integers(0, 2))
    def bind_a_room(self, at: int, owner: UserId, threads: int, *, archived: bool) -> None:
        """A binding is kept that we know nothing of any more, or not yet."""
        room_id = self.room(at)
        if self.homeserver.rooms[room_id].room_type is None and room_id in self.homeserver.joined:
            known = contexts.binding(self.database, room_id)
            self.bind(room_id, known.owner if known else owner, threads, archived=archived)
            self.tell(room_id)

    def bind(
        self, room_id: RoomId, owner: UserId, threads: int = 0, *, archived: bool = False
    ) -> None:
        homeserver = self.homeserver
        homeserver.bindings[room_id] = Binding(
            owner=owner,
            agent=AGENT,
            platform_chat_id=homeserver.number(),
            archived=archived,
            threads=tuple(
                (EventId(f"${room_id}-{number}"), homeserver.number()) for number in range(threads)
            ),
        )

    @precondition(lambda self: self.homeserver.rooms)
    @rule(space=some_room, at=some_room, by=makers, has_via=st.booleans())
    def link(self, space: int, at: int, by: UserId, *, has_via: bool) -> None:
        """Somebody puts a room into a Space, or takes it out."""
        space_id, room_id = self.room(space), self.room(at)
        if self.homeserver.rooms[space_id].room_type == "m.space" and space_id != room_id:
            self.homeserver.links[space_id, room_id] = SpaceChild(room_id, has_via, by)
            self.tell(space_id)

    @precondition(lambda self: self.homeserver.rooms)
    @rule(at=some_room, onto=some_room, follows=st.booleans())
    def upgrade(self, at: int, onto: int, *, follows: bool) -> None:
        """A room says that it goes on in another one, which says so, too, or not."""
        old, new = self.room(at), self.room(onto)
        rooms = self.homeserver.rooms
        if old == new or rooms[old].room_type != rooms[new].room_type:
            return
        rooms[old] = evolve(rooms[old], tombstone=Tombstone(new, ANNA))
        if follows:
            rooms[new] = evolve(rooms[new], predecessor=old)
            if isinstance(binding := self.homeserver.bindings.get(old), Binding):
                self.homeserver.bindings[new] = binding
        self.tell(old, new)

    @precondition(lambda self: self.homeserver.rooms)
    @rule(at=some_room)
    def unbind(self, at: int) -> None:
        room_id = self.room(at)
        is_space = self.homeserver.rooms[room_id].room_type is not None
        if not is_space and contexts.binding(self.database, room_id) is None:
            self.homeserver.bindings[room_id] = Unbound()
            self.tell(room_id)

    @precondition(lambda self: self.homeserver.rooms)
    @rule(at=some_room)
    def be_thrown_out(self, at: int) -> None:
        """Nobody says so."""
        self.homeserver.joined.discard(self.room(at))

    # -- plans --

    @rule()
    def repair(self) -> None:
        """Reconcile, twice; the second time there is nothing to be done."""
        before = self.read()
        repairs = plan(*before)
        assert plan(self.shuffled(before[0]), before[1]) == repairs
        for repair in repairs:
            assert describe(repair)
            self.check(repair)
            with self.database.atomic():
                self.do(repair)
        again = plan(*self.read())
        assert again == (), "it is not done once and for all"
        self.nobody_is_dispossessed(before[1], repairs)

    def read(self) -> tuple[Observed, Recorded]:
        observed, recorded = read_topology(self.database, ME)
        joined = frozenset(self.homeserver.joined)
        return evolve(observed, joined=joined, may_talk=frozenset({ANNA, ME})), recorded

    @staticmethod
    def shuffled(observed: Observed) -> Observed:
        """The same, told in another order."""
        return evolve(
            observed,
            rooms=observed.rooms[::-1],
            children=observed.children[::-1],
            bindings=dict(list(observed.bindings.items())[::-1]),
        )

    def check(self, repair: Repair) -> None:
        """Nobody is believed but ourselves, and what people did by hand stays."""
        homeserver = self.homeserver
        match repair:
            case RestoreSpace(room_id=room_id) | FinishChat(room_id=room_id):
                assert homeserver.rooms[room_id].creator == ME
            case BindRoom(room_id=room_id):
                assert homeserver.rooms[room_id].creator == ME
                assert room_id not in homeserver.bindings
            case RestoreChat(room_id=room_id, binding=binding):
                assert homeserver.bindings[room_id] == binding
                assert repair.intent is None or homeserver.rooms[room_id].creator == ME
            case FollowBinding(room_id=room_id):
                assert isinstance(homeserver.bindings[room_id], Binding)
            case UnlinkChat(space_id=space_id, room_id=room_id):
                assert homeserver.links[space_id, room_id] == SpaceChild(room_id, True, ME)  # noqa: FBT003 - has_via
            case LinkChat(space_id=space_id, room_id=room_id):
                assert (space_id, room_id) not in homeserver.links
            case NoteByHand(room_id=room_id):
                links = [child for child in homeserver.links.values() if child.room_id == room_id]
                assert any(child.sender in PEOPLE for child in links)
            case LeaveDuplicate(room_id=room_id, kept=kept):
                assert homeserver.rooms[room_id].creator == ME
                assert {room_id, kept} <= homeserver.joined
            case _:
                pass  # nothing that anybody could be harmed by

    def nobody_is_dispossessed(self, before: Recorded, repairs: tuple[Repair, ...]) -> None:
        """Whose a room was, it is; and each number is one room's."""
        after = self.read()[1]
        left = {repair.room_id for repair in repairs if isinstance(repair, NoteLeft)}
        for room_id, room in before.rooms.items():
            if room.owner is not None and room_id not in left:
                assert after.rooms[room_id].owner == room.owner
        for number, room_id in before.numbers.items():
            assert after.numbers[number] == room_id
        for room_id, binding in self.homeserver.bindings.items():
            if room_id in after.rooms and isinstance(binding, Binding) and self.is_free(binding):
                recorded = after.rooms[room_id].platform_chat_id
                goes_on = self.homeserver.rooms[room_id].tombstone is not None
                assert goes_on or recorded is None or recorded >= binding.platform_chat_id

    def is_free(self, binding: Binding) -> bool:
        """Whether none of a binding's numbers is kept for two rooms, as while one is upgraded."""
        others = [each for each in self.homeserver.bindings.values() if isinstance(each, Binding)]
        return sum(each.platform_chat_id == binding.platform_chat_id for each in others) == 1

    def do(self, repair: Repair) -> None:  # noqa: C901, PLR0912 - one case each
        db, homeserver = self.database, self.homeserver
        match repair:
            case RestoreSpace(room_id=room_id, owner=owner, intent=intent):
                restoring.restore_space(db, room_id, owner, intent)
            case RestoreChat(room_id=room_id, binding=binding):
                restoring.restore_chat(db, room_id, binding, repair.intent, repair.created_at)
            case FollowBinding(room_id=room_id, binding=binding):
                restoring.restore_chat(db, room_id, binding)
            case KeepBinding(room_id=room_id):
                recorded = contexts.binding(db, room_id)
                assert recorded is not None
                self.keep(room_id, recorded)
            case BindRoom(room_id=room_id, owner=owner):
                binding = Binding(owner=owner, agent=AGENT, platform_chat_id=self.next_number())
                self.keep(room_id, binding)
                restoring.restore_chat(db, room_id, binding)
            case FinishChat(room_id=room_id, owner=owner, intent=intent):
                restoring.finish_chat(db, room_id, owner, intent, self.next_number(), AGENT)
            case FinishTree(owner=owner):
                intents.order_first_chat(db, owner, AGENT)
            case NoteLeft(room_id=room_id):
                intake.leave_room(db, LeftRoom(room_id=room_id), OURSELVES)
            case LeaveDuplicate(room_id=room_id):
                homeserver.joined.discard(room_id)
                intake.leave_room(db, LeftRoom(room_id=room_id), OURSELVES)
            case NoteMoved(room_id=room_id, owner=moved_for, intent=moved):
                restoring.note_moved(db, room_id, moved_for, moved)
            case NoteByHand(room_id=room_id, archived=archived):
                restoring.note_by_hand(db, room_id, archived=archived)
            case LinkChat(space_id=space_id, room_id=room_id):
                self.put(space_id, SpaceChild(room_id, has_via=True, sender=ME))
            case UnlinkChat(space_id=space_id, room_id=room_id):
                self.put(space_id, SpaceChild(room_id, has_via=False, sender=ME))
            case RestoreDirect(room_id=room_id, owner=owner, is_greeted=is_greeted):
                restoring.restore_direct(db, room_id, owner, is_greeted=is_greeted)
            case RestoreSettings() | RestoreSaved():
                raise AssertionError("nobody chose or saved anything")

    def next_number(self) -> PlatformChatId:
        number = meta.next_platform_chat_id(self.database, PlatformChatId(self.homeserver.mark + 1))
        self.homeserver.mark = number
        return number

    def keep(self, room_id: RoomId, binding: Binding) -> None:
        self.homeserver.bindings[room_id] = binding
        observed_topology.note_binding(self.database, room_id, binding)

    def put(self, space_id: RoomId, child: SpaceChild) -> None:
        self.homeserver.links[space_id, child.room_id] = child
        observed_topology.note_children(self.database, space_id, (child,))


TestReconciling = Reconciling.TestCase
TestReconciling.settings = settings(
    max_examples=examples(250), stateful_step_count=25, report_multiple_bugs=False
)
