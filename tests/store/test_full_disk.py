"""A disk that refuses is waited for: at the start and at work, and nothing is lost."""

from __future__ import annotations

import logging
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
import trio
from sqlite_utils import Database
from trio.testing import MockClock

from lambda_matrix.disk import DiskHealth, DiskObeys, DiskRefuses
from lambda_matrix.ids import SyncToken
from lambda_matrix.pulse import Part
from lambda_matrix.store import meta
from lambda_matrix.store.store import Store, StoreError, open_store
from tests.store.conftest import at_once


class Refusal(Protocol):
    """Has the database refuse to be written to, or take it again."""

    def __call__(self, db: Database, *, on: bool) -> None: ...


def full(db: Database, *, on: bool) -> None:
    pages = db.execute("PRAGMA page_count").fetchone()[0]
    db.execute(f"PRAGMA max_page_count = {pages if on else 1_000_000}")


def read_only(db: Database, *, on: bool) -> None:
    db.execute(f"PRAGMA query_only = {int(on)}")


class Writing:
    """An operation that the disk refuses for the first `tries` times."""

    def __init__(self, tries: int, refusal: Refusal) -> None:
        self.left = tries
        self.refusal = refusal

    def __call__(self, db: Database, token: str) -> str:
        self.refusal(db, on=self.left > 0)
        self.left -= 1
        meta.set_sync_token(db, SyncToken(token))
        db.execute("INSERT INTO malformed (room_id, why, raw) VALUES ('!r', '', zeroblob(100000))")
        return token


@pytest.fixture
def health() -> list[DiskHealth]:
    return []


@pytest.mark.parametrize("refusal", [full, read_only])
async def test_what_is_to_be_stored_waits(
    tmp_path: Path,
    refusal: Refusal,
    autojump_clock: MockClock,
    health: list[DiskHealth],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    disk = Part("the disk")
    async with open_store(tmp_path, at_once, health.append, disk) as store:
        began = trio.current_time()
        assert await store.transact(Writing(4, refusal), "s1") == "s1"
        assert trio.current_time() - began == pytest.approx(0.5 + 1 + 2 + 4)
        assert await store.transact(meta.sync_token) == "s1"
    assert disk.waited_until == pytest.approx(began + 7.5)
    refuses, obeys = health
    assert isinstance(refuses, DiskRefuses)
    assert str(tmp_path) in refuses.why
    assert isinstance(obeys, DiskObeys)
    assert obeys.seconds == pytest.approx(7.5)
    told = [record for record in caplog.records if record.name == "lambda_matrix.disk"]
    said = [record.levelno for record in told]
    assert said == [logging.ERROR, logging.INFO], "one line each"


async def test_everybody_waits_in_line(
    tmp_path: Path, autojump_clock: MockClock, health: list[DiskHealth]
) -> None:
    done: list[str] = []

    async def write(store: Store, token: str, tries: int) -> None:
        done.append(await store.transact(Writing(tries, full), token))

    async with open_store(tmp_path, at_once, health.append) as store:
        async with trio.open_nursery() as nursery:
            for number in range(5):
                nursery.start_soon(write, store, f"s{number}", 10 if number == 0 else 0)
                await trio.sleep(0.01)
            assert done == []
        assert done == ["s0", "s1", "s2", "s3", "s4"]
        assert await store.transact(meta.sync_token) == "s4"
    assert len(health) == 2


async def test_who_waits_can_be_cancelled(tmp_path: Path, autojump_clock: MockClock) -> None:
    async with open_store(tmp_path, at_once) as store:
        with trio.move_on_after(60) as waiting:
            await store.transact(Writing(10_000, full), "s1")
        assert waiting.cancelled_caught
        await store.transact(full, on=False)
        assert await store.transact(meta.sync_token) is None


async def test_a_database_that_another_program_writes_to_is_waited_for(
    tmp_path: Path, autojump_clock: MockClock, health: list[DiskHealth]
) -> None:
    async with open_store(tmp_path, at_once, health.append) as store:
        with closing(Database(tmp_path / "lambda-matrix.db")) as other:
            other.conn.isolation_level = None
            other.execute("BEGIN IMMEDIATE")

            async def let_go() -> None:
                await trio.sleep(30)
                other.execute("COMMIT")

            def impatient(db: Database) -> None:
                db.execute("PRAGMA busy_timeout = 0")

            await store.transact(impatient)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(let_go)
                await store.transact(meta.set_sync_token, SyncToken("s1"))
            assert trio.current_time() >= 30
    assert isinstance(health[0], DiskRefuses)
    assert "locked" in health[0].why


LIMITED = """
import resource
import sys
from pathlib import Path
import trio
from lambda_matrix.store import meta
from lambda_matrix.store.store import open_store

async def main():
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))

    def watch(health):
        print(health, flush=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    async with open_store(Path(sys.argv[1]), watch=watch) as store:
        await store.transact(meta.set_sync_token, "s7")
        print(await store.transact(meta.sync_token))

trio.run(main)
"""


def test_a_full_disk_at_the_start_is_waited_for(tmp_path: Path) -> None:
    found = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, check=True
    )
    refuses, obeys, token = found.stdout.splitlines()
    assert refuses.startswith(
        f"DiskRefuses(why='The database {tmp_path}/lambda-matrix.db cannot be"
    )
    assert obeys.startswith("DiskObeys")
    assert token == "s7"


async def test_a_file_of_somebody_else_s_is_no_full_disk(tmp_path: Path) -> None:
    """SQLite says the same of both: unable to open database file."""
    async with open_store(tmp_path, at_once):
        pass
    (tmp_path / "lambda-matrix.db-wal").mkdir()
    with pytest.raises(StoreError, match="unable to open database file"):
        async with open_store(tmp_path, at_once):
            pytest.fail("it opened")
    assert not (tmp_path / "probe").exists()
