"""What stands open between a person and us where they say something."""

from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.store import confirmations, outbox, people
from lambda_matrix.store.people import Pick
from lambda_matrix.store.records import Confirmation


@frozen
class OpenHere:
    """The list they may pick from, what they are asked, and whether they reply to us."""

    pick: Pick | None
    confirmation: Confirmation | None
    is_reply_to_us: bool


def open_here(
    db: Database, room_id: RoomId, user_id: UserId, in_reply_to: EventId | None
) -> OpenHere:
    """Return what stands open for the person in this room."""
    return OpenHere(
        people.open_pick(db, user_id, room_id),
        confirmations.pending(db, user_id, room_id),
        in_reply_to is not None and outbox.is_ours(db, in_reply_to),
    )
