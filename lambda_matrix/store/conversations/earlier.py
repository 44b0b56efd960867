"""Questions from before a `!clear`, taken in after it: found when all that was known here was lost.

They belong to the context that was in force when they were asked. The room's binding names only
the one in force now, which is not to be told a word of them; but our answers name theirs.
"""

import time

from sqlite_utils import Database

from lambda_matrix.ids import EventId, PlatformChatId
from lambda_matrix.store import recovery
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.records import Room


def cleared_after(db: Database, room: Room, message: EventId) -> EventId | None:
    """Return what the room's context began with, if `message` was said before that."""
    if room.platform_chat_id is None:
        return None
    known = contexts.context(db, room.platform_chat_id)
    if known is None or known.since_event is None:
        return None
    return known.since_event if recovery.is_before(db, message, known.since_event) else None


def number_before(db: Database, room: Room, since: EventId) -> PlatformChatId | None:
    """Return the newest context in which anything was asked in the room before `since`."""
    row = db.execute(
        "SELECT asked.number FROM"
        " (SELECT question, platform_chat_id AS number FROM requests WHERE room_id = ?"
        "  UNION SELECT question, context FROM outbox"
        "   WHERE room_id = ? AND question IS NOT NULL AND context IS NOT NULL)"
        " AS asked JOIN inbox ON inbox.event_id = asked.question, inbox AS since"
        " WHERE since.event_id = ? AND (inbox.batch, inbox.place) < (since.batch, since.place)"
        " ORDER BY inbox.batch DESC, inbox.place DESC LIMIT 1",
        (room.room_id, room.room_id, since),
    ).fetchone()
    return None if row is None else PlatformChatId(row[0])


def note(db: Database, room: Room, number: PlatformChatId) -> None:
    """Have the context known (again); what was said in it is read back from the room."""
    db.execute(
        "INSERT OR IGNORE INTO contexts (platform_chat_id, room_id, agent, begun_at, is_whole)"
        " VALUES (?, ?, ?, ?, 0)",
        (number, room.room_id, room.agent, time.time()),
    )
