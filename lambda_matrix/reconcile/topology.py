"""Observed and recorded: what the homeserver says, and what we made of it, read at one moment."""

from collections.abc import Mapping

from attrs import field, frozen
from sqlite_utils import Database

from lambda_matrix.account_data import Binding, KeptSaved, KeptSettings, SavedContext, Unbound
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import RoomMarker
from lambda_matrix.store import meta
from lambda_matrix.store.facts import load_binding, load_saved
from lambda_matrix.store.records import Intent, RoomKind
from lambda_matrix.store.rows import columns, read

NO_NUMBER = PlatformChatId(0)
"""Below every number that is ever given."""


@frozen(kw_only=True)
class SeenRoom:
    """A room that the bot is in, as the homeserver tells it. `marker` may be anybody's."""

    room_id: RoomId
    creator: UserId | None = None
    created_at: int | None = None
    room_type: str | None = None
    marker: RoomMarker | None = None
    predecessor: RoomId | None = None
    replaced_by: RoomId | None = None
    member_count: int | None = None


@frozen(kw_only=True)
class SeenChild:
    """A link of a Space's, or (without `via`) one that was taken out again, by `sender`."""

    space_id: RoomId
    room_id: RoomId
    has_via: bool
    sender: UserId


@frozen(kw_only=True)
class Observed:
    """What the homeserver says: rooms as sync told them, links, and the bot's own account data.

    `joined` is what it says when asked which rooms the bot is in; `may_talk` are those makers of
    rooms who may talk to it. `absent` are those who are not in their Space, which has no chat yet.
    """

    me: UserId
    joined: frozenset[RoomId] = frozenset()
    rooms: tuple[SeenRoom, ...] = ()
    children: tuple[SeenChild, ...] = ()
    bindings: Mapping[RoomId, Binding | Unbound] = field(factory=dict)
    settings: tuple[KeptSettings, ...] = ()
    saved: tuple[KeptSaved, ...] = ()
    may_talk: frozenset[UserId] = frozenset()
    absent: frozenset[UserId] = frozenset()


@frozen(kw_only=True)
class RecordedRoom:
    """What a room is to us that the bot was in when we last heard of it; see the table of rooms."""

    room_id: RoomId
    kind: RoomKind = RoomKind.UNREGISTERED
    owner: UserId | None = None
    agent: AgentId | None = None
    platform_chat_id: PlatformChatId | None = None
    archived: bool = False
    noted: bool = True
    own_threads: bool = False
    ended: bool = False


@frozen(kw_only=True)
class Recorded:
    """What we made of it. `numbers` says whose each context is.

    `pending` are the commands by which a context was begun on the homeserver, and which are still
    to be done here: a crash cut them off, and they will be done once more. `highest` is the highest
    number that was given here.
    """

    rooms: Mapping[RoomId, RecordedRoom] = field(factory=dict)
    numbers: Mapping[PlatformChatId, RoomId] = field(factory=dict)
    intents: tuple[Intent, ...] = ()
    settings: Mapping[UserId, KeptSettings] = field(factory=dict)
    saved: Mapping[UserId, tuple[SavedContext, ...]] = field(factory=dict)
    pending: frozenset[EventId] = frozenset()
    highest: PlatformChatId = NO_NUMBER


def read_topology(db: Database, me: UserId) -> tuple[Observed, Recorded]:
    """Read both, but for `joined`, `may_talk` and `absent`, which do not stand in the store."""
    return _observed(db, me), _recorded(db)


def _observed(db: Database, me: UserId) -> Observed:
    bindings = db.execute(
        "SELECT room_id, binding FROM kept_bindings JOIN rooms USING (room_id)"
        " WHERE membership = 'join'"
    )
    # Others may make a Space of a million rooms, and invite us to it.
    children = db.execute(
        "SELECT space_id, space_children.room_id, has_via, sender FROM space_children"
        " JOIN rooms ON rooms.room_id = space_id WHERE creator = ? OR kind = 'space'",
        (me,),
    )
    saved = db.execute("SELECT user_id, saved FROM kept_saved")
    return Observed(
        me=me,
        rooms=_seen_rooms(db),
        children=tuple(
            SeenChild(space_id=space_id, room_id=room_id, has_via=bool(has_via), sender=sender)
            for space_id, room_id, has_via, sender in children
        ),
        bindings={
            RoomId(room_id): Unbound() if binding is None else load_binding(binding)
            for room_id, binding in bindings
        },
        settings=_settings(db, "kept_settings"),
        saved=tuple(KeptSaved(UserId(user_id), load_saved(text)) for user_id, text in saved),
    )


def _seen_rooms(db: Database) -> tuple[SeenRoom, ...]:
    rows = db.execute(
        "SELECT room_id, creator, created_at, room_type, intent, marker_kind, marker_owner,"
        " predecessor, replaced_by, member_count FROM rooms WHERE membership = 'join'"
    )
    return tuple(
        SeenRoom(
            room_id=room_id,
            creator=creator,
            created_at=created_at,
            room_type=room_type,
            marker=None if kind is None else RoomMarker(intent, kind, owner),
            predecessor=predecessor,
            replaced_by=replaced_by,
            member_count=member_count,
        )
        for (
            room_id,
            creator,
            created_at,
            room_type,
            intent,
            kind,
            owner,
            predecessor,
            replaced_by,
            member_count,
        ) in rows
    )


def _recorded(db: Database) -> Recorded:
    rooms = db.execute(f"SELECT {columns(RecordedRoom)} FROM rooms WHERE membership = 'join'")  # noqa: S608 - column names
    numbers = db.execute("SELECT platform_chat_id, room_id FROM contexts")
    intents = db.execute(f"SELECT {columns(Intent)} FROM intents ORDER BY position")  # noqa: S608 - column names
    pending = db.execute(
        "SELECT event_id FROM inbox JOIN kept_bindings"
        " ON event_id = json_extract(binding, '$.since_event') WHERE settled_at IS NULL"
    )
    saved: dict[UserId, tuple[SavedContext, ...]] = {}
    for row in db.execute(
        f"SELECT {columns(SavedContext)} FROM saved_contexts ORDER BY user_id, saved_at, name"  # noqa: S608 - column names
    ):
        each = read(SavedContext, row)
        saved[each.user_id] = (*saved.get(each.user_id, ()), each)
    return Recorded(
        rooms={RoomId(row[0]): read(RecordedRoom, row) for row in rooms},
        numbers={PlatformChatId(number): RoomId(room_id) for number, room_id in numbers},
        intents=tuple(read(Intent, row) for row in intents),
        settings={kept.user_id: kept for kept in _settings(db, "users")},
        saved=saved,
        pending=frozenset(EventId(row[0]) for row in pending),
        highest=meta.platform_chat_id_mark(db),
    )


def _settings(db: Database, table: str) -> tuple[KeptSettings, ...]:
    rows = db.execute(f"SELECT {columns(KeptSettings)} FROM {table}")  # noqa: S608 - column names and two tables
    return tuple(read(KeptSettings, row) for row in rows)
