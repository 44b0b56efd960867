"""What people are asked: one thing at a time under (person, room), until they answer it."""

import time

from sqlite_utils import Database

from lambda_matrix.ids import PlatformChatId, RequestId, RoomId, UserId
from lambda_matrix.store import outbox
from lambda_matrix.store.records import Confirmation, Draft, Ourselves
from lambda_matrix.store.rows import columns, read

_CONFIRMATION = f"SELECT {columns(Confirmation)} FROM confirmations"  # noqa: S608 - column names


def ask(db: Database, confirmation: Confirmation) -> None:
    """Keep what the person is asked; what they were asked before in this room is over."""
    db.execute(
        f"INSERT OR REPLACE INTO confirmations ({columns(Confirmation)})"  # noqa: S608 - column names
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            confirmation.user_id,
            confirmation.room_id,
            confirmation.kind,
            confirmation.platform_chat_id,
            confirmation.request,
            confirmation.expires_at,
        ),
    )


def pending(db: Database, user_id: UserId, room_id: RoomId) -> Confirmation | None:
    """Return what the person is asked in this room, if it has not expired."""
    row = db.execute(
        f"{_CONFIRMATION} WHERE user_id = ? AND room_id = ? AND expires_at > ?",
        (user_id, room_id, time.time()),
    ).fetchone()
    return None if row is None else read(Confirmation, row)


def of_room(db: Database, room_id: RoomId) -> tuple[Confirmation, ...]:
    """Return what anybody is asked in this room, expired or not."""
    rows = db.execute(f"{_CONFIRMATION} WHERE room_id = ?", (room_id,)).fetchall()
    return tuple(read(Confirmation, row) for row in rows)


def of_everybody(db: Database) -> tuple[Confirmation, ...]:
    """Return what anybody is asked anywhere, expired or not."""
    rows = db.execute(_CONFIRMATION).fetchall()
    return tuple(read(Confirmation, row) for row in rows)


def waits(db: Database, platform_chat_id: PlatformChatId) -> bool:
    """Return whether the context's agent waits for a person's word."""
    row = db.execute(
        "SELECT 1 FROM confirmations WHERE platform_chat_id = ? AND expires_at > ?",
        (platform_chat_id, time.time()),
    ).fetchone()
    return row is not None


def waits_for_another(db: Database, platform_chat_id: PlatformChatId, user_id: UserId) -> bool:
    """Return whether the context's agent waits for the word of somebody else than this person."""
    row = db.execute(
        "SELECT 1 FROM confirmations"
        " WHERE platform_chat_id = ? AND user_id <> ? AND expires_at > ?",
        (platform_chat_id, user_id, time.time()),
    ).fetchone()
    return row is not None


def close(db: Database, user_id: UserId, room_id: RoomId) -> None:
    """The person has answered, or will not be asked any more."""
    db.execute("DELETE FROM confirmations WHERE user_id = ? AND room_id = ?", (user_id, room_id))


def close_context(db: Database, room_id: RoomId, platform_chat_id: PlatformChatId) -> None:
    """The room goes on without this context: what its agent asks is over, and what we ask."""
    db.execute(
        "DELETE FROM confirmations WHERE room_id = ?"
        " AND (platform_chat_id IS NULL OR platform_chat_id = ?)",
        (room_id, platform_chat_id),
    )


def close_asked_by(db: Database, request_id: RequestId) -> None:
    """What the request's run ended to ask is not asked any more."""
    db.execute("DELETE FROM confirmations WHERE request = ?", (request_id,))


def expired(db: Database) -> tuple[Confirmation, ...]:
    """Return what was not answered in time."""
    rows = db.execute(f"{_CONFIRMATION} WHERE expires_at <= ?", (time.time(),)).fetchall()
    return tuple(read(Confirmation, row) for row in rows)


def expire(db: Database, confirmation: Confirmation, notice: Draft, own: Ourselves) -> None:
    """Drop what was not answered in time, and say so; unless it was dropped or asked anew."""
    dropped = db.execute(
        "DELETE FROM confirmations WHERE user_id = ? AND room_id = ? AND expires_at = ?",
        (confirmation.user_id, confirmation.room_id, confirmation.expires_at),
    )
    if dropped.rowcount:
        outbox.add_new(db, (notice,), own)


def next_expiry(db: Database) -> float | None:
    """Return when the next one expires, of those that have not; in seconds since the epoch."""
    row = db.execute(
        "SELECT min(expires_at) FROM confirmations WHERE expires_at > ?", (time.time(),)
    ).fetchone()
    expiry: float | None = row[0]
    return expiry
