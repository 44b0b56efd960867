"""The machine: disks, versions, time, and the unit. Observed, then judged."""

from __future__ import annotations

import os
import platform
import sqlite3
from contextlib import suppress
from pathlib import Path

from lambda_matrix.config.settings import Settings
from lambda_matrix.doctor.examination import Findings
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.doctor.unit import Unit, run
from lambda_matrix.exits import Exit
from lambda_matrix.upkeep.tables import size

GROUP = "machine"
_FULL = 20_000_000
"""Bytes: below this SQLite and files that come in soon meet a full disk."""
_NEARLY_FULL = 500_000_000
_FEW_FILES = 1_000
_SPARE_FILES = 64
"""Open files beyond one for each run: the database, the homeserver, pages."""
_LEAST_SQLITE = (3, 35, 0)
"""What sqlite-utils and the migrations need (ALTER TABLE DROP COLUMN, RETURNING)."""


def disk(what: str, path: Path) -> Findings:
    """Is there room where the service writes?"""
    status = _file_system(path)
    free = status.f_bavail * status.f_frsize
    return (judge_disk(f"{what} {path}", free, status.f_favail if status.f_files else None),)


def _file_system(path: Path) -> os.statvfs_result:
    """Return the file system of a folder, or of the nearest one above that is there to be seen."""
    for place in (path, *path.parents[:-1]):
        with suppress(FileNotFoundError, PermissionError):
            return os.statvfs(place)
    return os.statvfs("/")


def judge_disk(what: str, free: int, files: int | None) -> Finding:
    """Judge the room on a file system: free bytes, and free entries where it counts them."""
    if free < _FULL or (files is not None and files == 0):
        return Failed(
            f"{what}: the disk is full ({size(free)} free)",
            "make room: the service waits for it, and then goes on",
            Exit.DISK_REFUSES,
        )
    if free < _NEARLY_FULL or (files is not None and files < _FEW_FILES):
        return Warned(f"{what}: {size(free)} free", "make room before it is full")
    return Passed(f"{what}: {size(free)} free")


def versions() -> Findings:
    """What runs this?"""
    told = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    if sqlite3.sqlite_version_info < _LEAST_SQLITE:
        return (Failed(f"{told}: SQLite is too old", "use Debian 12 or newer"),)
    return (Passed(told),)


async def time_kept() -> Findings:
    """Is the clock kept by NTP?"""
    told = await run("timedatectl", "show", "--property=NTPSynchronized", "--value")
    if told is None:
        return (Skipped("whether the clock is kept by NTP: timedatectl does not say"),)
    if told.strip() == "yes":
        return (Passed("the clock is kept by NTP"),)
    return (Warned("the clock is not kept by NTP", "timedatectl set-ntp true, or see chrony"),)


def unit(found: Unit | None, *, is_wanted: bool = False) -> Findings:
    """Is the unit installed, enabled, at work, and as strict as it came?

    `is_wanted`: a target that is enabled starts it.
    """
    if found is None:
        return (Skipped("the unit: no systemd answers here"),)
    if not found.is_there:
        return (
            Skipped("the unit lambda-matrix.service is not installed", "lambda-matrix install"),
        )
    return tuple(_judge_unit(found, is_wanted=is_wanted))


def _judge_unit(found: Unit, *, is_wanted: bool) -> list[Finding]:
    properties = found.properties
    state = f"{properties.get('ActiveState')} ({properties.get('SubState')})"
    enabled = properties.get("UnitFileState") or "unknown"
    told: list[Finding] = []
    if properties.get("ActiveState") == "failed":
        told.append(
            Warned("the unit has failed", "journalctl -u lambda-matrix says why; then start it")
        )
    elif enabled == "disabled" and not is_wanted:
        told.append(
            Warned(
                f"the unit is {state}, and not started with the machine",
                "systemctl enable lambda-matrix",
            )
        )
    else:
        told.append(Passed(f"the unit is {state}, and started with the machine"))
    if properties.get("NRestarts", "0") != "0":
        told.append(
            Warned(
                f"systemd has restarted it {properties['NRestarts']} times",
                "journalctl -u lambda-matrix -p warning",
            )
        )
    if properties.get("NeedDaemonReload") == "yes":
        told.append(Warned("the unit has changed on disk", "systemctl daemon-reload"))
    if found.weakened:
        told.append(
            Warned(
                f"the sandbox is weakened: {', '.join(found.weakened)}",
                f"look at {', '.join(found.drop_ins) or 'the unit'}",
            )
        )
    return told


def open_files(settings: Settings, found: Unit | None) -> Findings:
    """May the service open as many files as its limits make it?"""
    limit = None if found is None or not found.is_there else found.files_limit
    if limit is None:
        return (Skipped("how many files the service may open is its unit's to say"),)
    wanted = settings.limits.runs * 3 + _SPARE_FILES
    if limit < wanted:
        return (
            Warned(
                f"the service may open {limit} files, and can want {wanted} ([limits] runs)",
                f"systemctl edit lambda-matrix: LimitNOFILE={wanted}",
            ),
        )
    return (Passed(f"the service may open {limit} files"),)
