"""Questions and the runs that answer them: from the inbox to T2."""

import time
from collections.abc import Callable

from sqlite_utils import Database

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store import outbox, rooms
from lambda_matrix.store.facts import Incoming, load_fact
from lambda_matrix.store.records import Attempt, Draft, Look, Ourselves, OutboxRow, Request, Stopped
from lambda_matrix.store.rows import columns, read

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
        "SELECT fact FROM inbox WHERE room_id = ? AND settled_at IS NULL"
        " ORDER BY batch, place LIMIT ?",
        (room_id, limit),
    )
    return Look(room, tuple(load_fact(row[0]) for row in rows))


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
) -> bool:
    """The event has had its reaction: settle it together with what is said to it.

    With `once` the replies are said only the first time that this thing is told in the room.
    Returns False, and says nothing, if the event was settled before.
    """
    if not _settle(db, event.event_id):
        return False
    if once is None or rooms.tell_once(db, event.room_id, once):
        outbox.add(db, replies, own)
    return True


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


def ask(
    db: Database,
    message: TextMessage,
    *,
    request_id: RequestId,
    text: str,
    agent: AgentId,
    platform_chat_id: PlatformChatId,
    as_reply: bool,
) -> Request | None:
    """Make a request of the message, and settle it; None if it was settled before.

    Its answer is to name it (`as_reply`) also when another question waits before it.
    """
    place = db.execute(
        "SELECT batch, place FROM inbox WHERE event_id = ?", (message.event_id,)
    ).fetchone()
    if not _settle(db, message.event_id):
        return None
    as_reply = as_reply or bool(waiting(db, message.room_id))
    db.execute(
        "INSERT INTO requests (request_id, question, room_id, batch, place, asker, text, agent,"
        " platform_chat_id, as_reply) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            request_id,
            message.event_id,
            message.room_id,
            *place,
            message.sender,
            text,
            agent,
            platform_chat_id,
            as_reply,
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
        as_reply=as_reply,
        attempts=0,
        runs=0,
        stopped=False,
        outcome=None,
    )


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
    if not outbox.is_said(db, draft):
        outbox.add(db, (draft,), own)


def begin_next(db: Database, room_id: RoomId) -> Attempt | None:
    """Take up the room's oldest unanswered request, and count the attempt before it begins.

    None while a gap is open: the answer may be in it. A request that has had all of its attempts
    comes with `number` 0.
    """
    if _has_gap(db, room_id):
        return None
    row = db.execute(
        f"SELECT {columns(Request)} FROM requests"  # noqa: S608 - column names
        " WHERE room_id = ? AND outcome IS NULL ORDER BY batch, place LIMIT 1",
        (room_id,),
    ).fetchone()
    if row is None:
        return None
    request = read(Request, row)
    root = outbox.root_of(db, request.question)
    language = rooms.language(db, request.asker)
    if request.attempts >= MAX_ATTEMPTS:
        return Attempt(request, 0, root, language)
    db.execute(
        "UPDATE requests SET attempts = attempts + 1, runs = runs + 1 WHERE request_id = ?",
        (request.request_id,),
    )
    return Attempt(request, request.runs + 1, root, language)


def give_back(db: Database, request_id: RequestId) -> None:
    """The attempt was cut off by an orderly stop, which is no fault of the request's."""
    db.execute(
        "UPDATE requests SET attempts = attempts - 1 WHERE request_id = ? AND outcome IS NULL",
        (request_id,),
    )


def stop(
    db: Database,
    command: TextMessage,
    *,
    everything: bool,
    reply: Callable[[int], Draft],
    own: Ourselves,
) -> Stopped:
    """Settle a `!stop`: note which of the asker's requests are to end, and say how many.

    Noted here, they stay stopped through a crash; their runs are cancelled after the commit.
    """
    rows = db.execute(
        "SELECT request_id, asker FROM requests WHERE room_id = ? AND outcome IS NULL"
        " ORDER BY batch, place",
        (command.room_id,),
    ).fetchall()
    concerned = rows if everything else rows[:1]
    stopped = [row[0] for row in concerned if row[1] == command.sender]
    if not settle(db, command, (reply(len(stopped)),), own):
        return Stopped(0, is_running=False)
    for request_id in stopped:
        db.execute("UPDATE requests SET stopped = 1 WHERE request_id = ?", (request_id,))
    return Stopped(len(stopped), is_running=bool(stopped) and stopped[0] == rows[0][0])


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


def finish_then_next(
    db: Database, request: Request, outcome: str, answer: tuple[Draft, ...], own: Ourselves
) -> OutboxRow | None:
    """T2, and what the room is to be sent next: one transaction on the way of each answer."""
    finish(db, request.request_id, outcome, answer, own)
    return outbox.next_row(db, request.room_id)


def _settle(db: Database, event_id: EventId) -> bool:
    settled = db.execute(
        "UPDATE inbox SET settled_at = ?, fact = NULL WHERE event_id = ? AND settled_at IS NULL",
        (time.time(), event_id),
    )
    return settled.rowcount > 0
