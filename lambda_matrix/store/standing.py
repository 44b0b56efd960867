"""What stands open between a person and us where they say something."""

import time

from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.store import outbox, people
from lambda_matrix.store.people import Pick
from lambda_matrix.store.questions import confirmations
from lambda_matrix.store.records import Confirmation, Room
from lambda_matrix.store.topology import rooms


@frozen
class OpenHere:
    """The place as it is now, the list they may pick from, what they are asked, and to whom.

    And what they chose.
    """

    room: Room
    pick: Pick | None
    confirmation: Confirmation | None
    is_reply_to_us: bool
    settings: PersonSettings


@frozen
class WordWanted:
    """Whose word is waited for in a room, seen by one person.

    `mine` is theirs to give, unless it `has_expired`; with `others` somebody else is asked, too.
    """

    mine: Confirmation | None
    has_expired: bool
    others: bool


def open_here(db: Database, room: Room, user_id: UserId, in_reply_to: EventId | None) -> OpenHere:
    """Return what stands open for the person in this room, which may have changed."""
    room_id = room.room_id
    return OpenHere(
        rooms.room(db, room_id) or room,
        people.open_pick(db, user_id, room_id),
        confirmations.pending(db, user_id, room_id),
        in_reply_to is not None and outbox.is_ours(db, in_reply_to),
        people.settings(db, user_id),
    )


def word_wanted(db: Database, room_id: RoomId, user_id: UserId) -> WordWanted:
    """Return whose word is waited for in the room."""
    asked = confirmations.of_room(db, room_id)
    mine = next((each for each in asked if each.user_id == user_id), None)
    return WordWanted(
        mine,
        has_expired=mine is not None and mine.expires_at <= time.time(),
        others=any(each is not mine for each in asked),
    )
