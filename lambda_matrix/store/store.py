"""The database as the rest of the service sees it: one connection, one transaction per call.

An operation is a plain function of a `Database` and its arguments; it reads and writes, and knows
nothing of transactions or threads. `Store.transact` runs it whole or not at all. So what belongs
together (T1, T1b, T2, T3 of ARCHITECTURE.md) is visible as one function each.

A disk that refuses is waited for here, in this one place (ADR 0013): whoever wants to store
something waits, and what did not become durable did not happen.
"""

import logging
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import trio
from attrs import define, field
from sqlite_utils import Database

from lambda_matrix.disk import DiskObserver, DiskPatience, watch_nothing
from lambda_matrix.pulse import Part, part_of_nobody
from lambda_matrix.store import damage
from lambda_matrix.store.damage import Trouble
from lambda_matrix.store.opening import (
    DATABASE,
    DiskRefusesError,
    StoreError,
    StoreLockedError,
    open_database,
    take_lock,
)

__all__ = ["Store", "StoreDamagedError", "StoreError", "StoreLockedError", "open_store"]

logger = logging.getLogger(__name__)

P = ParamSpec("P")
R = TypeVar("R")


class StoreDamagedError(Exception):
    """The database turned out to be damaged at work; it is set aside when the store is closed."""


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


@define(eq=False)
class Store:
    """Every durable fact. Made by `open_store`; the only way to the database."""

    _database: Database
    _run_sync: RunSync
    _directory: Path
    _patience: DiskPatience = field(factory=DiskPatience)
    _turn: trio.Lock = field(factory=trio.Lock)
    _damage: str | None = None

    async def transact(
        self, operation: Callable[Concatenate[Database, P], R], *args: P.args, **kwargs: P.kwargs
    ) -> R:
        """Run `operation` as one transaction; if it raises, nothing of it has happened.

        Waits, and has everybody else wait in line, while the disk refuses. Cancelled, it has done
        nothing: whatever was committed returns.

        Raises:
            StoreDamagedError: the database is damaged; nothing more can be done with this store.
        """

        def call() -> R:
            with self._database.atomic():
                return operation(self._database, *args, **kwargs)

        async with self._turn:
            while True:
                if self._damage is not None:
                    raise self._damaged()
                try:
                    result = await self._run_sync(call)
                except sqlite3.Error as error:
                    await trio.sleep(self._wait_after(error))
                else:
                    self._patience.obeyed()
                    return result

    @property
    def set_aside(self) -> Path | None:
        """The newest damaged database that lies beside this one, until somebody takes it away."""
        return next(reversed(damage.all_set_aside(self._path)), None)

    async def close(self) -> None:
        """Close the database; one that turned out to be damaged is set aside."""
        await self._run_sync(self._close)

    def _close(self) -> None:
        self._database.close()
        if self._damage is not None:
            try:
                damage.set_aside(self._path, self._damage)
            except OSError as error:
                logger.error(  # noqa: TRY400 - one sentence says it all
                    "the damaged database stays where it is: %s; the next start looks at it", error
                )

    def _wait_after(self, error: sqlite3.Error) -> float:
        """Return the seconds until it is worth another try; raise what no waiting mends."""
        match damage.judge(error):
            case Trouble.PASSING:
                return self._patience.refused(
                    f"The state directory {self._directory} does not take what is stored: {error}"
                )
            case Trouble.DAMAGE:
                self._damage = str(error)
                raise self._damaged() from error
            case None:
                raise error

    def _damaged(self) -> StoreDamagedError:
        return StoreDamagedError(
            f"The database {self._path} is damaged: {self._damage}. It is set aside; started "
            "again, the service goes on with a new one."
        )

    @property
    def _path(self) -> Path:
        return self._directory / DATABASE


@asynccontextmanager
async def open_store(
    directory: Path,
    run_sync: RunSync | None = None,
    watch: DiskObserver = watch_nothing,
    disk: Part | None = None,
) -> AsyncIterator[Store]:
    """Lock `directory`, open its database and bring the tables up to date.

    A disk that refuses is waited for, here and at work, which `watch` and the part `disk` are told.

    Raises:
        StoreLockedError: another process holds the directory.
        StoreError: the directory or the database cannot be used.
    """
    run = run_sync or in_one_thread()
    patience = DiskPatience(watch, part=disk or part_of_nobody())
    lock = await _patiently(lambda: take_lock(directory), run, patience)
    try:
        database = await _patiently(lambda: open_database(directory), run, patience)
        patience.obeyed()
        store = Store(database, run, directory, patience)
        try:
            yield store
        finally:
            with trio.CancelScope(shield=True):
                await store.close()
    finally:
        os.close(lock)


async def _patiently(call: Callable[[], R], run: RunSync, patience: DiskPatience) -> R:
    while True:
        try:
            return await run(call)
        except DiskRefusesError as error:
            await trio.sleep(patience.refused(str(error)))
