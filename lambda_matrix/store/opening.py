"""The state directory locked, and its database opened, whatever state it was left in.

Everything here blocks. What cannot be had raises; whoever opens the store waits where that helps.
"""

import errno
import fcntl
import logging
import os
import sqlite3
from contextlib import ExitStack
from pathlib import Path

from sqlite_utils import Database

from lambda_matrix import disk
from lambda_matrix.store import damage
from lambda_matrix.store.damage import NewerDatabaseError, Trouble
from lambda_matrix.store.schema import migrations

logger = logging.getLogger(__name__)

DATABASE = "lambda-matrix.db"
_OURS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
"""Root gives commands in a folder that is the service's to write: no link there leads elsewhere."""


class StoreError(Exception):
    """The state directory cannot be used; the message is one sentence for the operator."""


class StoreLockedError(StoreError):
    """Another process of the service holds the state directory."""


class DiskRefusesError(Exception):
    """The disk does not let the store be opened now; the message is a sentence without its end."""


def take_lock(directory: Path) -> int:
    """Return the locked file descriptor; the kernel frees the lock when the process ends.

    Raises:
        StoreLockedError: another process holds the directory.
        StoreError: the directory cannot be used.
        DiskRefusesError: it cannot be used now.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", _OURS, 0o600)
    except OSError as error:
        why = f"The state directory {directory} ([state] directory) cannot be used: "
        why += str(error.strerror)
        if disk.passes_by_itself(error):
            raise DiskRefusesError(why) from error
        raise StoreError(f"{why}.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StoreLockedError(
            f"Another lambda-matrix is running on the state directory {directory}: stop it first. "
            "Two services need a directory each ([state] directory)."
        ) from error
    except OSError as error:  # a file system without locks
        os.close(lock)
        raise StoreError(
            f"The state directory {directory} ([state] directory) cannot be locked: "
            f"{error.strerror}."
        ) from error
    return lock


def open_database(directory: Path) -> Database:
    """Return the database in `directory`; one that is damaged is set aside, and a new one begun.

    Raises:
        StoreError: it cannot be opened, or is of a newer release.
        DiskRefusesError: it cannot be opened now.
    """
    path = directory / DATABASE
    if not path.exists():
        logger.info("there is no database %s: a new one is begun", path)
    try:
        _refuse_links(path)
        found = damage.find_damage(path)
        database = None if found else _connected(path)
        if database is None:
            damage.set_aside(path, found or "its tables are not those of this release")
            database = _connected(path)
    except NewerDatabaseError as error:
        raise StoreError(
            f"The database {path} was made by a newer release of lambda-matrix ({error}): install "
            "that one again, or begin a new database by lambda-matrix reset --local-only; the "
            "homeserver gives back what it knows."
        ) from error
    except OSError as error:
        why = f"The database {path} cannot be opened: {error.strerror}"
        if disk.passes_by_itself(error):
            raise DiskRefusesError(why) from error
        raise StoreError(f"{why}.") from error
    except sqlite3.Error as error:
        why = f"The database {path} cannot be opened: {error}"
        if damage.judge(error) is Trouble.PASSING and _is_the_disk(error, directory):
            raise DiskRefusesError(why) from error
        raise StoreError(f"{why}.") from error
    if database is None:
        raise StoreError(f"The database {path} cannot be begun anew.")
    return database


def _refuse_links(path: Path) -> None:
    """Raise OSError if the database, or what SQLite keeps beside it, is a link.

    SQLite follows it: what people say would be written wherever it leads, by root where root gives
    commands.
    """
    for each in damage.with_companions(path):
        if each.is_symlink():
            raise OSError(errno.ELOOP, f"{each.name} is a symbolic link")


def _connected(path: Path) -> Database | None:
    """Open the database and bring its tables up to date; None if that is not possible."""
    # The file exists with its mode before SQLite opens it; -wal and -shm inherit the mode.
    descriptor = os.open(path, _OURS, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
    finally:
        os.close(descriptor)
    with ExitStack() as undo:
        connection = sqlite3.connect(path, check_same_thread=False)
        undo.callback(connection.close)
        database = Database(connection)
        database.enable_wal()
        # NORMAL loses at most the newest commits in a power cut, and loses them together with
        # the sync token: the homeserver then tells them again, our own answers among them
        # (ADR 0005).
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA foreign_keys = ON")
        try:
            migrations.apply(database)
        except sqlite3.Error as error:
            if damage.judge(error) is Trouble.PASSING:
                raise
            logger.warning("the tables cannot be brought up to date: %s", error)
            return None
        if not damage.has_our_tables(database):
            return None
        undo.pop_all()
    return database


def _is_the_disk(error: sqlite3.Error, directory: Path) -> bool:
    """Return whether the disk is to blame: SQLite says so, or a file cannot be made there.

    "Unable to open database file" is all that SQLite says, be the disk full or a file somebody
    else's, which no waiting mends.
    """
    if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN:
        return True
    probe = directory / "probe"
    try:
        probe.unlink(missing_ok=True)
        probe.touch(mode=0o600, exist_ok=False)
        probe.unlink()
    except OSError as refused:
        return disk.passes_by_itself(refused)
    return False
