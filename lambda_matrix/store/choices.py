"""Commands by which a person chooses something: the choice and the reply are one transaction."""

from sqlite_utils import Database

from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import UserId
from lambda_matrix.store import people
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.people import Pick
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, Ourselves


def choose(
    db: Database, event: Incoming, chosen: PersonSettings, reply: Draft, own: Ourselves
) -> None:
    """Settle a command by which its sender changed what they chose."""
    if requests.settle(db, event, (reply,), own):
        people.note_settings(db, event.sender, chosen)


def choose_threads(
    db: Database, event: Incoming, reply: Draft, own: Ourselves, *, is_own: bool
) -> None:
    """Settle a command that gives the threads of its room contexts of their own, or the room's."""
    if requests.settle(db, event, (reply,), own):
        db.execute("UPDATE rooms SET own_threads = ? WHERE room_id = ?", (is_own, event.room_id))


def show_list(db: Database, event: Incoming, pick: Pick, reply: Draft, own: Ourselves) -> None:
    """Settle a command that shows a list from which its sender's next bare number picks."""
    if requests.settle(db, event, (reply,), own):
        people.offer_pick(db, UserId(event.sender), event.room_id, pick)
