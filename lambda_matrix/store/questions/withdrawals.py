"""Questions that were taken back, and our events that answer them: those are to go, too.

What is on its way at that moment shows up as an echo, and is noted then: whenever the question was
taken back, and whatever was sent by then, nothing of its answer stays. That includes the edits by
which it grew: clients hide them with the event that they edit, but homeservers keep their texts.
"""

from sqlite_utils import Database

from lambda_matrix.ids import EventId, RoomId
from lambda_matrix.matrix_events import AnswerMark, MediaMessage, TextMessage

_LATER_PARTS = (
    "question = ? AND part > 0 AND content = x'' AND state = 'sent' AND request NOT LIKE '%:%'"
)


def withdraw_answer(db: Database, question: EventId) -> None:
    """Nothing more is said to this question, and what was said is to be redacted."""
    db.execute(
        "UPDATE outbox SET state = 'undeliverable' WHERE question = ? AND state = 'pending'",
        (question,),
    )
    db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id)"
        " SELECT event_id, room_id FROM outbox WHERE question = ? AND event_id IS NOT NULL",
        (question,),
    )
    db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id)"
        " SELECT event_id, room_id FROM previews WHERE question = ?",
        (question,),
    )
    db.execute("DELETE FROM previews WHERE question = ?", (question,))
    # A loaded answer is known by its own event, everything else by the question.
    db.execute(
        "DELETE FROM messages WHERE question = ?"
        " OR question IN (SELECT event_id FROM outbox WHERE question = ?)",
        (question, question),
    )


def note_echo(
    db: Database, room_id: RoomId, event_id: EventId, question: EventId, *, is_open: bool
) -> bool:
    """An event of ours is there; return whether it answers a question that was taken back.

    Or the beginning of an answer (`is_open`) to a question that has moved: that is answered where
    its room goes on after an upgrade.
    """
    inserted = db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id) SELECT ?, ? FROM requests"
        " WHERE question = ? AND (outcome = 'withdrawn' OR (? AND room_id <> ?))",
        (event_id, room_id, question, is_open, room_id),
    )
    return inserted.rowcount > 0


def leave_behind(db: Database, question: EventId) -> None:
    """An answer is begun anew of which a part was there and not the end: what was there goes.

    The first part does not; it is what the new answer takes the place of.
    """
    db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id) SELECT event_id, room_id FROM outbox"  # noqa: S608 - a constant
        f" WHERE {_LATER_PARTS}",
        (question,),
    )
    db.execute(f"UPDATE outbox SET state = 'undeliverable' WHERE {_LATER_PARTS}", (question,))  # noqa: S608 - a constant


def leave_strays(db: Database, question: EventId) -> None:
    """Parts of an answer are there that belong to another than the one that came to its end.

    They had been left behind, and that was forgotten in turn.
    """
    db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id)"
        " SELECT stray.event_id, stray.room_id FROM outbox AS stray JOIN outbox AS last"
        " ON last.question = stray.question AND last.part = last.parts - 1"
        " WHERE stray.question = ? AND stray.part > 0 AND stray.content = x''"
        " AND last.answer_state = 'final' AND last.state = 'sent' AND stray.state = 'sent'"
        " AND last.request NOT LIKE '%:%' AND stray.request NOT LIKE '%:%'"
        " AND (last.request, last.instance) <> (stray.request, stray.instance)",
        (question,),
    )


def withdraw_beginning(db: Database, question: EventId) -> None:
    """A forgotten answer had been begun, and there is none to be given: the beginning goes."""
    db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id) SELECT event_id, room_id FROM outbox"
        " WHERE question = ? AND answer_state = 'open' AND content = x'' AND state = 'sent'",
        (question,),
    )


def supersede(db: Database, event: TextMessage | MediaMessage, mark: AnswerMark) -> None:
    """Another start has answered the question: what was to be said to it here is not said.

    And what was begun beside that answer goes.
    """
    begun_in = event.replaces if isinstance(event, TextMessage) else None
    db.execute(
        "UPDATE outbox SET state = 'undeliverable' WHERE question = ? AND state = 'pending'"
        " AND request NOT LIKE '%:%' AND room_id = ?",
        (mark.question, event.room_id),
    )
    db.execute(
        "INSERT OR IGNORE INTO withdrawals (event_id, room_id) SELECT event_id, room_id FROM outbox"
        " WHERE question = ? AND state = 'sent' AND answer_state = 'open' AND request <> ?"
        " AND room_id = ? AND event_id NOT IN (?, ?)",
        (
            mark.question,
            mark.request,
            event.room_id,
            event.event_id,
            begun_in or event.event_id,
        ),
    )


def note_preview(db: Database, room_id: RoomId, event_id: EventId, question: EventId) -> None:
    """An edit by which the answer to a question grew is there."""
    db.execute(
        "INSERT OR IGNORE INTO previews (event_id, room_id, question) VALUES (?, ?, ?)",
        (event_id, room_id, question),
    )


def to_redact(db: Database, room_id: RoomId) -> tuple[EventId, ...]:
    """Return the events of ours in the room that are to be redacted."""
    rows = db.execute("SELECT event_id FROM withdrawals WHERE room_id = ?", (room_id,))
    return tuple(EventId(row[0]) for row in rows)


def redacted(db: Database, event_id: EventId) -> None:
    """The event is no more, and other chats that go on from it are not told of it either."""
    db.execute("DELETE FROM withdrawals WHERE event_id = ?", (event_id,))
    db.execute("DELETE FROM messages WHERE message_id = ?", (event_id,))


def rooms_with_withdrawals(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms in which something is to be redacted."""
    rows = db.execute("SELECT DISTINCT room_id FROM withdrawals")
    return tuple(RoomId(row[0]) for row in rows)
