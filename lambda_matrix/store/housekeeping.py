"""What may be forgotten, so that the database does not grow for ever."""

import time

from sqlite_utils import Database


def forget_old(db: Database, days: float) -> None:
    """Drop what was settled longer ago than `days`; the homeserver is the archive.

    What an unanswered request stands on stays, however long the service was away.
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
    db.execute(
        "DELETE FROM outbox WHERE created_at < ? AND (state <> 'pending' OR parked = 1)"
        " AND seq NOT IN (SELECT replaces FROM outbox WHERE replaces IS NOT NULL)"
        " AND coalesce(question, '') NOT IN (SELECT question FROM requests WHERE outcome IS NULL)",
        (before,),
    )
