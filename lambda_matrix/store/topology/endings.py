"""Chats that their owners have deleted: ended at once here, and left once all is said."""

from sqlite_utils import Database

from lambda_matrix.ids import EventId, RoomId
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.questions import requests, withdrawals
from lambda_matrix.store.records import Draft, Ourselves


def end_chat(db: Database, consent: Incoming, farewell: Draft, own: Ourselves) -> bool:
    """Settle the `!yes` to a `!delete`: nothing is answered here any more, and `farewell` is last.

    What was still to be answered is withdrawn, together with what its answers had come to. Returns
    False, and does nothing, if the `!yes` was settled before.
    """
    room_id = consent.room_id
    if not requests.settle(db, consent, (), own):
        return False
    unanswered = db.execute(
        "UPDATE requests SET outcome = 'withdrawn' WHERE room_id = ? AND outcome IS NULL"
        " RETURNING question",
        (room_id,),
    ).fetchall()
    for (question,) in unanswered:
        withdrawals.withdraw_answer(db, EventId(question))
    requests.say(db, (farewell,), own)
    db.execute("DELETE FROM confirmations WHERE room_id = ?", (room_id,))
    db.execute("DELETE FROM picks WHERE room_id = ?", (room_id,))
    db.execute("DELETE FROM attachments WHERE room_id = ?", (room_id,))
    db.execute("UPDATE offered_files SET done = 1 WHERE room_id = ?", (room_id,))
    db.execute("UPDATE rooms SET ended = 1, untitled = 0 WHERE room_id = ?", (room_id,))
    return True


def ended(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms that are to be left."""
    return tuple(RoomId(row[0]) for row in db.execute("SELECT room_id FROM rooms WHERE ended = 1"))


def is_owed(db: Database, room_id: RoomId) -> bool:
    """Return whether something is still to be said or redacted in the room, and can be."""
    row = db.execute(
        "SELECT 1 FROM rooms WHERE room_id = ? AND membership = 'join' AND (EXISTS"
        " (SELECT 1 FROM outbox WHERE outbox.room_id = rooms.room_id AND state = 'pending'"
        "  AND parked = 0)"
        " OR EXISTS (SELECT 1 FROM withdrawals WHERE withdrawals.room_id = rooms.room_id))",
        (room_id,),
    ).fetchone()
    return row is not None


def forget_chat(db: Database, room_id: RoomId) -> None:
    """The room was left: forget what it was, and what was said in it."""
    db.execute(
        "DELETE FROM messages WHERE platform_chat_id IN"
        " (SELECT platform_chat_id FROM contexts WHERE room_id = ?)",
        (room_id,),
    )
    db.execute("DELETE FROM contexts WHERE room_id = ?", (room_id,))
    db.execute("DELETE FROM withdrawals WHERE room_id = ?", (room_id,))
    db.execute(
        "UPDATE rooms SET membership = 'leave', kind = 'unregistered', owner = NULL, agent = NULL,"
        " platform_chat_id = NULL, archived = 0, own_threads = 0, ended = 0 WHERE room_id = ?",
        (room_id,),
    )
