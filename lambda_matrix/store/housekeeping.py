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
    return int(parked[0])
