"""The shims do what the faults say that happened; otherwise those would prove nothing."""

from __future__ import annotations

import errno
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from lambda_matrix.demo.processes import Program
from tests.faults import shims
from tests.faults.shims import Clock, Disk
from tests.lab.lacking import lacking


@pytest.fixture(autouse=True)
def compiler() -> None:
    if shims.MISSING is not None:
        lacking(shims.MISSING)


def run(program: Program, script: str, *arguments: object) -> list[str]:
    """Run a Python script as the program is run; returns the lines that it said."""
    found = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=dict(program.environment),
        capture_output=True,
        text=True,
        check=True,
    )
    return found.stdout.splitlines()


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program("a script", (), tmp_path / "log")


# -- the clock --

TELL_TIME = """
import datetime, sqlite3, sys, time
print(time.time())
print(time.monotonic())
print(datetime.datetime.now().timestamp())
now = sqlite3.connect(":memory:").execute("SELECT unixepoch()").fetchone()
print(now[0])
"""


@pytest.mark.parametrize("hours", [-24, 0, 24])
def test_the_wall_clock_is_wrong_and_the_other_is_not(
    program: Program, tmp_path: Path, hours: int
) -> None:
    clock, program = Clock.under(program, tmp_path / "clock")
    clock.jump(hours * 3600)
    wall, monotonic, date, sql = map(float, run(program, TELL_TIME))
    for told in (wall, date, sql):
        assert told - time.time() == pytest.approx(hours * 3600, abs=30)
    assert monotonic - time.monotonic() == pytest.approx(0, abs=30)


JUMPED = """
import struct, sys, time
before = time.time()
with open(sys.argv[1], "r+b") as file:
    file.write(struct.pack("d", 1000.0))
print(time.time() - before)
"""


def test_it_jumps_while_the_program_runs(program: Program, tmp_path: Path) -> None:
    clock, program = Clock.under(program, tmp_path / "clock")
    (jumped,) = map(float, run(program, JUMPED, clock.file))
    assert jumped == pytest.approx(1000, abs=30)


# -- the disk --


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path / "state"


TRY = """
import os, sqlite3, sys
from pathlib import Path
folder = Path(sys.argv[1])

def attempt(name, call):
    try:
        call()
        print(name, "done")
    except OSError as error:
        print(name, error.errno)
    except sqlite3.Error as error:
        print(name, error.sqlite_errorname)

def insert():
    with db:
        db.execute("INSERT INTO t VALUES (2)")

db = sqlite3.connect(folder / "db")
attempt("make", lambda: (folder / "new").write_bytes(b"x"))
attempt("append", lambda: open(folder / "old", "ab", buffering=0).write(b"x"))
attempt("rename", lambda: os.replace(folder / "old", folder / "older"))
attempt("delete", lambda: (folder / "spare").unlink())
attempt("read", lambda: (folder / "db").read_bytes())
attempt("elsewhere", lambda: (folder.parent / "elsewhere").write_bytes(b"x"))
attempt("insert", insert)
"""


@pytest.mark.parametrize(
    ("number", "done", "sqlite"),
    [
        (0, {"make", "append", "rename", "delete", "read", "elsewhere", "insert"}, ""),
        (errno.ENOSPC, {"rename", "delete", "read", "elsewhere"}, "SQLITE_"),
        (errno.EROFS, {"read", "elsewhere"}, "SQLITE_"),
        (errno.EIO, {"read", "elsewhere"}, "SQLITE_"),
    ],
)
def test_it_refuses(
    program: Program, folder: Path, number: int, done: set[str], sqlite: str
) -> None:
    run(program, "import sqlite3, sys; sqlite3.connect(sys.argv[1]).executescript("
        "'PRAGMA journal_mode=wal; CREATE TABLE t (x)')", folder / "db")  # fmt: skip
    for name in ("old", "spare"):
        (folder / name).touch()
    disk, program = Disk.under(program, folder, folder.parent / "aside")
    disk.refuse(number)
    said = dict(line.split() for line in run(program, TRY, folder))
    assert {name for name, result in said.items() if result == "done"} == done
    assert all(
        result == str(number) for name, result in said.items() if name not in {*done, "insert"}
    )
    assert said["insert"].startswith(sqlite or "done")


WRITE = """
import os, sys
from pathlib import Path
folder = Path(sys.argv[1])

def sync(path):
    file = os.open(path, os.O_RDONLY)
    os.fsync(file)
    os.close(file)

for name in ("synced", "changed", "renamed", "replaced", "deleted", "gone", "sub/deep"):
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"synced")
    sync(folder / name)
(folder / "never").write_bytes(b"lost")
(folder / "empty").write_bytes(b"lost")
(folder / "gone").unlink()
sync(folder)
(folder / "never").unlink()
(folder / "later").write_bytes(b"lost")
(folder / "changed").write_bytes(b"lost")
os.replace(folder / "renamed", folder / "renamed too")
(folder / "deleted").unlink()
(folder / "replaced.new").write_bytes(b"new")
sync(folder / "replaced.new")
os.replace(folder / "replaced.new", folder / "replaced")
if len(sys.argv) > 2:
    sync(folder)
"""


def contents(folder: Path) -> dict[str, bytes]:
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each.relative_to(folder)): each.read_bytes() for each in files}


def test_a_power_cut_leaves_what_was_synced(program: Program, folder: Path) -> None:
    (folder / "before").write_bytes(b"before")
    disk, program = Disk.under(program, folder, folder.parent / "aside")
    run(program, WRITE, folder)
    disk.lose_power()
    assert contents(folder) == {
        "before": b"before",
        "synced": b"synced",
        "changed": b"synced",
        "renamed": b"synced",
        "replaced": b"synced",
        "replaced.new": b"new",
        "deleted": b"synced",
        "sub/deep": b"synced",
        "never": b"",
        "empty": b"",
    }


def test_names_are_there_for_good_once_the_folder_was_synced(
    program: Program, folder: Path
) -> None:
    disk, program = Disk.under(program, folder, folder.parent / "aside")
    run(program, WRITE, folder, "and the folder")
    disk.lose_power()
    assert contents(folder) == {
        "synced": b"synced",
        "changed": b"synced",
        "renamed too": b"synced",
        "replaced": b"new",
        "sub/deep": b"synced",
        "empty": b"",
        "later": b"",
    }


def test_what_was_not_synced_may_be_there_too(program: Program, folder: Path) -> None:
    seen = set()
    for seed in range(30):
        disk, shimmed = Disk.under(program, folder, folder.parent / "aside")
        run(shimmed, WRITE, folder)
        disk.lose_power(Random(seed))  # noqa: S311 - a seeded draw is the point
        left = contents(folder)
        seen |= {(name, left.get(name)) for name in ("changed", "later")}
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    assert seen == {
        ("changed", b"synced"),
        ("changed", b"lost"),
        ("later", None),
        ("later", b"lost"),
    }


COMMIT = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA journal_mode = wal")
db.execute("PRAGMA synchronous = NORMAL")
db.execute("CREATE TABLE t (x)")
db.commit()
db.execute("PRAGMA wal_checkpoint")
for number in range(10):
    db.execute("INSERT INTO t VALUES (?)", (number,))
    db.commit()
import os, signal
os.kill(os.getpid(), signal.SIGKILL)
"""
COUNT = """
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
print(db.execute("PRAGMA integrity_check").fetchone()[0])
print(db.execute("SELECT count(*) FROM t").fetchone()[0])
"""


def test_sqlite_without_full_syncs_loses_its_newest_commits_and_stays_sound(
    program: Program, folder: Path
) -> None:
    disk, program = Disk.under(program, folder, folder.parent / "aside")
    with pytest.raises(subprocess.CalledProcessError):
        run(program, COMMIT, folder / "db")
    disk.lose_power()
    assert run(program, COUNT, folder / "db") == ["ok", "0"]
