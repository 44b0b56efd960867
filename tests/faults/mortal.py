"""The service, which dies by SIGKILL at its durable steps: each step once, over all its lives.

    python -m tests.faults.mortal LEDGER PART OF run --config FILE

A durable step is a transaction that changes something. The service dies in it, before it is
committed, and in another life right after it, before anything follows. LEDGER remembers the deaths.
Of all steps, told apart by their names, it dies at those of the `PART`th of so many parts.

It does not die where that would cost a question its last attempt: then the right answer would be
that there is none, and nothing would be learnt.
"""

from __future__ import annotations

import os
import signal
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.cli import main
from lambda_matrix.store.questions.requests import MAX_ATTEMPTS
from lambda_matrix.store.store import Store

BEFORE, AFTER = "before the commit of", "after the commit of"


@frozen
class Death:
    """Where it has died, and where it is still to die."""

    ledger: Path
    part: int
    of: int

    def comes(self, moment: str, name: str) -> None:
        """Die here, if it has not yet."""
        deaths = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        line = f"{moment} {name}"
        if zlib.crc32(line.encode()) % self.of != self.part or line in deaths:
            return
        with self.ledger.open("a") as ledger:
            ledger.write(f"{line}\n")
        os.kill(os.getpid(), signal.SIGKILL)


def is_last_attempt(db: Database) -> bool:
    """Whether some question has no other attempt left."""
    row = db.execute("SELECT max(attempts) FROM requests WHERE outcome IS NULL").fetchone()
    return row[0] is not None and row[0] >= MAX_ATTEMPTS


def be_mortal(death: Death) -> None:
    """Let each transaction of this process come to its death."""
    transact = Store.transact

    async def watched(
        store: Store, operation: Callable[..., object], *args: object, **kwargs: object
    ) -> object:
        name = f"{operation.__module__.removeprefix('lambda_matrix.store.')}.{operation.__name__}"
        lethal = False

        def call(db: Database, /, *args: object, **kwargs: object) -> object:
            nonlocal lethal
            before = db.conn.total_changes
            result = operation(db, *args, **kwargs)
            lethal = db.conn.total_changes > before and not is_last_attempt(db)
            if lethal:
                death.comes(BEFORE, name)
            return result

        result = await transact(store, call, *args, **kwargs)
        if lethal:
            death.comes(AFTER, name)
        return result

    setattr(Store, "transact", watched)  # noqa: B010  the service cannot be told to die


if __name__ == "__main__":
    ledger, part, of, *arguments = sys.argv[1:]
    be_mortal(Death(Path(ledger), int(part), int(of)))
    main(arguments, prog_name="lambda-matrix")
