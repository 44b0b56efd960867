from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from attrs import evolve

from lambda_matrix.doctor import state
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.doctor.unit import Identity
from lambda_matrix.store.inspection import DatabaseFacts
from lambda_matrix.store.opening import DATABASE, open_database, take_lock
from tests.doctor.telling import told


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "state"
    path.mkdir(mode=0o700)
    return path


def test_before_the_first_start(tmp_path: Path) -> None:
    path = tmp_path / "state"
    assert told(state.directory(path, None, is_unit=True)).endswith(
        "systemd makes it at the first start"
    )
    assert told(state.directory(path, None, is_unit=False)).startswith(f"Skipped: {path} is not")
    assert told(state.at_work(path)) == f"Skipped: no service is at work on {path}"
    assert told(state.database(path)).startswith("Skipped: there is no database yet")


def test_a_file_in_its_place(directory: Path) -> None:
    directory.rmdir()
    directory.touch()
    assert told(state.directory(directory, None, is_unit=False)) == (
        f"Failed: {directory} is no folder"
    )


def test_whose_it_is(directory: Path) -> None:
    assert told(state.directory(directory, None, is_unit=False)) == (
        f"Passed: {directory} is the service's alone (0700)"
    )
    directory.chmod(0o755)
    assert told(state.directory(directory, None, is_unit=False)).startswith("Warned")
    status = directory.stat()
    owner = Identity(status.st_uid, frozenset())
    stranger = Identity(status.st_uid + 1, frozenset())
    directory.chmod(0o700)
    status = directory.stat()
    owners = {"session.json": status.st_uid, "lock": status.st_uid + 4711}
    found = state.judge_directory(directory, status, owners, stranger)
    assert told(found) == (
        f"Failed: {directory} belongs to user {status.st_uid}; the service runs as "
        f"{status.st_uid + 1} | Failed: not the service's: lock in {directory}"
    )
    assert told(state.judge_directory(directory, status, {}, owner)).startswith("Passed")


@pytest.mark.parametrize(("user", "found"), [(64489, "Passed"), (1000, "Failed")])
def test_what_systemd_keeps_as_nobodys_is_the_dynamic_users(
    directory: Path, user: int, found: str
) -> None:
    status = os.stat_result((0o40700, 1, 1, 2, 65534, 65534, 0, 0, 0, 0))
    service = Identity(user, frozenset())
    assert told(state.judge_directory(directory, status, {}, service)).startswith(found)


def test_a_lock_that_is_held_is_seen_and_not_touched(directory: Path) -> None:
    (directory / "lock").touch()
    assert state.read_lock(directory) == state.Lock(is_held=False)
    descriptor = take_lock(directory)
    assert told(state.at_work(directory)) == f"Passed: a service is at work on {directory}"
    os.close(descriptor)
    assert state.read_lock(directory) == state.Lock(is_held=False)


def test_what_may_not_be_seen_is_not_told_to_be_absent(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> os.stat_result:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "stat", refuse)
    assert state.read_lock(directory) is None
    assert state.at_work(directory) == ()
    assert told(state.directory(directory, None, is_unit=True)).endswith("cannot be looked into")
    assert told(state.database(directory)).endswith("cannot be read")


def files_in(directory: Path) -> dict[str, tuple[int, float]]:
    return {each.name: (each.stat().st_size, each.stat().st_mtime) for each in directory.iterdir()}


def test_a_database_is_looked_at_and_left_as_it_is(directory: Path) -> None:
    open_database(directory).close()
    before = files_in(directory)
    assert "is sound, its tables are of this release" in told(state.database(directory))
    assert files_in(directory) == before


def test_a_database_that_is_open(directory: Path) -> None:
    lock = take_lock(directory)
    with closing(open_database(directory)) as database:
        database.table("meta").insert({"key": "a", "value": "b"})
        assert "is sound" in told(state.database(directory))
        database.table("meta").insert({"key": "c", "value": "d"})  # nobody is in its way
    os.close(lock)


def test_a_database_that_was_left_behind_is_copied(directory: Path, tmp_path: Path) -> None:
    with closing(open_database(directory)) as database:
        database.table("meta").insert({"key": "a", "value": "b"})
        left = tmp_path / "left"
        left.mkdir()
        for name in (DATABASE, f"{DATABASE}-wal"):
            (left / name).write_bytes((directory / name).read_bytes())
    before = files_in(left)
    assert "is sound" in told(state.database(left))
    assert files_in(left) == before


def test_what_is_no_database(directory: Path) -> None:
    (directory / DATABASE).write_bytes(b"no database at all" * 1000)
    (found,) = state.database(directory)
    assert isinstance(found, Failed)
    assert found.status == 74
    (directory / f"{DATABASE}.damaged-20260101T000000Z").touch()
    assert "Warned: damaged databases lie beside it" in told(state.database(directory))


def test_a_folder_in_its_place(directory: Path) -> None:
    (directory / DATABASE).mkdir()
    assert told(state.database(directory)).startswith("Skipped: ")


def test_tables_of_another_release(directory: Path) -> None:
    with closing(sqlite3.connect(directory / DATABASE)) as connection:
        connection.execute("CREATE TABLE a (b)")
    assert "changes to its tables await the start" in told(state.database(directory))
    (directory / DATABASE).unlink()
    with closing(open_database(directory)) as database:
        database.table("_sqlite_migrations").insert(
            {"migration_set": "lambda_matrix", "name": "of_tomorrow", "applied_at": "now"}
        )
    assert "was made by a newer release (of_tomorrow)" in told(state.database(directory))


FACTS = DatabaseFacts(size=1_500_000)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (FACTS, Passed),
        (evolve(FACTS, pending=2), Passed),
        (evolve(FACTS, checked=False), Skipped),
        (evolve(FACTS, damage="page 3"), Failed),
        (evolve(FACTS, newer="m9"), Failed),
    ],
)
def test_each_verdict_tells_the_size(facts: DatabaseFacts, kind: type[Finding]) -> None:
    found = state.judge_database(Path("db"), facts)
    assert isinstance(found, kind)
    assert "db (1.5 MB)" in found.what
    assert not isinstance(found, Warned)
