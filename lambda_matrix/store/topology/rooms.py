"""Rooms as the homeserver tells them and as we use them, and the people in them."""

from sqlite_utils import Database

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import InvitedRoom, JoinedRoom
from lambda_matrix.store.records import Room, RoomKind
from lambda_matrix.store.rows import columns, read

NOT_MOVED = "not_moved"
"""The thing told in a room whose upgrade was looked at and is not followed."""
TO_MOVE = (
    "rooms.replaced_by IS NOT NULL AND rooms.kind IN ('space', 'chat')"
    " AND rooms.membership = 'join' AND rooms.ended = 0"
    f" AND ' ' || rooms.told || ' ' NOT LIKE '% {NOT_MOVED} %'"
)
"""True of chats and Spaces that were upgraded, and whose upgrade waits to be looked at."""

_ROOM = f"SELECT {columns(Room)} FROM rooms"  # noqa: S608 - column names


def room(db: Database, room_id: RoomId) -> Room | None:
    """Return what is known of the room."""
    row = db.execute(f"{_ROOM} WHERE room_id = ?", (room_id,)).fetchone()
    return None if row is None else read(Room, row)


def rooms_of(db: Database, owner: UserId, kind: RoomKind) -> tuple[Room, ...]:
    """Return the owner's rooms of that kind that the bot is in, in the order they were made.

    A chat that its owner has deleted is none any more. Numbers count only where no time is known:
    each `!clear` gives a chat another.
    """
    rows = db.execute(
        f"{_ROOM} WHERE owner = ? AND kind = ? AND membership = 'join' AND ended = 0"
        " ORDER BY created_at IS NULL, created_at, platform_chat_id, room_id",
        (owner, kind.value),
    )
    return tuple(read(Room, row) for row in rows)


def space_of(db: Database, owner: UserId) -> RoomId | None:
    """Return the owner's Space, if it is there."""
    spaces = rooms_of(db, owner, RoomKind.SPACE)
    return spaces[0].room_id if spaces else None


def owned_of(db: Database, owner: UserId, some: tuple[RoomId, ...]) -> frozenset[RoomId]:
    """Return those of `some` that are the owner's now, or went on in a room that is."""
    theirs = {room_id for room_id in some if _is_owned(db, owner, room_id)}
    return frozenset(theirs)


def _is_owned(db: Database, owner: UserId, room_id: RoomId) -> bool:
    row = db.execute(
        "WITH RECURSIVE later (room_id, owner, replaced_by) AS ("
        " SELECT room_id, owner, replaced_by FROM rooms WHERE room_id = ?"
        " UNION SELECT rooms.room_id, rooms.owner, rooms.replaced_by FROM rooms"
        "  JOIN later ON rooms.room_id = later.replaced_by)"
        " SELECT 1 FROM later WHERE owner = ?",
        (room_id, owner),
    ).fetchone()
    return row is not None


def unwelcomed(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms whose invite was not dealt with to its end: the way was not told there."""
    rows = db.execute(
        "SELECT room_id FROM rooms WHERE membership = 'invite'"
        " OR (membership = 'join' AND kind = 'direct' AND ' ' || told || ' ' NOT LIKE '% way %'"
        "  AND room_id NOT IN (SELECT room_id FROM gaps))"  # it may have been told there
    )
    return tuple(RoomId(row[0]) for row in rows)


def is_joined(db: Database, room_id: RoomId) -> bool:
    """Return whether the bot is known to be in the room."""
    row = db.execute(
        "SELECT 1 FROM rooms WHERE room_id = ? AND membership = 'join'", (room_id,)
    ).fetchone()
    return row is not None


def joined(db: Database) -> frozenset[RoomId]:
    """Return the rooms that the bot is known to be in."""
    rows = db.execute("SELECT room_id FROM rooms WHERE membership = 'join'")
    return frozenset(RoomId(row[0]) for row in rows)


def note_joined(db: Database, joined: JoinedRoom) -> bool:
    """Note what a batch says of a room that the bot is in; return whether it was in before."""
    before = db.execute(
        "SELECT membership, name FROM rooms WHERE room_id = ?", (joined.room_id,)
    ).fetchone()
    state = joined.state
    if before is None:
        db.execute(
            "INSERT INTO rooms (room_id, membership) VALUES (?, 'join')",
            (joined.room_id,),
        )
    changes = {
        "membership": "join" if before is not None and before[0] != "join" else None,
        "creator": state.creator,
        "created_at": state.created_at,
        "room_type": state.room_type,
        "predecessor": state.predecessor,
        "intent": None if state.marker is None else state.marker.intent,
        "marker_kind": None if state.marker is None else state.marker.kind,
        "marker_owner": None if state.marker is None else state.marker.owner,
        "name": state.name,
        "encrypted": state.encrypted,
        "member_count": state.joined_member_count,
        "version": state.room_version,
        "replaced_by": None if state.tombstone is None else state.tombstone.replacement,
        "upgrader": None if state.tombstone is None else state.tombstone.sender,
        # Whoever gave it another name, it has one now.
        "untitled": (None if before is None or state.name in {None, before[1]} else False),
    }
    said = {column: value for column, value in changes.items() if value is not None}
    if said:
        assignments = ", ".join(f"{column} = ?" for column in said)
        db.execute(
            f"UPDATE rooms SET {assignments} WHERE room_id = ?",  # noqa: S608 - column names
            (*said.values(), joined.room_id),
        )
    return before is not None and before[0] == "join"


def note_invite(db: Database, invite: InvitedRoom) -> None:
    """Note an invite; it stays until it is dealt with, since sync tells it only once."""
    db.execute(
        "INSERT INTO rooms (room_id, membership, inviter, is_direct, encrypted)"
        " VALUES (?, 'invite', ?, ?, ?) ON CONFLICT (room_id) DO UPDATE SET"
        " membership = 'invite', inviter = excluded.inviter, is_direct = excluded.is_direct,"
        " encrypted = max(encrypted, excluded.encrypted)",
        (invite.room_id, invite.inviter, invite.is_direct, invite.encrypted),
    )


def note_left(db: Database, room_id: RoomId) -> None:
    """Note that the bot is not in the room (any more); if it comes again it introduces itself."""
    db.execute(
        "INSERT INTO rooms (room_id, membership) VALUES (?, 'leave')"
        " ON CONFLICT (room_id) DO UPDATE SET membership = 'leave', told = ''",
        (room_id,),
    )


def make_direct(db: Database, room_id: RoomId, owner: UserId) -> None:
    """The bot was invited here by `owner`: from now on a room where commands work."""
    db.execute(
        "UPDATE rooms SET kind = 'direct', owner = ? WHERE room_id = ? AND kind = 'unregistered'",
        (owner, room_id),
    )


def is_unfinished(db: Database, room_id: RoomId) -> bool:
    """Return whether the room is about to be bound.

    It is one that we are still making (its intent is open), or one that a chat is to move to.
    """
    row = db.execute(
        "SELECT 1 FROM intents WHERE done = 0 AND (room_id = ? OR intent_id ="
        " (SELECT intent FROM rooms WHERE room_id = ?))",
        (room_id, room_id),
    ).fetchone()
    if row is not None:
        return True
    row = db.execute(
        "SELECT 1 FROM rooms AS new, rooms"  # noqa: S608 - a constant
        " WHERE new.room_id = ? AND new.kind = 'unregistered'"
        f" AND rooms.replaced_by = new.room_id AND {TO_MOVE}",
        (room_id,),
    ).fetchone()
    return row is not None


def tell_once(db: Database, room_id: RoomId, thing: str) -> bool:
    """Return True the first time that `thing` is to be told in this room."""
    row = db.execute("SELECT told FROM rooms WHERE room_id = ?", (room_id,)).fetchone()
    told = set() if row is None else set(row[0].split())
    if thing in told:
        return False
    db.execute(
        "UPDATE rooms SET told = ? WHERE room_id = ?", (" ".join(sorted({*told, thing})), room_id)
    )
    return True
