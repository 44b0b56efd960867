"""Our own events as they come back: each settles the row that it is, and what it answers (T1).

One that no row accounts for was sent by another process with our name, or by a start of which this
store knows nothing any more (`recovery`). It counts all the same: what it answers is answered.
"""

import time

from sqlite_utils import Database

from lambda_matrix.ids import EventId, InstanceId, RoomId
from lambda_matrix.matrix_events import AnswerMark, AnswerState, MediaMessage, TextMessage
from lambda_matrix.store import meta, outbox, recovery
from lambda_matrix.store.questions import withdrawals
from lambda_matrix.store.records import Ourselves


def settle(
    db: Database,
    event: TextMessage | MediaMessage,
    ourselves: Ourselves,
    *,
    batch: int,
    goes_on: bool,
) -> InstanceId | None:
    """Settle what our own `event` is the proof of; it was told in that batch.

    `goes_on`: since then, not from the beginning. Returns its instance if this store never knew it.
    """
    mark = event.answer
    if mark is None:
        return None
    is_known = outbox.settle(db, event, mark)
    is_foreign = not meta.is_own_instance(db, mark.instance)
    if is_foreign:
        meta.note_foreign(db, mark.instance)
    if not is_known and not outbox.is_preview(event, mark):
        recovery.adopt(db, event, mark, ourselves)
        # Who is told all from the beginning is told what was forgotten long ago: that is no loss.
        if goes_on or is_foreign:
            recovery.doubt(db, batch)
    if mark.question is not None:
        _settle_answer(db, event, mark, mark.question, is_known=is_known)
    return mark.instance if is_foreign else None


def _settle_answer(
    db: Database,
    event: TextMessage | MediaMessage,
    mark: AnswerMark,
    question: EventId,
    *,
    is_known: bool,
) -> None:
    is_open = mark.state is AnswerState.OPEN
    is_withdrawn = withdrawals.note_echo(
        db, event.room_id, event.event_id, question, is_open=is_open
    )
    if mark.completes:
        _settle_question(db, event.room_id, question)
        if mark.is_answer and not is_known:
            withdrawals.supersede(db, event, mark)
    if mark.state is AnswerState.FINAL and not is_known:
        withdrawals.leave_strays(db, question)
    if outbox.is_preview(event, mark) and not is_withdrawn:
        withdrawals.note_preview(db, event.room_id, event.event_id, question)


def _settle_question(db: Database, room_id: RoomId, question: EventId) -> None:
    """The question is answered: should it ever be told again, its place is taken."""
    now = time.time()
    db.execute(
        "INSERT INTO inbox (event_id, room_id, batch, place, settled_at) VALUES (?, ?, 0, 0, ?)"
        " ON CONFLICT (event_id) DO UPDATE SET settled_at = coalesce(settled_at, ?), fact = NULL",
        (question, room_id, now, now),
    )
    db.execute(
        "UPDATE requests SET outcome = 'answered' WHERE question = ? AND outcome IS NULL",
        (question,),
    )
