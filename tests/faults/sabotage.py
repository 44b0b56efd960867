"""The service with one of its safety steps broken on purpose, and mortal: does the harness see it?

    python -m tests.faults.sabotage KIND LEDGER STEPS run --config FILE

KIND names what is broken, LEDGER and STEPS are those of `tests.faults.mortal`. This is a program of
the tests' own; nothing of it is in the product.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import Enum
from pathlib import Path
from typing import assert_never

from sqlite_utils import Database

from lambda_matrix.cli import main
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.ids import EventId, RoomId, TransactionId
from lambda_matrix.matrix_events import SyncBatch
from lambda_matrix.store import intake, meta, outbox
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Done, Ourselves, OutboxRow, Request
from lambda_matrix.store.store import Store
from tests.faults.mortal import Death, be_mortal


class Kind(Enum):
    """What is broken."""

    EARLY_TOKEN = "the sync token moves in a transaction of its own, before what it stands for"
    LATE_ID = "a transaction id is chosen when the event is sent, anew at each try"
    SPLIT_T2 = "a question is done in one transaction, its answer is committed in the next"


def break_it(kind: Kind) -> None:
    """Break it, in this process."""
    match kind:
        case Kind.EARLY_TOKEN:
            _split(intake.accept_batch, move_token, intake.accept_batch)
        case Kind.LATE_ID:
            _choose_ids_late()
        case Kind.SPLIT_T2:
            _split(requests.finish_then_next, mark_done, say_answer)
        case _:
            assert_never(kind)


def move_token(db: Database, batch: SyncBatch, _: object) -> None:
    """Note that the batch was taken in."""
    meta.set_sync_token(db, batch.next_batch)


def mark_done(db: Database, request: Request, done: Done, _: object) -> None:
    """Note that the question is answered."""
    db.execute(
        "UPDATE requests SET outcome = ? WHERE request_id = ? AND outcome IS NULL AND edited = ?",
        (done.outcome, request.request_id, request.edited),
    )


def say_answer(
    db: Database, request: Request, done: Done, own: Ourselves
) -> tuple[bool, OutboxRow | None]:
    """Commit the answer of a question that is done."""
    db.execute(
        "UPDATE requests SET outcome = NULL WHERE request_id = ? AND edited = ?",
        (request.request_id, request.edited),
    )
    return requests.finish_then_next(db, request, done, own)


def _split(whole: object, *halves: Callable[..., object]) -> None:
    """Have what is one transaction be two."""
    transact = Store.transact

    async def split(store: Store, operation: Callable[..., object], *args: object) -> object:
        if operation is not whole:
            return await transact(store, operation, *args)
        results = [await transact(store, half, *args) for half in halves]
        return results[-1]

    setattr(Store, "transact", split)  # noqa: B010  the service cannot be told to break


def _choose_ids_late() -> None:
    put_event = Client.put_event

    async def put_late(
        client: Client, room_id: RoomId, event_type: str, _: TransactionId, content: bytes
    ) -> EventId:
        return await put_event(client, room_id, event_type, outbox.new_transaction_id(), content)

    setattr(Client, "put_event", put_late)  # noqa: B010  the service cannot be told to break


if __name__ == "__main__":
    kind, ledger, steps, *arguments = sys.argv[1:]
    be_mortal(Death(Path(ledger), steps))
    break_it(Kind[kind])
    main(arguments, prog_name="lambda-matrix")
