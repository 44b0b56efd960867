"""A database that is no good any more is set aside, and a new one begun."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from lambda_matrix.ids import SyncToken
from lambda_matrix.store import damage, meta
from lambda_matrix.store.opening import DATABASE
from lambda_matrix.store.store import Store, StoreDamagedError, StoreError, open_store
from tests.store.conftest import at_once

TOKEN = SyncToken("s1")
Spoil = Callable[[Path], None]


@pytest.fixture
async def used(tmp_path: Path) -> Path:
    """The state directory of a service that was used and ended."""
    async with open_store(tmp_path, at_once) as store:
        await store.transact(meta.set_sync_token, TOKEN)
        await store.transact(fill)
    return tmp_path


def fill(db: Database) -> None:
    """Make it larger than what SQLite keeps of it in memory."""
    for _ in range(4000):
        db.execute("INSERT INTO malformed (room_id, why, raw) VALUES ('!r', '?', zeroblob(1500))")


def write(content: bytes, at: int = 0) -> Spoil:
    def spoil(path: Path) -> None:
        whole = path.read_bytes()
        path.write_bytes(whole[:at] + content + whole[at + len(content) :])

    return spoil


def cut(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def empty_with_log(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name(f"{path.name}-wal").write_bytes(b"what was not in it yet")


def sql(statement: str) -> Spoil:
    def spoil(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(statement)

    return spoil


def another_program(path: Path) -> None:
    path.unlink()
    sql("CREATE TABLE inbox (subject TEXT); CREATE TABLE rooms (number INTEGER)")(path)


SPOILED: dict[str, tuple[Spoil, str]] = {
    "no database": (write(b"This is no database." * 200), "file is not a database"),
    "garbage in the middle": (write(b"\xff" * 100_000, at=40_960), ""),
    "a torn page": (write(b"\xff" * 3000, at=4096), ""),
    "cut in half": (cut, "malformed"),
    "zeros": (write(bytes(200_000)), ""),
    "emptied, but for its log": (empty_with_log, "its write-ahead log is not"),
    "a table too few": (sql("DROP TABLE outbox"), "not those of this release"),
    "a column too many": (sql("ALTER TABLE outbox ADD x"), "not those of this release"),
    "an index too few": (sql("DROP INDEX outbox_pending"), "not those of this release"),
    "another program's": (another_program, "not those of this release"),
    "a migrations' table of another kind": (
        sql("DROP TABLE _sqlite_migrations; CREATE TABLE _sqlite_migrations (x)"),
        "",
    ),
}


@pytest.mark.parametrize(("spoil", "why"), SPOILED.values(), ids=SPOILED.keys())
async def test_what_is_damaged_is_set_aside(
    used: Path, spoil: Spoil, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = used / DATABASE
    spoil(path)
    spoiled = path.stat().st_size
    async with open_store(used, at_once) as store:
        assert await store.transact(meta.sync_token) is None
        await store.transact(meta.set_sync_token, SyncToken("s2"))
        aside = store.set_aside
    assert aside is not None
    assert aside.stat().st_size >= spoiled
    (said,) = [line for line in caplog.messages if "set aside" in line]
    assert aside.name in said
    assert why in said
    async with open_store(used, at_once) as store:
        assert await store.transact(meta.sync_token) == "s2"


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda _: None, id="nothing"),
        pytest.param(
            sql("CREATE TABLE mine (x); CREATE INDEX mine_too ON inbox (batch)"), id="more"
        ),
        pytest.param(sql("VACUUM"), id="vacuum"),
    ],
)
async def test_what_is_sound_stays(used: Path, spoil: Spoil) -> None:
    path = used / DATABASE
    spoil(path)
    async with open_store(used, at_once) as store:
        assert await store.transact(meta.sync_token) == TOKEN
        assert store.set_aside is None


async def test_an_empty_file_is_a_beginning(used: Path) -> None:
    path = used / DATABASE
    path.write_bytes(b"")
    async with open_store(used, at_once) as store:
        assert await store.transact(meta.sync_token) is None
        assert store.set_aside is None


async def test_a_log_without_its_database_is_no_beginning(used: Path) -> None:
    """A power cut between the two renames of setting aside leaves that."""
    path = used / DATABASE
    empty_with_log(path)
    path.unlink()
    async with open_store(used, at_once) as store:
        assert store.set_aside is not None
        assert not store.set_aside.exists()
        log = store.set_aside.with_name(f"{store.set_aside.name}-wal")
        assert log.read_bytes() == b"what was not in it yet"


async def test_a_newer_release_s_database_is_not_touched(used: Path) -> None:
    path = used / DATABASE
    sql(
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('lambda_matrix', 'm999_tomorrow', '2030'); DROP TABLE outbox"
    )(path)
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"\(m999_tomorrow\).* reset --local-only"):
        async with open_store(used, at_once):
            pytest.fail("it opened")
    assert path.read_bytes() == before
    assert damage.all_set_aside(path) == []


async def test_only_the_newest_are_kept(used: Path) -> None:
    path = used / DATABASE
    for number in range(5):
        write(b"Garbage %d" % number)(path)
        async with open_store(used, at_once):
            pass
    kept = damage.all_set_aside(path)
    assert [each.read_bytes()[:9] for each in kept] == [b"Garbage 2", b"Garbage 3", b"Garbage 4"]
    names = {each.name for each in path.parent.iterdir()}
    assert names == {"lock", path.name, *(each.name for each in kept)}


async def test_found_at_work_it_ends_the_store(used: Path) -> None:
    path = used / DATABASE
    async with open_store(used, at_once) as store:
        write(b"\xff" * 5_000_000, at=8192)(path)
        with pytest.raises(StoreDamagedError, match="is damaged: database disk image is malformed"):
            await store.transact(read_all)
        with pytest.raises(StoreDamagedError):
            await store.transact(meta.sync_token)
        assert path.exists(), "it is in use"
    assert not path.exists()
    async with open_store(used, at_once) as again:
        assert again.set_aside is not None


def read_all(db: Database) -> int:
    return len(db.execute("SELECT raw FROM malformed").fetchall())


async def test_a_statement_that_is_wrong_is_no_damage(store: Store) -> None:
    def wrong(db: Database) -> None:
        db.execute("SELECT nonsense FROM nowhere")

    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await store.transact(wrong)
    assert await store.transact(meta.sync_token) is None


async def test_what_cannot_be_set_aside_is_looked_at_again(
    used: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = used / DATABASE

    def refuse(_path: Path, _why: str) -> Path:
        raise OSError(30, "Read-only file system")

    with monkeypatch.context() as disk, caplog.at_level(logging.ERROR):
        disk.setattr(damage, "set_aside", refuse)
        async with open_store(used, at_once) as store:
            write(b"\xff" * 5_000_000, at=8192)(path)
            with pytest.raises(StoreDamagedError):
                await store.transact(read_all)
    assert "stays where it is" in caplog.text
    async with open_store(used, at_once) as store:
        assert store.set_aside is not None
