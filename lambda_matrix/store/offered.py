"""Files of agents on their way into rooms: noted with the answer (T2), sent after it."""

from sqlite_utils import Database

from lambda_matrix.ids import RequestId, RoomId
from lambda_matrix.store.records import OfferedFile, Request
from lambda_matrix.store.rows import columns, read


def note(db: Database, request: Request, files: tuple[tuple[str, str | None], ...]) -> None:
    """Note the files that a run offered, in order (part of T2)."""
    for path, caption in files:
        db.execute(
            "INSERT INTO offered_files (room_id, request, agent, platform_chat_id, path, caption)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                request.room_id,
                request.request_id,
                request.agent,
                request.platform_chat_id,
                path,
                caption,
            ),
        )


def next_file(db: Database, room_id: RoomId) -> OfferedFile | None:
    """Return the oldest file that the room is still to be sent."""
    row = db.execute(
        f"SELECT {columns(OfferedFile)} FROM offered_files WHERE room_id = ? AND done = 0"  # noqa: S608 - column names
        " ORDER BY position LIMIT 1",
        (room_id,),
    ).fetchone()
    return None if row is None else read(OfferedFile, row)


def rooms_with_files(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms that are still to be sent a file."""
    rows = db.execute("SELECT DISTINCT room_id FROM offered_files WHERE done = 0")
    return tuple(RoomId(row[0]) for row in rows)


def forget(db: Database, request_id: RequestId) -> None:
    """The question was taken back: what its run offered is not sent any more."""
    db.execute("UPDATE offered_files SET done = 1 WHERE request = ?", (request_id,))
