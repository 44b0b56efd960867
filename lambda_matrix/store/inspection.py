"""The database looked at by whoever must not change it, while the service may be at work on it.

Theory. To read a database with a write-ahead log SQLite wants that log's index, and makes one where
there is none; it would be root's where root looks. So a database that somebody has open is opened
beside them (its index is there), one that was closed in order is read as the plain file that it is
(`immutable`), and of one that was left behind with its log a copy is looked at.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.store.damage import NewerDatabaseError, refuse_newer
from lambda_matrix.store.schema import migrations

_STEPS = 10_000
"""Instructions of SQLite's machine between two looks at the clock."""
LARGEST_COPY = 2 << 30
"""Bytes of a database and its log that are copied to be looked at."""


@frozen
class DatabaseFacts:
    """What was seen. `damage` is None for a sound one; `checked` tells if there was time to know.

    `newer` names what a newer release did to it; `pending` counts the changes that the next start
    makes to its tables. `size` is in bytes, with its write-ahead log.
    """

    size: int
    damage: str | None = None
    checked: bool = True
    newer: str | None = None
    pending: int = 0


class NotLookedAtError(Exception):
    """The database cannot be looked at without disturbing; the message says why, in a few words."""


def inspect_database(path: Path, *, is_open: bool, seconds: float) -> DatabaseFacts:
    """Look at the database, for `seconds` at most. `is_open`: the service has it open.

    Raises:
        NotLookedAtError: it cannot be looked at now.
        OSError: it, or its folder, cannot be read.
    """
    log = path.with_name(f"{path.name}-wal")
    size = path.stat().st_size + (log.stat().st_size if log.exists() else 0)
    with path.open("rb"):  # whoever may not read it is told so by the system, not by SQLite
        pass
    try:
        with (
            _openable(path, log, size, is_open=is_open) as address,
            closing(sqlite3.connect(address, uri=True, timeout=1.0)) as connection,
        ):
            return _seen(connection, size, time.monotonic() + seconds)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):
            raise NotLookedAtError(str(error)) from error
        return DatabaseFacts(size, damage=str(error))


@contextmanager
def _openable(path: Path, log: Path, size: int, *, is_open: bool) -> Iterator[str]:
    """Give an address under which SQLite reads the database and writes nothing beside it."""
    address = path.absolute().as_uri()
    if is_open:
        yield f"{address}?mode=ro"
    elif not log.exists() or log.stat().st_size == 0:
        yield f"{address}?immutable=1"
    elif size > LARGEST_COPY:
        raise NotLookedAtError("it was left open, and is too large to be copied")
    else:
        with tempfile.TemporaryDirectory(prefix="lambda-matrix-") as temporary:
            for each in (path, log):
                shutil.copyfile(each, Path(temporary, each.name))
            yield Path(temporary, path.name).as_uri()


def _seen(connection: sqlite3.Connection, size: int, deadline: float) -> DatabaseFacts:
    database = Database(connection)
    try:
        refuse_newer(database)
    except NewerDatabaseError as error:
        return DatabaseFacts(size, newer=str(error))
    pending = len(migrations.pending(database))
    connection.set_progress_handler(lambda: time.monotonic() > deadline, _STEPS)
    try:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return DatabaseFacts(size, checked=False, pending=pending)
    damage = None if found == "ok" else " ".join(str(found).split())
    return DatabaseFacts(size, damage=damage, pending=pending)
