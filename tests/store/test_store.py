from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import trio
from sqlite_utils import Database

from lambda_matrix.ids import SyncToken
from lambda_matrix.store import meta
from lambda_matrix.store.schema import migrations
from lambda_matrix.store.store import Store, StoreError, StoreLockedError, open_store
from tests.store.conftest import at_once

HOLDER = """
import sys
from pathlib import Path
import trio
from lambda_matrix.store import meta
from lambda_matrix.store.store import StoreError, open_store

async def main():
    try:
        async with open_store(Path(sys.argv[1])) as store:
            await store.transact(meta.set_sync_token, "s7")
            print("open", flush=True)
            await trio.to_thread.run_sync(sys.stdin.readline)
    except StoreError as error:
        print(f"{type(error).__name__}: {error}", flush=True)

trio.run(main)
"""
UNPRIVILEGED = """
import os
if os.geteuid() == 0:
    os.setuid(65534)
"""


@contextmanager
def holder(directory: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process with a store on `directory`; its first line says how it fared."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(directory)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def put(store: Store, token: str) -> None:
    await store.transact(meta.set_sync_token, SyncToken(token))


async def refusal(directory: Path) -> str:
    """Open a store that cannot be opened; return what the operator is told."""
    with pytest.raises(StoreError) as caught:
        async with open_store(directory, at_once):
            pytest.fail("it opened")
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


# -- the lock --


async def test_a_second_process_is_refused_with_one_sentence(tmp_path: Path) -> None:
    async with open_store(tmp_path, at_once):
        with holder(tmp_path) as second:
            line = first_line(second)
    assert line.startswith("StoreLockedError: Another lambda-matrix is running on the state")
    assert str(tmp_path) in line
    assert line.endswith(".")


async def test_the_lock_goes_with_a_killed_process(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert first_line(first) == "open"
        with pytest.raises(StoreLockedError):
            async with open_store(tmp_path, at_once):
                pytest.fail("it opened")
        first.send_signal(signal.SIGKILL)
        first.wait()
        async with open_store(tmp_path, at_once) as store:
            await put(store, "s8")


async def test_the_lock_goes_with_the_store(tmp_path: Path) -> None:
    for token in ("s1", "s2"):
        async with open_store(tmp_path, at_once) as store:
            await put(store, token)
            assert await store.transact(meta.sync_token) == token


async def test_the_lock_goes_when_the_database_does_not_open(tmp_path: Path) -> None:
    path = tmp_path / "lambda-matrix.db"
    path.mkdir()
    await refusal(tmp_path)
    path.rmdir()
    async with open_store(tmp_path, at_once) as store:
        await put(store, "s1")


# -- the files --


async def test_nobody_else_may_read_what_is_stored(tmp_path: Path) -> None:
    directory = tmp_path / "made" / "state"
    before = os.umask(0o000)
    try:
        async with open_store(directory, at_once) as store:
            await put(store, "s1")
            files = {path.name: mode(path) for path in directory.iterdir()}
    finally:
        os.umask(before)
    assert mode(directory) == 0o700
    assert files == dict.fromkeys(
        ("lock", "lambda-matrix.db", "lambda-matrix.db-wal", "lambda-matrix.db-shm"), 0o600
    )


async def test_a_database_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "lambda-matrix.db"
    path.touch(mode=0o644)
    path.chmod(0o644)
    async with open_store(tmp_path, at_once):
        assert mode(path) == 0o600


async def test_writing_does_not_wait_for_readers(store: Store) -> None:
    def pragmas(db: Database) -> list[object]:
        names = ("journal_mode", "synchronous", "foreign_keys")
        return [db.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

    assert await store.transact(pragmas) == ["wal", 1, 1]


# -- what cannot be used --


async def test_a_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    sentence = await refusal(tmp_path / "state")
    assert "([state] directory) cannot be used" in sentence
    assert "File exists" in sentence


async def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in await refusal(tmp_path / "file" / "state")


def test_a_directory_in_which_nothing_can_be_written(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir(mode=0o555)
    (state / "lock").touch(mode=0o666)
    (state / "lock").chmod(0o666)
    tmp_path.chmod(0o755)
    # Root may write anywhere, so the other process is somebody else where it can be.
    script = HOLDER.replace("\nasync def main", UNPRIVILEGED + "\nasync def main")
    found = subprocess.run(
        [sys.executable, "-c", script, "state"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.startswith("StoreError: The database state/lambda-matrix.db cannot be open")
    assert "Permission denied" in found.stdout


async def test_a_database_that_is_a_directory(tmp_path: Path) -> None:
    (tmp_path / "lambda-matrix.db").mkdir()
    assert "Is a directory" in await refusal(tmp_path)


@pytest.mark.parametrize("name", ["-wal", "-shm", "-journal"])
async def test_no_companion_of_the_database_is_written_elsewhere(tmp_path: Path, name: str) -> None:
    """SQLite itself would follow the link, and write there what people say."""
    directory, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    async with open_store(directory, at_once):
        pass
    (directory / f"lambda-matrix.db{name}").symlink_to(elsewhere)
    assert f"lambda-matrix.db{name} is a symbolic link" in await refusal(directory)
    assert not elsewhere.exists()


@pytest.mark.parametrize("name", ["lambda-matrix.db", "lock"])
async def test_a_link_in_the_state_directory_is_not_followed(tmp_path: Path, name: str) -> None:
    """Root gives commands there, and a service that was taken over could lead it elsewhere."""
    directory = tmp_path / "state"
    directory.mkdir()
    elsewhere = tmp_path / "elsewhere"
    (directory / name).symlink_to(elsewhere)
    assert "symbolic link" in await refusal(directory)
    assert not elsewhere.exists()
    with closing(sqlite3.connect(elsewhere)) as another:
        another.execute("CREATE TABLE someone (elses)")
    elsewhere.chmod(0o644)
    assert "symbolic link" in await refusal(directory)
    assert stat.S_IMODE(elsewhere.stat().st_mode) == 0o644


# -- transactions --


async def test_an_operation_that_raises_leaves_nothing(store: Store) -> None:
    def half(db: Database) -> None:
        meta.set_sync_token(db, SyncToken("s2"))
        meta.next_batch_number(db)
        raise ZeroDivisionError

    await put(store, "s1")
    with pytest.raises(ZeroDivisionError):
        await store.transact(half)
    assert await store.transact(meta.sync_token) == "s1"
    assert await store.transact(meta.next_batch_number) == 1


async def test_what_was_committed_outlives_a_kill(tmp_path: Path) -> None:
    with holder(tmp_path) as other:
        assert first_line(other) == "open"
        other.kill()
        other.wait()
    async with open_store(tmp_path, at_once) as store:
        assert await store.transact(meta.sync_token) == "s7"


async def test_the_service_stores_in_a_thread_of_its_own(tmp_path: Path) -> None:
    def here(_: Database) -> int:
        return threading.get_ident()

    async with open_store(tmp_path) as store:
        assert await store.transact(here) != threading.get_ident()


async def test_what_was_committed_is_known_to_whoever_is_cancelled_meanwhile(
    tmp_path: Path,
) -> None:
    """So T1b needs no shield, behind which a disk that refuses would be waited for (ADR 0013)."""
    known: list[str] = []

    def cut(db: Database, token: str) -> str:
        trio.from_thread.run_sync(scope.cancel)
        meta.set_sync_token(db, SyncToken(token))
        return token

    async with open_store(tmp_path) as store:
        with trio.CancelScope() as scope:
            known.append(await store.transact(cut, "s9"))
        assert known == ["s9"]
        assert await store.transact(meta.sync_token) == "s9"


# -- migrations --


async def test_a_database_that_is_not_there_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        for _ in range(2):
            async with open_store(tmp_path):
                pass
    database = tmp_path / "lambda-matrix.db"
    assert caplog.messages == [f"there is no database {database}: a new one is begun"]


async def test_the_tables_are_made_once(tmp_path: Path) -> None:
    def tables(db: Database) -> list[tuple[str, str]]:
        return [tuple(row) for row in db.execute("SELECT name, sql FROM sqlite_master")]

    def again(db: Database) -> None:
        migrations.apply(db)

    async with open_store(tmp_path, at_once) as store:
        made = await store.transact(tables)
        await store.transact(again)
        assert await store.transact(tables) == made
    async with open_store(tmp_path, at_once) as store:
        assert await store.transact(tables) == made


def test_tables_that_were_half_made_are_not_there(tmp_path: Path) -> None:
    """A migration and the note that it was made are one transaction."""
    with closing(Database(tmp_path / "half.db")) as db:
        db.execute("CREATE TABLE intents (in_the_way INTEGER)")
        with pytest.raises(sqlite3.OperationalError, match="intents already exists"):
            migrations.apply(db)
        assert "inbox" not in db.table_names()
        db.execute("DROP TABLE intents")
        migrations.apply(db)
        assert "inbox" in db.table_names()
