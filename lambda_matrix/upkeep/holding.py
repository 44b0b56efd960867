"""The state directory held by a command, so that the service cannot start meanwhile."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import trio

from lambda_matrix.disk import DiskHealth, DiskRefuses
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.store.damage import all_set_aside
from lambda_matrix.store.opening import DATABASE, DiskRefusesError, take_lock
from lambda_matrix.store.store import Store, open_store
from lambda_matrix.upkeep.terminal import Terminal


@contextmanager
def held(directory: Path, *, make: bool) -> Iterator[None]:
    """Hold the state directory; without `make`, nothing is made for that.

    Raises:
        StoreLockedError: the service runs.
        StoreError: the state directory cannot be used.
        CommandError: the disk refuses.
    """
    if not make and not (directory / "lock").exists():
        yield
        return
    try:
        lock = take_lock(directory)
    except DiskRefusesError as error:
        raise CommandError(f"{error}.", Exit.DISK_REFUSES) from error
    try:
        yield
    finally:
        os.close(lock)


@asynccontextmanager
async def database(directory: Path, terminal: Terminal) -> AsyncIterator[Store]:
    """Open the database, and hold the state directory; raises as `held` does."""
    before = all_set_aside(directory / DATABASE)
    async with open_store(directory, watch=_refuse) as store:
        aside = store.set_aside
        if aside is not None and aside not in before:
            terminal.remark(f"The database was damaged. It was set aside as {aside.name}.")
        yield store


@asynccontextmanager
async def copy_of_database(
    directory: Path, terminal: Terminal, *, make: bool
) -> AsyncIterator[Store]:
    """Open a copy of the database that is gone afterwards; raises as `held` does.

    Nobody writes meanwhile, so that the database and its journal can be copied as files: the
    original is not even opened.
    """
    with (
        held(directory, make=make),
        tempfile.TemporaryDirectory(prefix="lambda-matrix-") as temporary,
    ):
        copy = Path(temporary)
        await trio.to_thread.run_sync(_copy, directory, copy)
        async with open_store(copy, watch=_refuse) as store:
            if store.set_aside is not None:
                terminal.remark("The database is damaged: a start would set it aside.")
            yield store


def _copy(directory: Path, copy: Path) -> None:
    for name in (DATABASE, f"{DATABASE}-wal"):
        if (directory / name).exists():
            try:
                shutil.copyfile(directory / name, copy / name)
            except OSError as error:
                raise CommandError(
                    f"The database cannot be copied to {copy}: {error}.", Exit.DISK_REFUSES
                ) from error


def _refuse(health: DiskHealth) -> None:
    """Do not wait for the disk: somebody waits for the command."""
    if isinstance(health, DiskRefuses):
        raise CommandError(f"{health.why}.", Exit.DISK_REFUSES)
