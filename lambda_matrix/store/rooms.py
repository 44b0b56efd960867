"""Rooms, users, and the rooms that are still to be made."""

from collections.abc import Sequence

from sqlite_utils import Database

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import InvitedRoom, JoinedRoom
from lambda_matrix.store.records import Intent, Room, RoomKind
from lambda_matrix.store.rows import columns, read

_ROOM = f"SELECT {columns(Room)} FROM rooms"  # noqa: S608 - column names
_INTENT = f"SELECT {columns(Intent)} FROM intents"  # noqa: S608 - column names


def room(db: Database, room_id: RoomId) -> Room | None:
    """Return what is known of the room."""
    row = db.execute(f"{_ROOM} WHERE room_id = ?", (room_id,)).fetchone()
    return None if row is None else read(Room, row)


def rooms_of(db: Database, owner: UserId, kind: RoomKind) -> tuple[Room, ...]:
    """Return the owner's rooms of that kind that the bot is in, in the order they were numbered."""
    rows = db.execute(
        f"{_ROOM}"
        " WHERE owner = ? AND kind = ? AND membership = 'join' ORDER BY platform_chat_id, room_id",
        (owner, kind.value),
    )
    return tuple(read(Room, row) for row in rows)


def invites(db: Database) -> tuple[Room, ...]:
    """Return the rooms whose invite was not dealt with yet."""
    rows = db.execute(f"{_ROOM} WHERE membership = 'invite'")
    return tuple(read(Room, row) for row in rows)


def note_joined(db: Database, joined: JoinedRoom) -> bool:
    """Note what a batch says of a room that the bot is in; return whether it was in before."""
    before = db.execute(
        "SELECT membership FROM rooms WHERE room_id = ?", (joined.room_id,)
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
        "intent": state.marker.intent if state.marker is not None else None,
        "name": state.name,
        "encrypted": state.encrypted,
        "member_count": state.joined_member_count,
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
    """Note that the bot is not in the room (any more)."""
    db.execute(
        "INSERT INTO rooms (room_id, membership) VALUES (?, 'leave')"
        " ON CONFLICT (room_id) DO UPDATE SET membership = 'leave'",
        (room_id,),
    )


def make_direct(db: Database, room_id: RoomId, owner: UserId) -> None:
    """The bot was invited here by `owner`: from now on a room where commands work."""
    db.execute(
        "UPDATE rooms SET kind = 'direct', owner = ? WHERE room_id = ? AND kind = 'unregistered'",
        (owner, room_id),
    )


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


# -- users --


def language(db: Database, user_id: UserId) -> str | None:
    """Return the language that the user chose, if any."""
    row = db.execute("SELECT language FROM users WHERE user_id = ?", (user_id,)).fetchone()
    return None if row is None else row[0]


# -- intents --


def intend_space(db: Database, intent_id: str, owner: UserId, name: str) -> Intent:
    """Return the owner's one Space intent, making it if it is the first time."""
    db.execute(
        "INSERT OR IGNORE INTO intents (intent_id, kind, owner, name) VALUES (?, 'space', ?, ?)",
        (intent_id, owner, name),
    )
    return _one_intent(db, "kind = 'space' AND owner = ?", (owner,))


def intend_chat(
    db: Database,
    intent_id: str,
    *,
    owner: UserId,
    command: EventId | None,
    origin: RoomId | None,
    name: str | None,
    agent: AgentId,
) -> Intent:
    """Return the intent of this command, or the owner's first chat's where `command` is None."""
    if command is None:
        known = db.execute(
            "SELECT intent_id FROM intents WHERE kind = 'chat' AND owner = ? AND command IS NULL",
            (owner,),
        ).fetchone()
    else:
        known = db.execute("SELECT intent_id FROM intents WHERE command = ?", (command,)).fetchone()
    if known is None:
        db.execute(
            "INSERT INTO intents (intent_id, kind, owner, command, origin, name, agent)"
            " VALUES (?, 'chat', ?, ?, ?, ?, ?)",
            (intent_id, owner, command, origin, name, agent),
        )
    return _one_intent(db, "intent_id = ?", (intent_id if known is None else known[0],))


def number_intent(db: Database, intent_id: str, number: PlatformChatId) -> None:
    """Give the intended chat its `platform_chat_id`, for good."""
    db.execute("UPDATE intents SET platform_chat_id = ? WHERE intent_id = ?", (number, intent_id))


def count_try(db: Database, intent_id: str) -> None:
    """Count a createRoom before it is sent: after a crash we know to look before another."""
    db.execute("UPDATE intents SET tries = tries + 1 WHERE intent_id = ?", (intent_id,))


def rooms_of_intent(db: Database, intent_id: str, creator: UserId) -> tuple[RoomId, ...]:
    """Return the rooms that sync has shown with our marker of this intent, made by us."""
    rows = db.execute(
        "SELECT room_id FROM rooms WHERE intent = ? AND creator = ? AND membership = 'join'"
        " ORDER BY room_id",
        (intent_id, creator),
    )
    return tuple(RoomId(row[0]) for row in rows)


def room_made(db: Database, intent_id: str, room_id: RoomId) -> None:
    """Note the id of the room that createRoom made."""
    db.execute("UPDATE intents SET room_id = ? WHERE intent_id = ?", (room_id, intent_id))


def bind(db: Database, intent: Intent, room_id: RoomId) -> None:
    """The room is what the intent wanted, complete: from now on it is at work."""
    db.execute(
        "INSERT INTO rooms (room_id, membership, kind, owner, agent, platform_chat_id, name)"
        " VALUES (?, 'join', ?, ?, ?, ?, ?) ON CONFLICT (room_id) DO UPDATE SET"
        " kind = excluded.kind, owner = excluded.owner, agent = excluded.agent,"
        " platform_chat_id = excluded.platform_chat_id, name = coalesce(name, excluded.name)",
        (
            room_id,
            intent.kind.value,
            intent.owner,
            intent.agent,
            intent.platform_chat_id,
            intent.name,
        ),
    )
    db.execute(
        "UPDATE intents SET room_id = ?, done = 1 WHERE intent_id = ?", (room_id, intent.intent_id)
    )


def open_intents(db: Database) -> tuple[Intent, ...]:
    """Return the rooms that were begun and not finished, Spaces first."""
    rows = db.execute(f"{_INTENT} WHERE done = 0 ORDER BY kind DESC, intent_id")
    return tuple(read(Intent, row) for row in rows)


def first_chat(db: Database, owner: UserId) -> Intent | None:
    """Return the intent of the owner's first chat, if there is one."""
    row = db.execute(
        f"{_INTENT} WHERE kind = 'chat' AND owner = ? AND command IS NULL",
        (owner,),
    ).fetchone()
    return None if row is None else read(Intent, row)


def _one_intent(db: Database, where: str, arguments: Sequence[str]) -> Intent:
    row = db.execute(f"{_INTENT} WHERE {where}", arguments).fetchone()
    return read(Intent, row)
