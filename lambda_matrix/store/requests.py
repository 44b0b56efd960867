"""Questions and the runs that answer them: from the inbox to T2."""

import time

from sqlite_utils import Database

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store import outbox
from lambda_matrix.store.facts import Incoming, load_fact
from lambda_matrix.store.records import Attempt, Draft, Ourselves, Request
from lambda_matrix.store.rows import columns, read

MAX_ATTEMPTS = 3


def unsettled(db: Database, room_id: RoomId, limit: int) -> tuple[Incoming, ...]:
    """Return what waits in the room's inbox, oldest first; nothing while a gap is open."""
    gap = db.execute("SELECT 1 FROM gaps WHERE room_id = ? LIMIT 1", (room_id,)).fetchone()
    if gap is not None:
        return ()
    rows = db.execute(
        "SELECT fact FROM inbox WHERE room_id = ? AND settled_at IS NULL"
        " ORDER BY batch, place LIMIT ?",
        (room_id, limit),
    )
    return tuple(load_fact(row[0]) for row in rows)


def rooms_with_work(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms in which something waits to be taken up."""
    rows = db.execute(
        "SELECT room_id FROM inbox WHERE settled_at IS NULL"
        " UNION SELECT room_id FROM requests WHERE outcome IS NULL"
    )
    return tuple(RoomId(row[0]) for row in rows)


def settle(db: Database, event_id: EventId, replies: tuple[Draft, ...], own: Ourselves) -> bool:
    """The event has had its reaction: settle it together with what is said to it.

    Returns False, and says nothing, if it was settled before.
    """
    if not _settle(db, event_id):
        return False
    outbox.add(db, replies, own)
    return True


def count_failure(db: Database, room_id: RoomId) -> EventId | None:
    """Count one more failure of the room's oldest event; return its id.

    An event that fails `MAX_ATTEMPTS` times is settled unanswered by the caller.
    """
    row = db.execute(
        "SELECT event_id FROM inbox WHERE room_id = ? AND settled_at IS NULL"
        " ORDER BY batch, place LIMIT 1",
        (room_id,),
    ).fetchone()
    if row is None:
        return None
    db.execute("UPDATE inbox SET failures = failures + 1 WHERE event_id = ?", row)
    failures = db.execute("SELECT failures FROM inbox WHERE event_id = ?", row).fetchone()[0]
    return EventId(row[0]) if failures >= MAX_ATTEMPTS else None


def ask(
    db: Database,
    message: TextMessage,
    *,
    request_id: RequestId,
    text: str,
    agent: AgentId,
    platform_chat_id: PlatformChatId,
    waited: bool,
) -> Request | None:
    """Make a request of the message, and settle it; None if it was settled before."""
    place = db.execute(
        "SELECT batch, place FROM inbox WHERE event_id = ?", (message.event_id,)
    ).fetchone()
    if not _settle(db, message.event_id):
        return None
    db.execute(
        "INSERT INTO requests (request_id, question, room_id, batch, place, asker, text, agent,"
        " platform_chat_id, waited) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request_id,
            message.event_id,
            message.room_id,
            *place,
            message.sender,
            text,
            agent,
            platform_chat_id,
            waited,
        ),
    )
    return Request(
        request_id=request_id,
        question=message.event_id,
        room_id=message.room_id,
        asker=message.sender,
        text=text,
        agent=agent,
        platform_chat_id=platform_chat_id,
        waited=waited,
        attempts=0,
        outcome=None,
    )


def waiting(db: Database, room_id: RoomId) -> tuple[Request, ...]:
    """Return the room's unanswered requests, oldest first."""
    rows = db.execute(
        f"SELECT {columns(Request)} FROM requests"  # noqa: S608 - column names
        " WHERE room_id = ? AND outcome IS NULL ORDER BY batch, place",
        (room_id,),
    )
    return tuple(read(Request, row) for row in rows)


def begin_attempt(db: Database, request_id: RequestId) -> Attempt | None:
    """Count an attempt before it begins; None if the request has had all of its attempts."""
    row = db.execute(
        "UPDATE requests SET attempts = attempts + 1"
        " WHERE request_id = ? AND outcome IS NULL AND attempts < ? RETURNING attempts, question",
        (request_id, MAX_ATTEMPTS),
    ).fetchone()
    return None if row is None else Attempt(row[0], outbox.root_of(db, EventId(row[1])))


def give_back(db: Database, request_id: RequestId) -> None:
    """The attempt was cut off by an orderly stop, which is no fault of the request's."""
    db.execute(
        "UPDATE requests SET attempts = attempts - 1 WHERE request_id = ? AND outcome IS NULL",
        (request_id,),
    )


def open_answer(db: Database, root: Draft, own: Ourselves) -> int:
    """T1b: commit the first visible event of an answer before it is sent; return its row."""
    return outbox.add(db, (root,), own)[0]


def finish(
    db: Database, request_id: RequestId, outcome: str, answer: tuple[Draft, ...], own: Ourselves
) -> bool:
    """T2: the request is done, and here is its whole answer.

    Returns False, and says nothing, if it was done before.
    """
    done = db.execute(
        "UPDATE requests SET outcome = ? WHERE request_id = ? AND outcome IS NULL",
        (outcome, request_id),
    )
    if not done.rowcount:
        return False
    outbox.add(db, answer, own)
    return True


def _settle(db: Database, event_id: EventId) -> bool:
    settled = db.execute(
        "UPDATE inbox SET settled_at = ?, fact = NULL WHERE event_id = ? AND settled_at IS NULL",
        (time.time(), event_id),
    )
    return settled.rowcount > 0
