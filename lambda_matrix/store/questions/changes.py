"""What people do to what they asked: edit it, take it back, stop it, answer for it, ask it again.

The theory. A request is the text that stands in the room when its run begins, and `edited` counts
how often that text has changed: a run that began with an older one is cut off, and T2 refuses it
(`requests.finish`), so that whichever comes first, the answer is to the newest text. A request that
goes on with another one, because its asker said `!yes` or `!retry`, names the question behind both
(`origin`): who takes that question back takes all that came of it.
"""

from collections.abc import Callable

from sqlite_utils import Database

from lambda_matrix.ids import EventId, RequestId, RoomId, UserId
from lambda_matrix.matrix_events import Redaction, TextMessage
from lambda_matrix.store import outbox
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.files import attachments, offered
from lambda_matrix.store.questions import confirmations, requests, withdrawals
from lambda_matrix.store.records import (
    Confirmation,
    Draft,
    Ourselves,
    Question,
    Request,
    Stopped,
)
from lambda_matrix.store.rows import columns, read

_IN_THE_ROOM = (
    "(requests.room_id = ? OR requests.room_id ="
    " (SELECT replaced_by FROM rooms WHERE rooms.room_id = ? AND kind = 'moved'))"
)
"""True of what was asked in a room, also if it is to be answered where the room goes on."""
_REQUEST = f"SELECT {columns(Request)} FROM requests"  # noqa: S608 - column names


def edit(db: Database, event: TextMessage, text: str) -> Request | None:
    """Settle the edit of a question, and ask its new text instead of the old one.

    Returns the request, if it is one that is still to be answered and its asker's to edit. A
    command stays what it was.
    """
    if not requests.take(db, event.event_id):
        return None
    row = db.execute(
        f"UPDATE requests SET text = ?, edited = edited + 1, attempts = 0"  # noqa: S608 - column names
        f" WHERE question = ? AND {_IN_THE_ROOM} AND asker = ? AND outcome IS NULL"
        f" AND stopped = 0 AND origin IS NULL AND text <> ? RETURNING {columns(Request)}",
        (text, event.replaces, event.room_id, event.room_id, event.sender, text),
    ).fetchone()
    return None if row is None else read(Request, row)


def withdraw(db: Database, event: Redaction) -> tuple[Request, ...]:
    """Settle a redaction. If it took back a question, all that was answered to it is to go, too.

    Returns the requests that were still to be answered.
    """
    if not requests.take(db, event.event_id):
        return ()
    contexts.forget_event(db, event.redacts)
    attachments.withdraw(db, event.redacts, event.room_id)
    rows = db.execute(
        f"{_REQUEST} WHERE {_IN_THE_ROOM} AND (question = ? OR origin = ?)",
        (event.room_id, event.room_id, event.redacts, event.redacts),
    ).fetchall()
    withdrawn = tuple(read(Request, row) for row in rows)
    for request in withdrawn:
        db.execute(
            "UPDATE requests SET outcome = 'withdrawn' WHERE request_id = ?", (request.request_id,)
        )
        confirmations.close_asked_by(db, request.request_id)
        offered.forget(db, request.request_id)
        withdrawals.withdraw_answer(db, request.question)
    if not withdrawn and outbox.is_answered(db, event.redacts):
        withdrawals.withdraw_answer(db, event.redacts)  # forgotten, but for its answer
    return tuple(request for request in withdrawn if request.outcome is None)


def stop(
    db: Database,
    command: TextMessage,
    *,
    everything: bool,
    at_work: RequestId | None,
    reply: Callable[[Stopped], Draft],
    own: Ourselves,
) -> Stopped:
    """Settle a `!stop`: note which of its sender's requests are to end.

    That is the one that is `at_work`, or else what the sender is asked (which is refused then), or
    else what comes next; with `everything` it is all of that. Noted here, requests stay stopped
    through a crash; their runs are cancelled after the commit.
    """
    waiting = requests.waiting(db, command.room_id)
    asked = confirmations.pending(db, command.sender, command.room_id)
    concerned = waiting
    if not everything:
        concerned = tuple(each for each in waiting if each.request_id == at_work)
        if not concerned and asked is None:
            concerned = waiting[:1]
    stopped = tuple(each.request_id for each in concerned if each.asker == command.sender)
    done = Stopped(stopped, asked if everything or not stopped else None)
    if not requests.settle(db, command, (reply(done),), own):
        return Stopped((), None)
    for request_id in stopped:
        requests.mark_stopped(db, request_id)
    if done.dropped is not None:
        confirmations.close(db, command.sender, command.room_id)
    return done


def answer_for(
    db: Database,
    message: TextMessage,
    asked: Confirmation,
    question: Question,
    replies: tuple[Draft, ...],
    own: Ourselves,
) -> Request | None:
    """The sender gives their word on what they are `asked`: a run takes it to the agent.

    None, and nothing is settled, if it is not waited for any more: it has expired meanwhile.
    """
    if confirmations.pending(db, asked.user_id, asked.room_id) != asked:
        return None
    request = requests.ask(db, message, question)
    if request is not None:
        confirmations.close(db, asked.user_id, asked.room_id)
        requests.say(db, replies, own)
    return request


def ask_us(
    db: Database, command: TextMessage, asked: Confirmation, prompt: Draft, own: Ourselves
) -> None:
    """Settle a command that is dangerous: its sender is asked first."""
    if requests.settle(db, command, (prompt,), own):
        confirmations.ask(db, asked)


def drop(db: Database, message: TextMessage, reply: Draft, own: Ourselves) -> None:
    """Settle a word of the sender's with which what they are asked here is over."""
    if requests.settle(db, message, (reply,), own):
        confirmations.close(db, message.sender, message.room_id)


def by_id(db: Database, request_id: RequestId | None) -> Request | None:
    """Return the request, if it is known (still)."""
    row = db.execute(f"{_REQUEST} WHERE request_id = ?", (request_id,)).fetchone()
    return None if row is None else read(Request, row)


def last_asked(
    db: Database, room_id: RoomId, asker: UserId, thread_root: EventId | None
) -> Request | None:
    """Return what the person asked last in this room and thread, and has not taken back."""
    row = db.execute(
        f"{_REQUEST} WHERE room_id = ? AND asker = ? AND thread_root IS ?"
        " AND outcome IS NOT 'withdrawn' ORDER BY batch DESC, place DESC LIMIT 1",
        (room_id, asker, thread_root),
    ).fetchone()
    return None if row is None else read(Request, row)


def question_of(db: Database, request: Request) -> Request | None:
    """Return the request of the question that this one goes on with or asks again.

    None if it was taken back, or is so old that it was forgotten.
    """
    row = db.execute(
        f"{_REQUEST} WHERE question = ? AND outcome IS NOT 'withdrawn'",
        (request.origin or request.question,),
    ).fetchone()
    return None if row is None else read(Request, row)


def ask_again(db: Database, message: TextMessage, question: Question) -> Request | None:
    """Settle a `!retry`: ask `question`, with the files that were asked about before.

    None if the message was settled before.
    """
    request = requests.ask(db, message, question)
    if request is not None and request.origin is not None:
        attachments.pass_on(db, request.origin, request.request_id)
    return request
