"""What was done and is not known any more: the database was lost, or is older than the rooms.

The theory. Every event of ours names what it is, so a room tells what this store has forgotten: our
own event that no row accounts for. It is *adopted*: a row is made of it, as if it had been sent
from here, so that an answer that was begun goes on in its place, and one whose question is taken
back goes along. From then on it is also known that something was lost, and what had come in by
then is *doubted*: a command among it may have been obeyed already, although nothing shows it.

What comes back by no event of ours is what stood open: files that waited for a question, and what
an agent had asked. Whoever had left it open is told so (`bereft`).
"""

from sqlite_utils import Database

from lambda_matrix.ids import EventId, RoomId
from lambda_matrix.matrix_events import AnswerMark, MediaMessage, TextMessage
from lambda_matrix.store import meta, outbox
from lambda_matrix.store.records import Ourselves, Request
from lambda_matrix.store.topology import rooms

STAGED = "staged"
"""The cause of what we say to a file that waits for its sender's next question."""
EXPIRED = "expired"
"""The cause of what we say when nobody has given the word that an agent had asked for."""

FILE = "file"
"""The cause of an agent's file, which came with an answer."""

_DOUBTED = "doubted_batch"

_ANSWERED = (
    "SELECT inbox.batch, inbox.place, inbox.event_id, outbox.asks, outbox.content = x'' AS adopted"
    " FROM outbox JOIN inbox ON inbox.event_id = outbox.question"
    " WHERE outbox.room_id = ? AND outbox.answer_state = 'final' AND outbox.request NOT LIKE '%:%'"
    " AND inbox.settled_at IS NOT NULL"
    " ORDER BY inbox.batch DESC, inbox.place DESC, outbox.asks DESC LIMIT 1"
)
"""The newest question of a room that has its answer, and whether we had forgotten that answer."""


def doubt(db: Database, batch: int) -> None:
    """Something was lost: nobody knows what became of what came in up to this batch."""
    if batch > doubted_batch(db):
        meta.set_number(db, _DOUBTED, batch)


def doubted_batch(db: Database) -> int:
    """Return the last batch of what is doubted; 0: nothing is."""
    return meta.number(db, _DOUBTED)


def adopt(
    db: Database, event: TextMessage | MediaMessage, mark: AnswerMark, own: Ourselves
) -> None:
    """Make a row of our own event that none accounts for, and note what it says was told."""
    outbox.adopt(db, event, mark, own)
    cause, _, which = mark.request.partition(":")
    if which == event.room_id:
        rooms.tell_once(db, event.room_id, cause)
    elif cause == FILE:
        request, _, position = which.rpartition(":")
        db.execute(
            "UPDATE offered_files SET done = 1 WHERE request = ? AND position = ?",
            (request, position),
        )


def is_before(db: Database, one: EventId, other: EventId) -> bool:
    """Return whether one message was said before another, as far as both are known."""
    row = db.execute(
        "SELECT (one.batch, one.place) < (other.batch, other.place) FROM inbox AS one, inbox AS"
        " other WHERE one.event_id = ? AND other.event_id = ?",
        (one, other),
    ).fetchone()
    return row is not None and bool(row[0])


def waits_before(db: Database, request: Request) -> EventId | None:
    """Return the oldest of what was said in the room before the request and waits to be answered.

    Those are questions that wait for a person's word or for files, and `!new`s.
    """
    row = db.execute(
        "SELECT inbox.event_id FROM inbox, inbox AS this WHERE this.event_id = ?"
        " AND (inbox.batch, inbox.place) < (this.batch, this.place) AND inbox.event_id IN"
        " (SELECT question FROM requests WHERE room_id = ? AND outcome IS NULL"
        "  UNION SELECT command FROM intents WHERE origin = ? AND done = 0)"
        " ORDER BY inbox.batch, inbox.place LIMIT 1",
        (request.question, request.room_id, request.room_id),
    ).fetchone()
    return None if row is None else EventId(row[0])


def newest_answered(db: Database, room_id: RoomId) -> EventId | None:
    """Return the newest question in the room that has its answer."""
    row = db.execute(_ANSWERED, (room_id,)).fetchone()
    return None if row is None else EventId(row[2])


def rooms_to_look_at(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms in which `bereft` may find something: a file or a prompt was forgotten."""
    rows = db.execute(
        "SELECT DISTINCT room_id FROM outbox WHERE content = x'' AND (asks = 1 OR request LIKE ?)",
        (f"{STAGED}:%",),
    )
    return tuple(RoomId(row[0]) for row in rows)


def bereft(db: Database, room_id: RoomId) -> str | None:
    """Return the cause for which the room is to be told of what was lost; None: nothing was.

    It is the same until the next question there has its answer, so that it is told once. Nothing
    while a gap is open: the answer may be in it.
    """
    gap = db.execute("SELECT 1 FROM gaps WHERE room_id = ? LIMIT 1", (room_id,)).fetchone()
    room = rooms.room(db, room_id)
    if gap is not None or room is None or room.membership != "join" or room.archived or room.ended:
        return None
    newest = db.execute(_ANSWERED, (room_id,)).fetchone()
    if newest is not None and _is_prompt(db, room_id, newest):
        return memory_lost(room_id, EventId(newest[2]))
    batch, place, question = (-1, 0, None) if newest is None else newest[:3]
    staged = db.execute(
        "SELECT 1 FROM outbox JOIN inbox ON inbox.event_id = outbox.question"
        " WHERE outbox.room_id = ? AND outbox.content = x'' AND outbox.request LIKE ?"
        " AND (inbox.batch, inbox.place) > (?, ?) LIMIT 1",
        (room_id, f"{STAGED}:%", batch, place),
    ).fetchone()
    return None if staged is None else memory_lost(room_id, question)


def memory_lost(room_id: RoomId, answered: EventId | None) -> str:
    """Return the cause for which that is told; `answered`: the newest question with its answer."""
    return f"memory_lost:{answered or room_id}"


def _is_prompt(db: Database, room_id: RoomId, newest: tuple[int, int, EventId, bool, bool]) -> bool:
    """Return whether the newest answer asks for a word that nobody here waits for any more."""
    _, _, question, asks, is_adopted = newest
    if not (asks and is_adopted):
        return False
    cleared = db.execute(
        "SELECT contexts.since_event FROM rooms JOIN contexts USING (platform_chat_id)"
        " WHERE rooms.room_id = ?",
        (room_id,),
    ).fetchone()
    if cleared is not None and cleared[0] is not None and is_before(db, question, cleared[0]):
        return False
    over = db.execute(
        "SELECT 1 FROM confirmations WHERE room_id = ?"
        " UNION SELECT 1 FROM outbox WHERE room_id = ? AND content = x'' AND request LIKE ?",
        (room_id, room_id, f"{EXPIRED}:%"),
    ).fetchone()
    return over is None
