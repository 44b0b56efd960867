"""Which of the state directory a reset drops."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from sqlite_utils import Database

from lambda_matrix.ids import DeviceId, InstanceId, UserId
from lambda_matrix.reconcile.local_state import Fate, LocalItem, drop, look_around
from lambda_matrix.store import meta
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import open_store

OURSELVES = Ourselves(UserId("@bot:x"), DeviceId("D"), InstanceId("1"))


def names(items: tuple[LocalItem, ...], fate: Fate) -> list[str]:
    return [item.path.name for item in items if item.fate is fate]


@pytest.fixture
async def directory(tmp_path: Path) -> Path:
    """A state directory as the service leaves it when it is killed, and some more."""
    state = tmp_path / "state"
    async with open_store(state) as store:
        await store.transact(meta.begin_instance, OURSELVES)
        database = state / "lambda-matrix.db"
        for suffix in ("", "-wal", "-shm"):
            (tmp_path / f"copy{suffix}").write_bytes(
                database.with_name(database.name + suffix).read_bytes()
            )
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"copy{suffix}").rename(database.with_name(database.name + suffix))
    (state / "lambda-matrix.db.damaged-20260101T000000Z").write_text("junk")
    (state / "files" / "chats" / "7").mkdir(parents=True)
    (state / "files" / "chats" / "7" / "plan.txt").write_text("12345")
    (state / "session.json").write_text("{}")
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(state / "status.sock"))
    (state / "notes").mkdir()
    (state / "notes" / "mine.txt").write_text("keep me")
    return state


async def test_what_is_dropped_and_what_is_kept(directory: Path) -> None:
    items = look_around(directory)
    assert names(items, Fate.DROPPED) == [
        "files",
        "lambda-matrix.db",
        "lambda-matrix.db-shm",
        "lambda-matrix.db-wal",
        "lambda-matrix.db.damaged-20260101T000000Z",
    ]
    assert names(items, Fate.KEPT) == ["lock", "notes", "session.json"]
    files = next(item for item in items if item.path.name == "files")
    assert (files.files, files.size) == (1, 5)


async def test_it_is_dropped_and_no_more(directory: Path) -> None:
    drop(look_around(directory))
    left = look_around(directory)
    assert names(left, Fate.DROPPED) == []
    assert names(left, Fate.KEPT) == ["lock", "notes", "session.json"]
    assert (directory / "notes" / "mine.txt").read_text() == "keep me"
    drop(left)  # and again


async def test_cut_off_after_each_file_the_next_start_finds_nothing_old(directory: Path) -> None:
    to_drop = [item for item in look_around(directory) if item.fate is Fate.DROPPED]
    for item in to_drop:
        drop((item,))
        if not (directory / "lambda-matrix.db").exists():
            break
    # The journal of the old database is still there.
    assert (directory / "lambda-matrix.db-wal").exists()
    async with open_store(directory) as store:
        assert await store.transact(_instances) == 0


def _instances(db: Database) -> int:
    return db["instances"].count


async def test_a_link_is_removed_and_not_followed(directory: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "precious").write_text("!")
    for name in ("files", "lambda-matrix.db.old"):
        path = directory / name
        if path.is_dir():
            path.rename(directory / "moved")
        path.symlink_to(elsewhere)
    drop(look_around(directory))
    assert (elsewhere / "precious").exists()
    assert not (directory / "files").is_symlink()


def test_no_directory(tmp_path: Path) -> None:
    assert look_around(tmp_path / "nowhere") == ()
