"""Files of agents on their way into rooms: noted with the answer (T2), sent after it."""

from sqlite_utils import Database

from lambda_matrix.ids import RequestId, RoomId
from lambda_matrix.store import outbox
from lambda_matrix.store.records import Draft, OfferedFile, Ourselves, Request
from lambda_matrix.store.rows import fields, read

_FIELDS = fields(OfferedFile)
_COLUMNS = ", ".join(f"offered_files.{name}" for name in _FIELDS)
_REQUEST = ", ".join(f"requests.{name}" for name in fields(Request))


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


def next_file(db: Database, room_id: RoomId) -> tuple[OfferedFile, Request] | None:
    """Return the oldest file that the room is still to be sent, and the request of its run."""
    row = db.execute(
        f"SELECT {_COLUMNS}, {_REQUEST} FROM offered_files"  # noqa: S608 - column names
        " JOIN requests ON requests.request_id = offered_files.request"
        " WHERE offered_files.room_id = ? AND done = 0 ORDER BY position LIMIT 1",
        (room_id,),
    ).fetchone()
    if row is None:
        return None
    split = len(_FIELDS)
    return read(OfferedFile, row[:split]), read(Request, row[split:])


def settle(db: Database, file: OfferedFile, said: Draft, own: Ourselves) -> bool:
    """The file is done with: `said` is it, or says why it is not sent. False: not wanted any more.

    The question may have been taken back while the file was being uploaded.
    """
    done = db.execute(
        "UPDATE offered_files SET done = 1 WHERE position = ? AND done = 0", (file.position,)
    )
    if not done.rowcount:
        return False
    outbox.add(db, (said,), own)
    return True


def rooms_with_files(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms that are still to be sent a file."""
    rows = db.execute("SELECT DISTINCT room_id FROM offered_files WHERE done = 0")
    return tuple(RoomId(row[0]) for row in rows)


def forget(db: Database, request_id: RequestId) -> None:
    """The question was taken back: what its run offered is not sent any more."""
    db.execute("UPDATE offered_files SET done = 1 WHERE request = ?", (request_id,))
