"""Who leaves takes what they asked along: their requests are stopped, their questions closed."""

from sqlite_utils import Database

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store import rooms
from lambda_matrix.store.records import RoomKind


def note_gone(db: Database, room_id: RoomId, user_id: UserId) -> tuple[RoomId, ...]:
    """Stop what `user_id` wants where they are no longer; return the rooms in which that is.

    Whoever leaves their Space leaves all that is in it.
    """
    left = rooms.room(db, room_id)
    concerned: tuple[RoomId, ...] = (room_id,)
    if left is not None and left.kind is RoomKind.SPACE and left.owner == user_id:
        concerned = tuple(room.room_id for room in rooms.rooms_of(db, user_id, RoomKind.CHAT))
    return tuple(each for each in concerned if _stop(db, each, user_id))


def _stop(db: Database, room_id: RoomId, user_id: UserId) -> bool:
    here = (room_id, user_id)
    db.execute("DELETE FROM confirmations WHERE room_id = ? AND user_id = ?", here)
    db.execute("DELETE FROM picks WHERE room_id = ? AND user_id = ?", here)
    stopped = db.execute(
        "UPDATE requests SET stopped = 1 WHERE room_id = ? AND asker = ? AND outcome IS NULL", here
    )
    return stopped.rowcount > 0
