"""Events that we owe: committed with their transaction ids, settled by answers and by echoes (T3).

The theory. A transaction id is random, chosen when the row is made, and reused only with the same
bytes; the homeserver then makes one event of however many PUTs (client-server API, "Transaction
identifiers"). So a row may be sent again whenever it is not known to have arrived: the order of a
room is the order of its rows, and one room sends one at a time.

A row that edits another names that row, not its event id, which may not be known yet. Once known
it never changes, so the bytes that the outbox composes are the same each time.
"""

import logging
import secrets
import time
from collections.abc import Sequence

from sqlite_utils import Database

from lambda_matrix import logs
from lambda_matrix.ids import EventId, RoomId, TransactionId
from lambda_matrix.matrix_events import AnswerMark, AnswerState, MediaMessage, TextMessage
from lambda_matrix.store.records import Draft, Ourselves, OutboxRow, Priority
from lambda_matrix.store.rows import fields, read

logger = logging.getLogger(__name__)

_COMPUTED = {
    "root": "root.event_id",
    "asked_at": "(SELECT settled_at FROM inbox WHERE inbox.event_id = row.question)",
    "root_lost": ("coalesce(root.state = 'undeliverable' OR root.room_id <> row.room_id, 0)"),
}
_ROW = ", ".join(_COMPUTED.get(name, f"row.{name}") for name in fields(OutboxRow))


def add(db: Database, drafts: Sequence[Draft], own: Ourselves) -> tuple[int, ...]:
    """Commit events to be sent, in order; return their rows."""
    return tuple(_add(db, draft, own) for draft in drafts)


def add_new(db: Database, drafts: Sequence[Draft], own: Ourselves) -> None:
    """Commit those of the events that were not said for the same cause before."""
    add(db, [draft for draft in drafts if not is_said(db, draft)], own)


def new_transaction_id() -> TransactionId:
    """Return a transaction id that nobody else has."""
    return TransactionId(secrets.token_urlsafe(16))


def _add(db: Database, draft: Draft, own: Ourselves) -> int:
    mark = draft.mark
    inserted = db.execute(
        "INSERT INTO outbox (transaction_id, device_id, created_at, room_id, content, replaces,"
        " request, question, part, parts, answer_state, context, asks, instance, priority,"
        " last_resort) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new_transaction_id(),
            own.device_id,
            time.time(),
            draft.room_id,
            draft.content,
            draft.replaces,
            mark.request,
            mark.question,
            mark.part,
            mark.parts,
            mark.state.value,
            mark.context,
            mark.asks,
            mark.instance,
            draft.priority.value,
            draft.last_resort,
        ),
    )
    return int(inserted.lastrowid or 0)


def next_row(db: Database, room_id: RoomId) -> OutboxRow | None:
    """Return the room's oldest row that is still to be sent.

    A parked one is, too, as soon as there is a newer one that is not: that one may not overtake it.
    """
    row = db.execute(
        f"SELECT {_ROW} FROM outbox AS row LEFT JOIN outbox AS root ON root.seq = row.replaces"  # noqa: S608 - a constant
        " WHERE row.room_id = ? AND row.state = 'pending' AND EXISTS (SELECT 1 FROM outbox"
        " WHERE room_id = ? AND state = 'pending' AND parked = 0) ORDER BY row.seq LIMIT 1",
        (room_id, room_id),
    ).fetchone()
    return None if row is None else read(OutboxRow, row)


def take_up(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms that are owed an event when the service starts.

    What is parked counts where the bot is in: it may have come back while the room was being
    parked, and the process have ended before that was looked at.
    """
    db.execute(
        "UPDATE outbox SET parked = 0 WHERE state = 'pending' AND parked = 1"
        " AND room_id IN (SELECT room_id FROM rooms WHERE membership = 'join')"
    )
    return rooms_to_serve(db)


def rooms_to_serve(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms that are owed an event."""
    rows = db.execute("SELECT DISTINCT room_id FROM outbox WHERE state = 'pending' AND parked = 0")
    return tuple(RoomId(row[0]) for row in rows)


def sent(db: Database, seq: int, event_id: EventId) -> None:
    """T3: the homeserver has the event."""
    db.execute(
        "UPDATE outbox SET state = 'sent', event_id = coalesce(event_id, ?) WHERE seq = ?",
        (event_id, seq),
    )


def sent_then_next(db: Database, seq: int, event_id: EventId, room_id: RoomId) -> OutboxRow | None:
    """T3, and what the room is to be sent next: one transaction on the way of each answer."""
    sent(db, seq, event_id)
    return next_row(db, room_id)


def event_id_of(db: Database, seq: int) -> EventId | None:
    """Return the row's event id, once it is known."""
    row = db.execute("SELECT event_id FROM outbox WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else row[0]


def refuse(db: Database, seq: int, instead: Draft | None, own: Ourselves) -> None:
    """The homeserver will never take this event; say `instead` (or nothing) in its place.

    If its echo has come meanwhile, the homeserver has it, whatever was answered to the PUT.
    """
    refused = db.execute(
        "UPDATE outbox SET state = 'undeliverable' WHERE seq = ? AND state = 'pending'", (seq,)
    )
    if refused.rowcount and instead is not None:
        add(db, (instead,), own)


def own_device(db: Database, seq: int, own: Ourselves) -> None:
    """The row was made under another device and is not in the room: from now on it is ours."""
    db.execute(
        "UPDATE outbox SET device_id = ?, created_at = ? WHERE seq = ?",
        (own.device_id, time.time(), seq),
    )


def park(db: Database, room_id: RoomId) -> None:
    """The bot is not in the room: its rows wait for a new join.

    But for answers just begun, which will not be finished: nobody shall see their beginning.
    """
    db.execute(
        "UPDATE outbox SET state = 'undeliverable'"
        " WHERE room_id = ? AND state = 'pending' AND answer_state = 'open'",
        (room_id,),
    )
    db.execute("UPDATE outbox SET parked = 1 WHERE room_id = ? AND state = 'pending'", (room_id,))


def unpark(db: Database, room_id: RoomId) -> None:
    """The bot is in the room again."""
    db.execute("UPDATE outbox SET parked = 0 WHERE room_id = ? AND state = 'pending'", (room_id,))


def is_said(db: Database, draft: Draft) -> bool:
    """Return whether something was said for the same cause before."""
    row = db.execute(
        "SELECT 1 FROM outbox WHERE request = ? AND room_id = ?",
        (draft.mark.request, draft.room_id),
    ).fetchone()
    return row is not None


def root_of(db: Database, question: EventId) -> int | None:
    """Return the row of the preview that an answer to `question` goes on from, in its room."""
    row = db.execute(
        "SELECT seq FROM outbox WHERE question = ? AND part = 0 AND answer_state = 'open'"
        " AND replaces IS NULL AND state <> 'undeliverable' AND NOT EXISTS"
        " (SELECT 1 FROM requests WHERE requests.question = outbox.question"
        " AND requests.room_id <> outbox.room_id) ORDER BY seq LIMIT 1",
        (question,),
    ).fetchone()
    return None if row is None else int(row[0])


def is_ours(db: Database, event_id: EventId) -> bool:
    """Return whether the event is one that we have sent (and have not forgotten)."""
    row = db.execute("SELECT 1 FROM outbox WHERE event_id = ? LIMIT 1", (event_id,)).fetchone()
    return row is not None


def is_answered(db: Database, question: EventId) -> bool:
    """Return whether an answer of ours to the question is known, whole or not."""
    row = db.execute(
        "SELECT 1 FROM outbox WHERE question = ? AND request NOT LIKE '%:%' LIMIT 1", (question,)
    ).fetchone()
    return row is not None


def settle(db: Database, event: TextMessage | MediaMessage, mark: AnswerMark) -> bool:
    """Settle the row whose echo `event` is; return whether there is one.

    The transaction id proves it where the homeserver gives it (same device, for a day), else the
    answer's mark does.
    """
    if event.transaction_id is not None:
        found = db.execute(
            "SELECT seq, state FROM outbox WHERE transaction_id = ?", (event.transaction_id,)
        ).fetchone()
        if found is not None:
            db.execute(
                "UPDATE outbox SET state = 'sent', event_id = ? WHERE seq = ?",
                (event.event_id, found[0]),
            )
            _tell_echo(event, mark, found[1])
            return True
    if is_preview(event, mark):
        return False
    # A final is one row, whether it went out as an edit or, its root lost, as an event of its own.
    # Its bytes name the start that made it: after a loss, another's may have the same request.
    known = db.execute(
        "SELECT seq, state FROM outbox"
        " WHERE room_id = ? AND request = ? AND part = ? AND instance = ?"
        " AND answer_state = ? AND state <> 'undeliverable' ORDER BY seq LIMIT 1",
        (event.room_id, mark.request, mark.part, mark.instance, mark.state.value),
    ).fetchone()
    if known is None:
        return False
    db.execute(
        "UPDATE outbox SET state = 'sent', event_id = coalesce(event_id, ?) WHERE seq = ?",
        (event.event_id, known[0]),
    )
    _tell_echo(event, mark, known[1])
    return True


def _tell_echo(event: TextMessage | MediaMessage, mark: AnswerMark, state: str) -> None:
    """Tell that a row has arrived, unless its answer has told so; after a crash it never did."""
    if state == "pending":
        request = mark.request if mark.is_answer else None
        with logs.about(room=event.room_id, event=mark.question, request=request):
            logger.debug("sent, as its echo tells: %s", event.event_id)


def is_preview(event: TextMessage | MediaMessage, mark: AnswerMark) -> bool:
    """Return whether the event is an edit by which an answer grows: such is no row."""
    is_edit = isinstance(event, TextMessage) and event.replaces is not None
    return is_edit and mark.state is AnswerState.OPEN


def adopt(
    db: Database, event: TextMessage | MediaMessage, mark: AnswerMark, own: Ourselves
) -> None:
    """Make a row of an event of ours that this store never knew, or has forgotten: it was sent.

    A first part without the rest is an answer just begun: the next attempt goes on from it. The
    event may be told again.
    """
    is_edit = isinstance(event, TextMessage) and event.replaces is not None
    is_begun = mark.is_answer and mark.part == 0 and not mark.completes and not is_edit
    db.execute(
        "INSERT OR IGNORE INTO outbox (transaction_id, device_id, created_at, room_id, content,"
        " request, question, part, parts, answer_state, context, asks, instance, priority, state,"
        " event_id) VALUES (?, ?, ?, ?, x'', ?, ?, ?, ?, ?, ?, ?, ?, ?, 'sent', ?)",
        (
            TransactionId(f"adopted {event.event_id}"),
            own.device_id,
            time.time(),
            event.room_id,
            mark.request,
            mark.question,
            mark.part,
            1 if is_begun else mark.parts,
            AnswerState.OPEN.value if is_begun else mark.state.value,
            mark.context,
            mark.asks,
            mark.instance,
            Priority.FIRST.value,
            event.event_id,
        ),
    )
