from __future__ import annotations

import os
import sqlite3
import stat
from pathlib import Path

import pytest
from attrs import evolve

from lambda_matrix.config.settings import LimitsSection, Settings
from lambda_matrix.doctor import machine, unit as unit_module
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Warned
from lambda_matrix.doctor.unit import SANDBOX, Identity, Unit, read_identity, read_unit
from tests.doctor.telling import told

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "NRestarts": "0",
    "NeedDaemonReload": "no",
    "LimitNOFILE": "8192",
    **SANDBOX,
}


@pytest.mark.parametrize(
    ("free", "files", "kind"),
    [
        (10**10, None, Passed),
        (10**10, 10**6, Passed),
        (10**10, 10, Warned),
        (10**10, 0, Failed),
        (10**8, None, Warned),
        (10**7, None, Failed),
    ],
)
def test_the_room_on_a_disk(free: int, files: int | None, kind: type[Finding]) -> None:
    found = machine.judge_disk("state", free, files)
    assert isinstance(found, kind)
    if isinstance(found, Failed):
        assert found.status == 73


def test_the_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    said = told(machine.disk("state", tmp_path / "not/yet"))
    assert f"state {tmp_path}/not/yet: " in said


def test_the_disk_of_a_folder_that_may_not_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = os.statvfs("/")

    def statvfs(place: Path | str) -> os.statvfs_result:
        if str(place) != "/":
            raise PermissionError(13, "Permission denied")
        return seen

    monkeypatch.setattr(os, "statvfs", statvfs)
    assert "state /var/lib/x: " in told(machine.disk("state", Path("/var/lib/x")))


def test_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(machine.versions()).startswith("Passed: Python 3.")
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    assert told(machine.versions()).startswith("Failed: ")


def program(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo yes", "Passed: the clock is kept by NTP"),
        ("echo no", "Warned: the clock is not kept by NTP"),
        ("exit 1", "Skipped: whether the clock is kept by NTP: timedatectl does not say"),
    ],
)
async def test_whether_the_clock_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    program(tmp_path, "timedatectl", script)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert told(await machine.time_kept()) == said


async def test_what_systemd_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await read_unit() is None
    program(tmp_path, "systemctl", "echo LoadState=loaded; echo DropInPaths=/a /b; echo; exit 0")
    found = await read_unit()
    assert found is not None
    assert (found.is_there, found.drop_ins, found.weakened) == (True, ("/a", "/b"), ())
    program(tmp_path, "systemctl", "echo no bus >&2; exit 1")
    assert await read_unit() is None


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "Passed: the unit is active (running), and started with the machine"),
        ({"UnitFileState": "disabled"}, "Warned: the unit is active (running), and not started"),
        ({"ActiveState": "failed"}, "Warned: the unit has failed"),
        ({"NRestarts": "3"}, "Warned: systemd has restarted it 3 times"),
        ({"NeedDaemonReload": "yes"}, "Warned: the unit has changed on disk"),
        ({"ProtectSystem": "full"}, "Warned: the sandbox is weakened: ProtectSystem=full"),
    ],
)
def test_the_unit(changed: dict[str, str], said: str) -> None:
    assert said in told(machine.unit(Unit({**RUNNING, **changed})))


def test_a_unit_that_a_target_starts() -> None:
    stack = Unit({"UnitFileState": "enabled"})
    disabled = Unit({**RUNNING, "UnitFileState": "disabled"})
    assert told(machine.unit(disabled, is_wanted=stack.is_enabled)).startswith("Passed")


def test_without_a_unit(settings: Settings) -> None:
    assert told(machine.unit(None)) == "Skipped: the unit: no systemd answers here"
    absent = Unit({"LoadState": "not-found"})
    assert "is not installed" in told(machine.unit(absent))
    assert told(machine.open_files(settings, absent)).startswith("Skipped")
    assert absent.identity() is None


def test_open_files(settings: Settings) -> None:
    unit = Unit(RUNNING)
    assert told(machine.open_files(settings, unit)) == "Passed: the service may open 8192 files"
    many = evolve(settings, limits=LimitsSection(runs=10_000))
    assert told(machine.open_files(many, unit)).startswith("Warned: the service may open 8192")


def test_whom_the_service_runs_as() -> None:
    ourselves = Unit({**RUNNING, "MainPID": str(os.getpid())}).identity()
    assert ourselves is not None
    assert ourselves.user == os.geteuid()
    assert os.getegid() in ourselves.groups
    later = Unit({**RUNNING, "MainPID": "0", "SupplementaryGroups": "root 4711 no-such-group"})
    assert later.identity() == Identity(None, frozenset({0, 4711}))
    gone = Unit({**RUNNING, "MainPID": "4194305"})
    assert gone.identity() == Identity(None, frozenset())


def test_a_process_as_the_kernel_tells_it() -> None:
    status = "Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t9 10 \n"
    assert read_identity(status) == Identity(4, frozenset({8, 9, 10}))


def test_groups_have_names() -> None:
    assert unit_module.group_name(0) == "root"
    assert unit_module.group_name(3_999_999) == "3999999"
