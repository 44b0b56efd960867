"""Rooms that go on elsewhere (m.room.tombstone): what moves with a chat, and what stays.

The theory. Each answer is to be seen once, in the old room or in the new one.

- A question that is not answered yet moves: it is answered in the new room. Its run, if there is
  one, is begun anew there (as after an edit), and what the old room saw of its answer is redacted.
- What was committed to be said in the old room stays addressed to it, since it may be on its way.
  Only once the old room has refused it (whoever upgrades a room usually has it refuse messages) is
  it known not to be there, and goes to the new one.
- The old room's own history stays where it is: the bot does not leave it, since the context, and
  whatever was saved of it, are stretches of that history.
"""

from typing import Literal

from sqlite_utils import Database

from lambda_matrix.account_data import Binding
from lambda_matrix.ids import RoomId
from lambda_matrix.store import outbox
from lambda_matrix.store.facts import dump_stretches
from lambda_matrix.store.outbox import new_transaction_id
from lambda_matrix.store.questions import requests, withdrawals
from lambda_matrix.store.records import Draft, Ourselves, Room
from lambda_matrix.store.topology import rooms
from lambda_matrix.store.topology.rooms import NOT_MOVED, TO_MOVE


def to_move(db: Database) -> tuple[RoomId, ...]:
    """Return the chats and Spaces that were upgraded, and have not been followed yet."""
    rows = db.execute(f"SELECT room_id FROM rooms WHERE {TO_MOVE}")  # noqa: S608 - a constant
    return tuple(RoomId(row[0]) for row in rows)


def moving_to(db: Database, room_id: RoomId) -> tuple[RoomId, ...]:
    """Return the chats and Spaces that are to go on in this room."""
    rows = db.execute("SELECT room_id FROM rooms WHERE replaced_by = ?", (room_id,))
    old = {RoomId(row[0]) for row in rows}
    return tuple(each for each in to_move(db) if each in old)


def is_heard_out(db: Database, room_id: RoomId) -> bool:
    """Return whether everything that was said in the room so far has had its reaction."""
    row = db.execute(
        "SELECT 1 FROM inbox WHERE room_id = ? AND settled_at IS NULL"
        " UNION SELECT 1 FROM gaps WHERE room_id = ? LIMIT 1",
        (room_id, room_id),
    ).fetchone()
    return row is None


def move_chat(
    db: Database, old: Room, new: RoomId, binding: Binding, draft: Draft, own: Ourselves
) -> bool:
    """The chat goes on in `new`, bound as `binding` says; say `draft` there.

    The bot is known to be in the new room. Returns False if it had moved before, or goes on in
    another context than `old` says: a `!clear` came in between, and is not to be undone.
    """
    if not _leave_behind(db, old):
        return False
    db.execute(
        "UPDATE rooms SET kind = 'chat', owner = ?, agent = ?, platform_chat_id = ?, archived = ?,"
        " own_threads = ?, untitled = ?, noted = 1 WHERE room_id = ?",
        (
            binding.owner,
            binding.agent,
            binding.platform_chat_id,
            binding.archived,
            binding.own_threads,
            old.untitled,
            new,
        ),
    )
    db.execute(
        "UPDATE contexts SET room_id = ?, since_event = ?, loaded = ? WHERE platform_chat_id = ?",
        (new, binding.since_event, dump_stretches(binding.loaded), binding.platform_chat_id),
    )
    _move_questions(db, old.room_id, new)
    for table in ("confirmations", "picks"):
        db.execute(
            f"UPDATE OR REPLACE {table} SET room_id = ? WHERE room_id = ?",  # noqa: S608 - constants
            (new, old.room_id),
        )
    outbox.add(db, (draft,), own)
    return True


def move_space(db: Database, old: Room, new: RoomId) -> bool:
    """The Space goes on in `new`. Returns False if it had moved before."""
    if not _leave_behind(db, old):
        return False
    db.execute("UPDATE rooms SET kind = 'space', owner = ? WHERE room_id = ?", (old.owner, new))
    return True


def _leave_behind(db: Database, old: Room) -> bool:
    left = db.execute(
        "UPDATE rooms SET kind = 'moved', agent = NULL, platform_chat_id = NULL, archived = 0,"
        " untitled = 0, noted = 1 WHERE room_id = ? AND kind = ? AND platform_chat_id IS ?",
        (old.room_id, old.kind.value, old.platform_chat_id),
    )
    return left.rowcount > 0


def _move_questions(db: Database, old: RoomId, new: RoomId) -> None:
    """What is still to be answered is answered in the new room, from the beginning.

    It cannot reply there to what is not there, and what was shown of it is to go.
    """
    for request in requests.waiting(db, old):
        withdrawals.withdraw_answer(db, request.question)
    db.execute(
        "UPDATE attachments SET room_id = ? WHERE room_id = ? AND (request IS NULL OR request IN"
        " (SELECT request_id FROM requests WHERE room_id = ? AND outcome IS NULL))",
        (new, old, old),
    )
    db.execute(
        "UPDATE requests SET room_id = ?, edited = edited + 1, attempts = 0, as_reply = 0,"
        " thread_root = NULL WHERE room_id = ? AND outcome IS NULL",
        (new, old),
    )


def readdress(db: Database, seq: int) -> RoomId | Literal["wait"] | None:
    """The row's room has refused it: send it to where the room goes on.

    Whole and by itself, if it was the end of what was begun in the old room; that is to go.

    Returns that room; "wait" if nobody knows yet whether it goes on there; None if it does not.
    """
    row = db.execute(
        "SELECT rooms.room_id, rooms.kind, rooms.replaced_by FROM outbox"
        " JOIN rooms ON rooms.room_id = outbox.room_id"
        " WHERE seq = ? AND outbox.state = 'pending'",
        (seq,),
    ).fetchone()
    if row is None or row[2] is None:
        return None
    if row[0] in to_move(db):
        return "wait"
    if row[1] != "moved":
        return None
    db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id) SELECT root.event_id, root.room_id"
        " FROM outbox AS row JOIN outbox AS root ON root.seq = row.replaces"
        " WHERE row.seq = ? AND root.event_id IS NOT NULL",
        (seq,),
    )
    db.execute(
        "UPDATE outbox SET room_id = ?, transaction_id = ? WHERE seq = ?",
        (row[2], new_transaction_id(), seq),
    )
    return RoomId(row[2])


def decline(db: Database, room_id: RoomId, draft: Draft, own: Ourselves) -> None:
    """The upgrade is not followed: the chat is archived, and `draft` says so; once."""
    if rooms.tell_once(db, room_id, NOT_MOVED):
        db.execute(
            "UPDATE rooms SET archived = 1, noted = 1 WHERE room_id = ? AND kind = 'chat'",
            (room_id,),
        )
        requests.say(db, (draft,), own)
