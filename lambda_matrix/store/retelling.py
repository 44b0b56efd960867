"""What the homeserver says of the topology, all of it told anew in place of what was told so far.

The sync token stays where it is: the batch is told without the past of the rooms that are known,
and their past goes on from the token.
"""

from attrs import evolve
from sqlite_utils import Database

from lambda_matrix.ids import SyncToken
from lambda_matrix.matrix_events import JoinedRoom, SyncBatch
from lambda_matrix.store import intake
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.topology import observed, rooms


def accept_anew(db: Database, batch: SyncBatch, ourselves: Ourselves, token: SyncToken) -> None:
    """Take in a batch that tells everything, after a catch-up that ended at `token`.

    A room of which nothing was known is taken in with its past, like any new one.
    """
    observed.forget_all(db)
    known = rooms.joined(db)
    joined = tuple(_without_past(room) if room.room_id in known else room for room in batch.joined)
    intake.accept_batch(db, evolve(batch, joined=joined, next_batch=token), ourselves)


def _without_past(room: JoinedRoom) -> JoinedRoom:
    return evolve(room, timeline=(), limited=False)
