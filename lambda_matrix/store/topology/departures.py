"""Who leaves takes what they asked along: their requests are stopped, their questions closed."""

from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store.records import Request, RoomKind
from lambda_matrix.store.rows import columns, read
from lambda_matrix.store.topology import rooms


@frozen
class Departure:
    """The rooms that somebody went away from, and the requests of theirs that end with it."""

    rooms: tuple[RoomId, ...]
    stopped: tuple[Request, ...]


def note_gone(db: Database, room_id: RoomId, user_id: UserId) -> Departure:
    """Stop what `user_id` wants where they are no longer; others' requests go on.

    Whoever leaves their Space leaves all that is in it.
    """
    left = rooms.room(db, room_id)
    concerned: tuple[RoomId, ...] = (room_id,)
    if left is not None and left.kind is RoomKind.SPACE and left.owner == user_id:
        concerned = tuple(room.room_id for room in rooms.rooms_of(db, user_id, RoomKind.CHAT))
    stopped = [request for each in concerned for request in _stop(db, each, user_id)]
    return Departure(concerned, tuple(stopped))


def _stop(db: Database, room_id: RoomId, user_id: UserId) -> list[Request]:
    here = (room_id, user_id)
    db.execute("DELETE FROM confirmations WHERE room_id = ? AND user_id = ?", here)
    db.execute("DELETE FROM picks WHERE room_id = ? AND user_id = ?", here)
    stopped = db.execute(
        "UPDATE requests SET stopped = 1"  # noqa: S608 - column names
        " WHERE room_id = ? AND asker = ? AND outcome IS NULL"
        f" RETURNING {columns(Request)}",
        here,
    ).fetchall()
    return [read(Request, row) for row in stopped]
