"""A database looked at by whoever must not change it; the rest: tests/doctor/test_state.py."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lambda_matrix.store import inspection
from lambda_matrix.store.inspection import NotLookedAtError, inspect_database
from lambda_matrix.store.opening import DATABASE, open_database


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with closing(open_database(tmp_path)) as database:
        database.table("meta").insert_all(
            {"key": str(number), "value": "x" * 100} for number in range(5_000)
        )
    return tmp_path / DATABASE


def test_there_may_be_no_time_to_check(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "_STEPS", 10)
    facts = inspect_database(path, is_open=False, seconds=-1.0)
    assert (facts.checked, facts.damage, facts.pending) == (False, None, 0)
    assert inspect_database(path, is_open=False, seconds=60.0).checked


def test_one_that_is_too_large_is_not_copied(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(b"left behind")
    monkeypatch.setattr(inspection, "LARGEST_COPY", 10)
    with pytest.raises(NotLookedAtError, match="too large to be copied"):
        inspect_database(path, is_open=False, seconds=60.0)


def test_one_that_another_program_keeps_to_itself(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(NotLookedAtError, match="locked"):
            inspect_database(path, is_open=True, seconds=60.0)


def test_damage_is_named(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[8192:40960] = b"\xff" * (40960 - 8192)
    path.write_bytes(content)
    facts = inspect_database(path, is_open=False, seconds=60.0)
    assert facts.damage
    assert "\n" not in facts.damage
