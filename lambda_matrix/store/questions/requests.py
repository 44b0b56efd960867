"""Questions and the runs that answer them: from the inbox to T2."""

import time

from sqlite_utils import Database

from lambda_matrix.ids import EventId, PlatformChatId, RequestId, RoomId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store import outbox, people, recovery
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.facts import Incoming, dump_resume, load_fact
from lambda_matrix.store.files import attachments, offered
from lambda_matrix.store.questions import confirmations, withdrawals
from lambda_matrix.store.records import (
    Attempt,
    Done,
    Draft,
    Look,
    Ourselves,
    OutboxRow,
    Question,
    Request,
)
from lambda_matrix.store.rows import columns, read
from lambda_matrix.store.topology import rooms

MAX_ATTEMPTS = 3


def look(db: Database, room_id: RoomId, limit: int) -> Look:
    """Return the room and what waits in its inbox, oldest first.

    Nothing while a gap is open, and nothing in a room of ours that is not bound yet: what is said
    there is a question, and will be known as one in a moment.
    """
    room = rooms.room(db, room_id)
    if _has_gap(db, room_id) or rooms.is_unfinished(db, room_id):
        return Look(room, ())
    rows = db.execute(
        "SELECT event_id, batch, fact FROM inbox WHERE room_id = ? AND settled_at IS NULL"
        " ORDER BY batch, place LIMIT ?",
        (room_id, limit),
    ).fetchall()
    doubted = recovery.doubted_batch(db)
    return Look(
        room,
        tuple(load_fact(row[2]) for row in rows),
        frozenset(EventId(row[0]) for row in rows if row[1] <= doubted),
    )


def _has_gap(db: Database, room_id: RoomId) -> bool:
    row = db.execute("SELECT 1 FROM gaps WHERE room_id = ? LIMIT 1", (room_id,)).fetchone()
    return row is not None


def rooms_with_work(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms in which something waits to be taken up."""
    rows = db.execute(
        "SELECT room_id FROM inbox WHERE settled_at IS NULL"
        " UNION SELECT room_id FROM requests WHERE outcome IS NULL"
    )
    return tuple(RoomId(row[0]) for row in rows)


def settle(
    db: Database,
    event: Incoming,
    replies: tuple[Draft, ...],
    own: Ourselves,
    *,
    once: str | None = None,
    ends_pick: bool = True,
) -> bool:
    """The event has had its reaction: settle it together with what is said to it.

    With `once` the replies are said only the first time that this thing is told in the room. What
    a person says ends the list from which they could pick there, but for a slip of the finger.
    Returns False, and says nothing, if the event was settled before.
    """
    if not take(db, event.event_id):
        return False
    withdrawals.withdraw_beginning(db, event.event_id)
    if ends_pick and isinstance(event, TextMessage):
        people.close_pick(db, event.sender, event.room_id)
    if once is None or rooms.tell_once(db, event.room_id, once):
        outbox.add(db, replies, own)
    return True


def take(db: Database, event_id: EventId) -> bool:
    """Settle the event without a word; return whether it was not settled before."""
    settled = db.execute(
        "UPDATE inbox SET settled_at = ?, fact = NULL WHERE event_id = ? AND settled_at IS NULL",
        (time.time(), event_id),
    )
    return settled.rowcount > 0


def say(db: Database, drafts: tuple[Draft, ...], own: Ourselves) -> None:
    """Commit what is said to nobody in particular."""
    outbox.add(db, drafts, own)


def count_failure(db: Database, event: Incoming) -> bool:
    """Count one more failure to react to the event; return whether it was the last one allowed."""
    row = db.execute(
        "UPDATE inbox SET failures = failures + 1 WHERE event_id = ? RETURNING failures",
        (event.event_id,),
    ).fetchone()
    return row is not None and row[0] >= MAX_ATTEMPTS


def ask(db: Database, message: Incoming, question: Question) -> Request | None:
    """Make a request of the message, and settle it; None if it was settled before.

    The staged files of its sender go along, unless it goes on with an earlier question. Its answer
    is to name it (`as_reply`) also when another question waits before it.
    """
    place = db.execute(
        "SELECT batch, place FROM inbox WHERE event_id = ?", (message.event_id,)
    ).fetchone()
    if not take(db, message.event_id):
        return None
    people.close_pick(db, message.sender, message.room_id)
    as_reply = question.as_reply or bool(waiting(db, message.room_id))
    row = db.execute(
        "INSERT INTO requests (request_id, question, room_id, batch, place, asker, text, agent,"  # noqa: S608 - column names
        " platform_chat_id, thread_root, in_reply_to, origin, resume, as_reply)"
        f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING {columns(Request)}",
        (
            question.request_id,
            message.event_id,
            message.room_id,
            *place,
            message.sender,
            question.text,
            question.agent,
            question.platform_chat_id,
            question.thread_root,
            question.in_reply_to,
            question.origin,
            dump_resume(question.resume),
            as_reply,
        ),
    ).fetchone()
    if question.origin is None and question.resume is None:
        attachments.take_along(db, message, question)
    return read(Request, row)


def waiting(db: Database, room_id: RoomId) -> tuple[Request, ...]:
    """Return the room's unanswered requests, oldest first: the one at work and those behind it."""
    rows = db.execute(
        f"SELECT {columns(Request)} FROM requests"  # noqa: S608 - column names
        " WHERE room_id = ? AND outcome IS NULL ORDER BY batch, place",
        (room_id,),
    )
    return tuple(read(Request, row) for row in rows)


def say_once(db: Database, draft: Draft, own: Ourselves, *, once: str) -> None:
    """Commit a sentence the first time that this thing is told in the room."""
    if rooms.tell_once(db, draft.room_id, once):
        outbox.add(db, (draft,), own)


def say_new(db: Database, draft: Draft, own: Ourselves) -> None:
    """Commit a sentence unless one was committed for the same cause (the mark's request)."""
    outbox.add_new(db, (draft,), own)


def begin_next(db: Database, room_id: RoomId) -> Attempt | None:
    """Take up the room's oldest unanswered request, and count the attempt before it begins.

    None while a gap is open: the answer may be in it. A request waits while its files are still on
    their way, and while its context waits for a person's word: that word goes before everything
    that was asked. What was asked in the same context waits behind it, but not to be stopped. A
    request that has had all of its attempts comes with `number` 0.
    """
    if _has_gap(db, room_id):
        return None
    halted: set[PlatformChatId] = set()
    for request in _in_turn(db, room_id):
        context = request.platform_chat_id
        if request.stopped or not (context in halted or _must_wait(db, request)):
            return _begin(db, request)
        halted.add(context)
    return None


def _in_turn(db: Database, room_id: RoomId) -> list[Request]:
    rows = db.execute(
        f"SELECT {columns(Request)} FROM requests"  # noqa: S608 - column names
        " WHERE room_id = ? AND outcome IS NULL ORDER BY resume IS NULL, batch, place",
        (room_id,),
    )
    return [read(Request, row) for row in rows]


def _must_wait(db: Database, request: Request) -> bool:
    return attachments.are_wanted(db, request.request_id) or (
        request.resume is None and confirmations.waits(db, request.platform_chat_id)
    )


def _begin(db: Database, request: Request) -> Attempt:
    root = outbox.root_of(db, request.question)
    settings = people.settings(db, request.asker)
    if request.attempts >= MAX_ATTEMPTS:
        return Attempt(request, 0, root, settings, waits=recovery.waits_before(db, request))
    db.execute(
        "UPDATE requests SET attempts = attempts + 1, runs = runs + 1 WHERE request_id = ?",
        (request.request_id,),
    )
    if root is not None:
        withdrawals.leave_behind(db, request.question)
    files = attachments.of_request(db, request.request_id)
    waits = recovery.waits_before(db, request)
    return Attempt(request, request.runs + 1, root, settings, files, waits)


def open_requests(db: Database) -> tuple[Request, ...]:
    """Return every request that is still to be answered."""
    rows = db.execute(
        f"SELECT {columns(Request)} FROM requests WHERE outcome IS NULL"  # noqa: S608 - column names
    )
    return tuple(read(Request, row) for row in rows)


def mark_stopped(db: Database, request_id: RequestId) -> None:
    """The request is to end; noted here, it stays stopped through a crash."""
    db.execute("UPDATE requests SET stopped = 1 WHERE request_id = ?", (request_id,))


def give_back(db: Database, request_id: RequestId) -> None:
    """The attempt was cut off by an orderly stop, which is no fault of the request's."""
    db.execute(
        "UPDATE requests SET attempts = max(attempts - 1, 0)"
        " WHERE request_id = ? AND outcome IS NULL",
        (request_id,),
    )


def open_answer(db: Database, root: Draft, own: Ourselves) -> int | None:
    """T1b: commit the first visible event of an answer before it is sent; return its row.

    None if the request was withdrawn or moved to another room meanwhile: there is nothing to be
    shown any more.
    """
    row = db.execute(
        "SELECT 1 FROM requests WHERE request_id = ? AND room_id = ? AND outcome IS NULL",
        (root.mark.request, root.room_id),
    ).fetchone()
    return None if row is None else outbox.add(db, (root,), own)[0]


def finish(db: Database, request: Request, done: Done, own: Ourselves) -> bool:
    """T2: the request is done, and here is its whole answer.

    Returns False, and says nothing, if it was done before, or edited since its run began.
    """
    finished = db.execute(
        "UPDATE requests SET outcome = ? WHERE request_id = ? AND outcome IS NULL AND edited = ?",
        (done.outcome, request.request_id, request.edited),
    )
    if not finished.rowcount:
        return False
    outbox.add(db, done.answer, own)
    if done.exchange is not None:
        contexts.note_exchange(db, request, done.exchange)
    if done.asked is not None:
        confirmations.ask(db, done.asked)
    offered.note(db, request, done.files)
    return True


def finish_then_next(
    db: Database, request: Request, done: Done, own: Ourselves
) -> tuple[bool, OutboxRow | None]:
    """T2, and what the room is to be sent next: one transaction on the way of each answer."""
    return finish(db, request, done, own), outbox.next_row(db, request.room_id)
