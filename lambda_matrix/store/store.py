"""The database as the rest of the service sees it: one connection, one transaction per call.

An operation is a plain function of a `Database` and its arguments; it reads and writes, and knows
nothing of transactions or threads. `Store.transact` runs it whole or not at all. So what belongs
together (T1, T1b, T2, T3 of ARCHITECTURE.md) is visible as one function each.
"""

import fcntl
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import trio
from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.store.schema import migrations

P = ParamSpec("P")
R = TypeVar("R")


class StoreError(Exception):
    """The state directory cannot be used; the message is one sentence for the operator."""


class StoreLockedError(StoreError):
    """Another process of the service holds the state directory."""


class RunSync(Protocol):
    """How a blocking call is made: `in_one_thread()` in the service, directly in a test."""

    async def __call__(self, call: Callable[[], R], /) -> R:
        """Run `call` and return what it returns."""
        ...


def in_one_thread() -> RunSync:
    """Return a `RunSync` that uses at most one of Trio's worker threads at a time."""
    limiter = trio.CapacityLimiter(1)

    async def run_sync(call: Callable[[], R], /) -> R:
        return await trio.to_thread.run_sync(call, limiter=limiter)

    return run_sync


@frozen
class Store:
    """Every durable fact. Made by `open_store`; the only way to the database."""

    _database: Database
    _run_sync: RunSync

    async def transact(
        self, operation: Callable[Concatenate[Database, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `operation` as one transaction; if it raises, nothing of it has happened."""

        def call() -> R:
            with self._database.atomic():
                return operation(self._database, *args, **kwargs)

        return await self._run_sync(call)


@asynccontextmanager
async def open_store(directory: Path, run_sync: RunSync | None = None) -> AsyncIterator[Store]:
    """Lock `directory`, open its database and bring the tables up to date.

    Raises:
        StoreLockedError: another process holds the directory.
        StoreError: the directory or the database cannot be used.
    """
    run = run_sync or in_one_thread()
    lock = await run(lambda: _take_lock(directory))
    try:
        database = await run(lambda: _open_database(directory / "lambda-matrix.db"))
        try:
            yield Store(database, run)
        finally:
            with trio.CancelScope(shield=True):
                await run(database.close)
    finally:
        os.close(lock)


def _take_lock(directory: Path) -> int:
    """Return the locked file descriptor; the kernel frees the lock when the process ends."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StoreError(
            f"The state directory {directory} ([state] directory) cannot be used: {error.strerror}."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StoreLockedError(
            f"Another lambda-matrix is running on the state directory {directory}; "
            "stop it first or give this one a directory of its own ([state] directory)."
        ) from error
    except OSError as error:  # a file system without locks
        os.close(lock)
        raise StoreError(
            f"The state directory {directory} ([state] directory) cannot be locked: "
            f"{error.strerror}."
        ) from error
    return lock


def _open_database(path: Path) -> Database:
    try:
        # The file exists with its mode before SQLite opens it; -wal and -shm inherit the mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
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
            migrations.apply(database)
            undo.pop_all()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"The database {path} cannot be opened: {error}.") from error
    return database
