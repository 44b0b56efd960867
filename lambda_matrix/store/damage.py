"""A database that is no good any more: how it is recognised, and where it is put.

Theory (ADR 0013). The database is what can be rebuilt from the homeserver (ADR 0005), so a damaged
one is no reason to stay away: it is set aside under a dated name, for whoever wants to look into
it, and a new one is begun. Three cases must not be taken for damage: a disk that refuses (it is
waited for), a database of a newer release (that release is to be started), and one that another
program holds for a moment.
"""

import logging
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from pathlib import Path

from sqlite_utils import Database

from lambda_matrix.message_ids import MessageId
from lambda_matrix.store.schema import migrations

logger = logging.getLogger(__name__)

KEPT = 3
"""How many damaged databases are kept beside the one in use."""
_ASIDE = ".damaged-"
_COMPANIONS = ("", "-wal", "-shm")
"""What belongs to a database: itself, its write-ahead log, and the log's index."""
_ROLLBACK = "-journal"
"""What SQLite writes until the write-ahead log is switched on, in a new database."""


class Trouble(Enum):
    """What an error of SQLite means for everybody who uses the database."""

    PASSING = "the disk refuses, or another program holds the database: a later try may succeed"
    DAMAGE = "the database is malformed"


_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT})
_DAMAGE_OF_READING = frozenset({sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS})
_PASSING = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_PROTOCOL,
    }
)


def judge(error: sqlite3.Error) -> Trouble | None:
    """Return what `error` says of the disk or the database; None: it is the statement's alone."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    primary = code & 0xFF
    if primary in _DAMAGE or code in _DAMAGE_OF_READING:
        return Trouble.DAMAGE
    return Trouble.PASSING if primary in _PASSING else None


class NewerDatabaseError(Exception):
    """A newer release of the program made the database; the message names what it did to it."""


def find_damage(path: Path) -> str | None:
    """Return what is wrong with the database file, in a few words; None: it can be used.

    A file that is not there, or that is empty, is no damage: a database begins like this. Nor is a
    folder in its place: that is a wrong setting.

    Raises:
        NewerDatabaseError: it is sound, but not for this release.
        sqlite3.Error: it cannot be looked at now.
    """
    if path.is_dir():
        return None
    if not path.exists() or path.stat().st_size == 0:
        log = _companion(path, "-wal")
        lost = log.exists() and log.stat().st_size > 0
        return "it is gone, its write-ahead log is not" if lost else None
    try:
        # A connection of its own: what it read to look at everything goes with it.
        with closing(sqlite3.connect(path)) as connection:
            refuse_newer(Database(connection))
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            return None if found == "ok" else " ".join(str(found).split())
    except sqlite3.Error as error:
        if judge(error) is Trouble.PASSING:
            raise
        return str(error)


def refuse_newer(db: Database) -> None:
    """Raise NewerDatabaseError for a database that a newer release has changed."""
    with closing(Database(memory=True)) as empty:
        known = {migration.name for migration in migrations.pending(empty)}
    newer = [made.name for made in migrations.applied(db) if made.name not in known]
    if newer:
        raise NewerDatabaseError(", ".join(newer))


def has_our_tables(db: Database) -> bool:
    """Return whether the database has every table and index of this release, as it makes them."""
    return _schema() <= _definitions(db)


@cache
def _schema() -> frozenset[tuple[str, str]]:
    with closing(Database(memory=True)) as db:
        migrations.apply(db)
        return _definitions(db)


def _definitions(db: Database) -> frozenset[tuple[str, str]]:
    found = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return frozenset((name, sql) for name, sql in found)


def set_aside(path: Path, why: str) -> Path:
    """Give the damaged database, with all that belongs to it, a dated name, and return that.

    Of those that were set aside before, the oldest go. Safe to be interrupted and done again.

    Raises:
        OSError: the disk refuses.
    """
    aside = _free_name(path)
    # The database itself goes first: a log without it is found to be damage, and it without its
    # log could pass for sound.
    for suffix in _COMPANIONS:
        if (each := _companion(path, suffix)).exists():
            each.replace(_companion(aside, suffix))
    logger.critical(
        "the database %s was damaged (%s): it was set aside as %s; what the homeserver knows comes "
        "back, open confirmations and files that no message took along do not",
        path,
        why,
        aside.name,
        extra=MessageId.DATABASE_SET_ASIDE.extra,
    )
    for old in all_set_aside(path)[:-KEPT]:
        for suffix in _COMPANIONS:
            _companion(old, suffix).unlink(missing_ok=True)
    return aside


def with_companions(path: Path) -> list[Path]:
    """Return every file that SQLite may read or write for the database, there or not."""
    return [_companion(path, suffix) for suffix in (*_COMPANIONS, _ROLLBACK)]


def all_set_aside(path: Path) -> list[Path]:
    """Return the damaged databases that lie beside the one at `path`, the oldest first."""
    found = path.parent.glob(f"{path.name}{_ASIDE}*")
    names = {each.name.removesuffix("-wal").removesuffix("-shm") for each in found}
    return [path.with_name(name) for name in sorted(names)]


def _free_name(path: Path) -> Path:
    """Return a name that sorts after all that were given so far, whatever the clock says."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name = path.with_name(f"{path.name}{_ASIDE}{now}")
    newest = all_set_aside(path)[-1:]
    if newest and newest[0].name >= name.name:
        return newest[0].with_name(f"{newest[0].name}+")
    return name


def _companion(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}{suffix}")
