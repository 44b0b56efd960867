"""Rooms to be made: committed before createRoom, which has no transaction id, is tried."""

import secrets
from collections.abc import Sequence

from sqlite_utils import Database

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId
from lambda_matrix.store import outbox
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, Intent, NewContext, Ourselves, RoomKind
from lambda_matrix.store.rows import columns, read
from lambda_matrix.store.topology import rooms

_INTENT = f"SELECT {columns(Intent)} FROM intents"  # noqa: S608 - column names


def onboard(db: Database, owner: UserId, lobby: RoomId, agent: AgentId) -> bool:
    """Want a Space and a first chat for `owner`, who invited the bot to `lobby`; once for each.

    Returns whether anything is still to be made for them.
    """
    _forget_lost(db, owner)
    db.execute(
        "INSERT OR IGNORE INTO intents (intent_id, kind, owner, origin) VALUES (?, 'space', ?, ?)",
        (new_intent_id(), owner, lobby),
    )
    # Whose first chat ended, or is not known to have been one, has others: or none were left.
    has_chats = rooms.space_of(db, owner) and rooms.rooms_of(db, owner, RoomKind.CHAT)
    if first_chat(db, owner) is None and not has_chats:
        _intend_chat(db, owner, command=None, origin=lobby, name=None, agent=agent)
    return bool(open_intents(db, owner))


def _forget_lost(db: Database, owner: UserId) -> None:
    """Forget a Space that the bot is no longer in, and a first chat if no chat is left.

    A Space that goes on elsewhere is not lost.
    """
    lost = (
        "done = 1 AND command IS NULL AND owner = ? AND room_id NOT IN"
        " (SELECT room_id FROM rooms WHERE membership = 'join')"
    )
    if rooms.space_of(db, owner) is None:
        db.execute(f"DELETE FROM intents WHERE kind = 'space' AND {lost}", (owner,))  # noqa: S608 - above
    if not rooms.rooms_of(db, owner, RoomKind.CHAT):
        db.execute(f"DELETE FROM intents WHERE kind = 'chat' AND {lost}", (owner,))  # noqa: S608 - above


def order_chat(
    db: Database, command: Incoming, name: str | None, agent: AgentId, own: Ourselves
) -> None:
    """Settle a `!new`: what it wants is an intent now, and its reply comes with the room.

    If the database was lost in between, the room may be there, and nothing but the reply missing:
    then the intent that was restored with the room is open once more.
    """
    if not requests.settle(db, command, (), own):
        return
    found = db.execute(
        "UPDATE intents SET done = 0, origin = ? WHERE command = ?",
        (command.room_id, command.event_id),
    )
    if found.rowcount == 0:
        _intend_chat(
            db,
            command.sender,
            command=command.event_id,
            origin=command.room_id,
            name=name,
            agent=agent,
        )


def order_first_chat(db: Database, owner: UserId, agent: AgentId) -> None:
    """Want a first chat for `owner`, whose Space never had one."""
    if first_chat(db, owner) is None:
        _intend_chat(db, owner, command=None, origin=None, name=None, agent=agent)


def new_intent_id(command: EventId | None = None) -> str:
    """Return an intent's name: the `!new` that wants it, else what nobody else has or guesses."""
    return command or secrets.token_hex(12)


def command_of(intent_id: str) -> EventId | None:
    """Return the `!new` that wanted it; None for what is made without being asked for."""
    return EventId(intent_id) if intent_id.startswith("$") else None


def _intend_chat(
    db: Database,
    owner: UserId,
    *,
    command: EventId | None,
    origin: RoomId | None,
    name: str | None,
    agent: AgentId,
) -> None:
    db.execute(
        "INSERT INTO intents (intent_id, kind, owner, command, origin, name, agent)"
        " VALUES (?, 'chat', ?, ?, ?, ?, ?)",
        (new_intent_id(command), owner, command, origin, name, agent),
    )


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
        " ORDER BY created_at, room_id",
        (intent_id, creator),
    )
    return tuple(RoomId(row[0]) for row in rows)


def room_made(db: Database, intent_id: str, room_id: RoomId) -> None:
    """Note the id of the room that createRoom made."""
    db.execute("UPDATE intents SET room_id = ? WHERE intent_id = ?", (room_id, intent_id))


def complete(
    db: Database,
    intent: Intent,
    name: str,
    room_id: RoomId,
    drafts: Sequence[Draft],
    own: Ourselves,
) -> tuple[RoomId, ...]:
    """The room is what the intent wanted: put it to work, and say so (one transaction).

    `name` is how the room was called; if nobody wished for it, it may be changed once.

    Returns the rooms in which its owner is to be told the way, if this was their first chat.
    """
    db.execute(
        "INSERT INTO rooms (room_id, membership, kind, owner, agent, name, untitled)"
        " VALUES (?, 'join', ?, ?, ?, ?, ?) ON CONFLICT (room_id) DO UPDATE SET"
        " kind = excluded.kind, owner = excluded.owner, agent = excluded.agent,"
        " name = coalesce(name, excluded.name),"
        " untitled = excluded.untitled AND coalesce(name, excluded.name) = excluded.name",
        (
            room_id,
            intent.kind.value,
            intent.owner,
            intent.agent,
            name,
            intent.kind is RoomKind.CHAT and intent.name is None,
        ),
    )
    if intent.agent is not None and intent.platform_chat_id is not None:
        new = NewContext(
            platform_chat_id=intent.platform_chat_id, room_id=room_id, agent=intent.agent
        )
        contexts.begin(db, new)
    _close(db, intent, room_id)
    outbox.add_new(db, drafts, own)
    if intent.kind is not RoomKind.CHAT or intent.command is not None:
        return ()
    return tuple(room.room_id for room in rooms.rooms_of(db, intent.owner, RoomKind.DIRECT))


def answer(db: Database, intent: Intent, drafts: Sequence[Draft], own: Ourselves) -> None:
    """The room was at work before: all that was missing is what is said of it."""
    _close(db, intent, intent.room_id)
    outbox.add_new(db, drafts, own)


def _close(db: Database, intent: Intent, room_id: RoomId | None) -> None:
    """The intent is fulfilled, unless somebody else wants to be told of it since it was read."""
    db.execute(
        "UPDATE intents SET room_id = ?, done = origin IS ? WHERE intent_id = ?",
        (room_id, intent.origin, intent.intent_id),
    )


def abandon(db: Database, intent: Intent, drafts: Sequence[Draft], own: Ourselves) -> None:
    """The homeserver refuses the room: forget that it was wanted, and say so."""
    if intent.kind is RoomKind.SPACE:
        db.execute("DELETE FROM intents WHERE owner = ? AND done = 0", (intent.owner,))
    else:
        db.execute("DELETE FROM intents WHERE intent_id = ?", (intent.intent_id,))
    outbox.add_new(db, drafts, own)


def place_of(db: Database, intent: Intent) -> int:
    """Return the intended chat's place among all that its owner ever wanted, from 1."""
    row = db.execute(
        "SELECT count(*) FROM intents WHERE kind = 'chat' AND owner = ? AND position <="
        " (SELECT position FROM intents WHERE intent_id = ?)",
        (intent.owner, intent.intent_id),
    ).fetchone()
    return int(row[0])


def duplicates(db: Database, creator: UserId) -> tuple[RoomId, ...]:
    """Return rooms of ours whose intent another room has fulfilled."""
    rows = db.execute(
        "SELECT rooms.room_id FROM rooms JOIN intents ON intents.intent_id = rooms.intent"
        " WHERE rooms.creator = ? AND rooms.membership = 'join' AND intents.done = 1"
        " AND intents.room_id <> rooms.room_id",
        (creator,),
    )
    return tuple(RoomId(row[0]) for row in rows)


def owners_with_intents(db: Database) -> tuple[UserId, ...]:
    """Return those for whom something was begun and not finished."""
    rows = db.execute("SELECT DISTINCT owner FROM intents WHERE done = 0")
    return tuple(UserId(row[0]) for row in rows)


def open_intents(db: Database, owner: UserId) -> tuple[Intent, ...]:
    """Return what was begun for `owner` and not finished, the Space first."""
    rows = db.execute(
        f"{_INTENT} WHERE done = 0 AND owner = ? ORDER BY kind DESC, position", (owner,)
    )
    return tuple(read(Intent, row) for row in rows)


def first_chat(db: Database, owner: UserId) -> Intent | None:
    """Return the intent of the owner's first chat, if there is one."""
    row = db.execute(
        f"{_INTENT} WHERE kind = 'chat' AND owner = ? AND command IS NULL",
        (owner,),
    ).fetchone()
    return None if row is None else read(Intent, row)
