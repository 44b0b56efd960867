"""Files of people: wanted, fetched into the workspace, staged, and taken along by a request."""

from sqlite_utils import Database

from lambda_matrix.ids import EventId, RequestId, RoomId, UserId
from lambda_matrix.matrix_events import MediaMessage
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records import StagedFile
from lambda_matrix.store.rows import columns, read

_FILE = f"SELECT {columns(StagedFile)} FROM attachments"  # noqa: S608 - column names


def are_wanted(db: Database, request_id: RequestId) -> bool:
    """Return whether a file that the request takes along is still on its way."""
    row = db.execute(
        "SELECT 1 FROM attachments WHERE request = ? AND state = 'wanted'", (request_id,)
    ).fetchone()
    return row is not None


def take_along(db: Database, message: Incoming, request_id: RequestId) -> None:
    """The request takes along what its asker has staged in the room, and its own file."""
    own = message.event_id if isinstance(message, MediaMessage) else None
    db.execute(
        "UPDATE attachments SET request = ? WHERE request IS NULL AND room_id = ? AND sender = ?"
        " AND (state <> 'refused' OR event_id = ?)",
        (request_id, message.room_id, message.sender, own),
    )


def of_request(db: Database, request_id: RequestId) -> tuple[StagedFile, ...]:
    """Return the files that the request takes along, in the order they were sent."""
    rows = db.execute(f"{_FILE} WHERE request = ? ORDER BY position", (request_id,))
    return tuple(read(StagedFile, row) for row in rows)


def staged(db: Database, room_id: RoomId, sender: UserId) -> tuple[StagedFile, ...]:
    """Return what the person's next message in the room takes along, in the order it was sent."""
    rows = db.execute(
        f"{_FILE} WHERE request IS NULL AND room_id = ? AND sender = ? AND state <> 'refused'"
        " ORDER BY position",
        (room_id, sender),
    )
    return tuple(read(StagedFile, row) for row in rows)


def pass_on(db: Database, origin: EventId, later: RequestId) -> None:
    """The files that went along with a question go along with it again."""
    db.execute(
        "UPDATE attachments SET request = ? WHERE request IN"
        " (SELECT request_id FROM requests WHERE question = ? OR origin = ?)",
        (later, origin, origin),
    )
