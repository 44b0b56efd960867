"""How much there is of everything, for those who watch the service: read often, so it is quick."""

import time

from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.ids import RequestId


@frozen(kw_only=True)
class Figures:
    """Counts of what the database holds at one moment. Ages are in seconds; None: there is none.

    `people` are those with a Space or a chat. `waiting` are the questions whose turn has not come:
    neither those at work nor those `held` until a person says their word on what an agent asked.
    `unread` are events that nobody has reacted to yet. `owed` are the events that are to be sent,
    `parked` those of them that wait until the bot is in their room again, which are not counted
    there. `refused` were never taken by the homeserver, within the last 30 days. `gaps` are
    stretches of rooms' history that are still to be read, `rooms_to_make` what was wanted and is
    not made yet, `files` those on their way between rooms and workspaces.
    """

    rooms: int
    people: int
    chats: int
    waiting: int
    longest_wait: float | None
    held: int
    unread: int
    owed: int
    oldest_owed: float | None
    parked: int
    refused: int
    gaps: int
    rooms_to_make: int
    files: int


def figures(db: Database, at_work: frozenset[RequestId]) -> Figures:
    """Count; the requests `at_work` do not wait any more."""
    now = time.time()
    rooms, people, chats = _one(
        db,
        "SELECT count(*) FILTER (WHERE membership = 'join'),"
        " count(DISTINCT owner) FILTER (WHERE kind IN ('space', 'chat')),"
        " count(*) FILTER (WHERE kind = 'chat' AND membership = 'join') FROM rooms",
    )
    owed, oldest_owed, parked = _one(
        db,
        "SELECT count(*) FILTER (WHERE parked = 0), min(created_at) FILTER (WHERE parked = 0),"
        " count(*) FILTER (WHERE parked = 1) FROM outbox WHERE state = 'pending'",
    )
    waiting, longest_wait, held = _questions(db, at_work, now)
    return Figures(
        rooms=rooms,
        people=people,
        chats=chats,
        waiting=waiting,
        longest_wait=longest_wait,
        held=held,
        unread=_count(db, "inbox WHERE settled_at IS NULL"),
        owed=owed,
        oldest_owed=_age(oldest_owed, now),
        parked=parked,
        refused=_count(db, "outbox WHERE state = 'undeliverable'"),
        gaps=_count(db, "gaps"),
        rooms_to_make=_count(db, "intents WHERE done = 0"),
        files=_count(db, "attachments WHERE state IN ('wanted', 'removed')")
        + _count(db, "offered_files WHERE done = 0"),
    )


def _questions(
    db: Database, at_work: frozenset[RequestId], now: float
) -> tuple[int, float | None, int]:
    """Return how many questions wait, for how long the first of them has, and how many are held.

    A question waits since its event was taken, which its row of the inbox knows.
    """
    rows = db.execute(
        "SELECT request_id, inbox.settled_at, resume IS NULL AND platform_chat_id IN"
        " (SELECT platform_chat_id FROM confirmations"
        " WHERE platform_chat_id IS NOT NULL AND expires_at > ?)"
        " FROM requests LEFT JOIN inbox ON inbox.event_id = requests.question"
        " WHERE outcome IS NULL",
        (now,),
    ).fetchall()
    waiting = [row for row in rows if row[0] not in at_work and not row[2]]
    since = min((row[1] for row in waiting if row[1] is not None), default=None)
    held = sum(row[2] for row in rows if row[0] not in at_work)
    return len(waiting), _age(since, now), held


def _one(db: Database, query: str) -> tuple[int, ...]:
    row: tuple[int, ...] = db.execute(query).fetchone()
    return row


def _count(db: Database, what: str) -> int:
    return _one(db, f"SELECT count(*) FROM {what}")[0]  # noqa: S608 - words of ours


def _age(moment: float | None, now: float) -> float | None:
    """Return how long ago `moment` was; a clock that was set back makes nothing younger than 0."""
    return None if moment is None else max(now - moment, 0.0)
