"""The service, which dies by SIGKILL at its durable steps: at each of them, over all its lives.

    python -m tests.faults.mortal LEDGER STEPS run --config FILE

A durable step is a transaction that changes something. The service dies in it, before it is
committed, and in another life right after it, before anything follows: when the step comes for the
first time. LEDGER remembers the deaths. STEPS is "2/6" for the second of six parts of all steps, or
a step's name; with "forget " before it the database goes with each death, and with "twice " there
is another death in a later life, when the step comes for the third time.

It does not die where that would cost a question its last attempt: then the right answer would be
that there is none, and nothing would be learnt.
"""

from __future__ import annotations

import os
import signal
import sys
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from attrs import define, field
from sqlite_utils import Database

from lambda_matrix.cli import main
from lambda_matrix.store.questions.requests import MAX_ATTEMPTS
from lambda_matrix.store.store import Store

BEFORE, AFTER = "before the commit of", "after the commit of"
FORGET: Final = "forget "
TWICE: Final = "twice "


@define
class Death:
    """Where it has died, and where it is still to die."""

    ledger: Path
    steps: str
    _times: Counter[str] = field(factory=Counter)

    def comes(self, moment: str, name: str, database: Path) -> None:
        """Die here, if it has not yet."""
        line = f"{moment} {name}"
        if not self._is_meant(line):
            return
        self._times[line] += 1
        deaths = self.ledger.read_text().splitlines() if self.ledger.exists() else []
        times = (1, 3) if self.steps.startswith(TWICE) else (1,)
        if deaths.count(line) < len(times) and self._times[line] == times[deaths.count(line)]:
            with self.ledger.open("a") as ledger:
                ledger.write(f"{line}\n")
            if self.steps.startswith(FORGET):
                for ending in ("", "-wal", "-shm"):
                    Path(f"{database}{ending}").unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)

    def _is_meant(self, line: str) -> bool:
        part, _, of = self.steps.removeprefix(FORGET).removeprefix(TWICE).partition("/")
        return zlib.crc32(line.encode()) % int(of) == int(part) - 1 if of else part in line


def _is_last_attempt(db: Database) -> bool:
    """Whether some question has no other attempt left."""
    row = db.execute("SELECT max(attempts) FROM requests WHERE outcome IS NULL").fetchone()
    return row[0] is not None and row[0] >= MAX_ATTEMPTS


def _file_of(db: Database) -> Path:
    return Path(str(db.execute("PRAGMA database_list").fetchone()[2]))


def be_mortal(death: Death) -> None:
    """Let each transaction of this process come to its death."""
    transact = Store.transact

    async def watched(
        store: Store, operation: Callable[..., object], *args: object, **kwargs: object
    ) -> object:
        name = f"{operation.__module__.removeprefix('lambda_matrix.store.')}.{operation.__name__}"
        database: Path | None = None

        def call(db: Database, /, *args: object, **kwargs: object) -> object:
            nonlocal database
            before = db.conn.total_changes
            result = operation(db, *args, **kwargs)
            if db.conn.total_changes > before and not _is_last_attempt(db):
                database = _file_of(db)
                death.comes(BEFORE, name, database)
            return result

        result = await transact(store, call, *args, **kwargs)
        if database is not None:
            death.comes(AFTER, name, database)
        return result

    setattr(Store, "transact", watched)  # noqa: B010  the service cannot be told to die


if __name__ == "__main__":
    ledger, steps, *arguments = sys.argv[1:]
    be_mortal(Death(Path(ledger), steps))
    main(arguments, prog_name="lambda-matrix")
