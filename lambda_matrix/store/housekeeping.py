"""What may be forgotten, so that the database does not grow for ever."""

import time

from sqlite_utils import Database


def forget_old(db: Database, days: float) -> int:
    """Drop what was settled longer ago than `days`; the homeserver is the archive.

    What an unanswered request stands on stays, however long the service was away. Returns how many
    events are dropped that were owed to rooms in which the bot is no more.
    """
    before = time.time() - days * 86_400
    db.execute(
        "DELETE FROM inbox WHERE settled_at < ?"
        " AND event_id NOT IN (SELECT question FROM requests WHERE outcome IS NULL)",
        (before,),
    )
    db.execute(
        "DELETE FROM requests WHERE outcome IS NOT NULL"
        " AND question NOT IN (SELECT event_id FROM inbox)"
    )
    _forget_files(db)
    db.execute("DELETE FROM previews WHERE question NOT IN (SELECT question FROM requests)")
    parked = db.execute(
        "SELECT count(*) FROM outbox WHERE created_at < ? AND state = 'pending' AND parked = 1",
        (before,),
    ).fetchone()
    db.execute(
        "DELETE FROM outbox WHERE created_at < ? AND (state <> 'pending' OR parked = 1)"
        " AND seq NOT IN (SELECT replaces FROM outbox WHERE replaces IS NOT NULL)"
        " AND coalesce(question, '') NOT IN (SELECT question FROM requests WHERE outcome IS NULL)",
        (before,),
    )
    _forget_unused_messages(db)
    return int(parked[0])


def _forget_files(db: Database) -> None:
    """Drop what is known of files that went along or were sent; the files themselves stay."""
    db.execute(
        "DELETE FROM attachments WHERE"
        " (request IS NOT NULL AND request NOT IN (SELECT request_id FROM requests))"
        " OR (state = 'refused' AND request IS NULL"
        "  AND event_id NOT IN (SELECT event_id FROM inbox))"
    )
    db.execute("DELETE FROM offered_files WHERE request NOT IN (SELECT request_id FROM requests)")


def _forget_unused_messages(db: Database) -> None:
    """Drop what was said in contexts that nothing more is asked in: the rooms still have it.

    And what their agents had left there, which may be a megabyte for each `!clear`.
    """
    unused = (
        "NOT EXISTS (SELECT 1 FROM rooms WHERE rooms.membership = 'join'"
        "  AND (rooms.platform_chat_id = contexts.platform_chat_id"
        "   OR (rooms.room_id = contexts.room_id AND contexts.platform_chat_id ="
        "    (SELECT max(latest.platform_chat_id) FROM contexts AS latest"
        "     WHERE latest.room_id = contexts.room_id"
        "     AND latest.thread_root = contexts.thread_root))))"
        " AND platform_chat_id NOT IN"
        "  (SELECT platform_chat_id FROM requests WHERE outcome IS NULL)"
        # A word on what an agent asked before a !clear goes to where it was asked.
        " AND platform_chat_id NOT IN"
        "  (SELECT platform_chat_id FROM confirmations WHERE platform_chat_id IS NOT NULL)"
    )
    db.execute(
        "DELETE FROM messages WHERE platform_chat_id IN"  # noqa: S608 - above
        f" (SELECT platform_chat_id FROM contexts WHERE {unused})"
    )
    # The bot may be asked back: then what was said is read from the room.
    db.execute(
        f"UPDATE contexts SET is_whole = 0, state = NULL WHERE {unused}"  # noqa: S608 - above
    )
