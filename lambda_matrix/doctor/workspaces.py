"""The folders shared with agents (docs/configuration.md, "The shared folder")."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from attrs import frozen

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.doctor.examination import Findings
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.doctor.unit import Identity, Unit, group_name, mode_of

_WITHOUT_LINKS = frozenset({"vfat", "msdos", "exfat", "fuse.sshfs"})
"""Types of file systems on which a file has one name only."""
_FOLDERS = ("chats", ".incoming")
_OPEN_TO_ALL = 0o007


@frozen
class FolderFacts:
    """What was seen of a workspace. `apart` names folders in it on other file systems."""

    path: Path
    status: os.stat_result
    file_system: str
    apart: tuple[str, ...] = ()


def workspaces(
    agents: tuple[AgentEntry, ...], unit: Unit | None, identity: Identity | None
) -> Findings:
    """Can the service put files there, and the agent take them?"""
    told: list[Finding] = []
    for entry in agents:
        if entry.workspace is None:
            told.append(_without(entry))
            continue
        try:
            facts = look_at(entry.workspace)
        except OSError as error:
            told.append(
                Failed(
                    f"agent {entry.id}: workspace {entry.workspace}: {error.strerror}",
                    "make it: docs/configuration.md, The shared folder",
                )
            )
            continue
        told += judge(f"agent {entry.id}", facts, unit, identity)
    return tuple(told) or (Skipped("no agents are known"),)


def _without(entry: AgentEntry) -> Finding:
    if entry.inline_files:
        return Passed(f"agent {entry.id}: files go within messages, no workspace is needed")
    return Skipped(f"agent {entry.id}: no workspace, so no files go to it or come from it")


def look_at(path: Path) -> FolderFacts:
    """Look at a workspace.

    Raises:
        OSError: it is not there, or no folder, or may not be looked at.
    """
    status = path.stat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(20, "is no folder")
    inner = [path / name for name in _FOLDERS]
    apart = tuple(
        each.name for each in inner if each.exists() and each.stat().st_dev != status.st_dev
    )
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace")
    return FolderFacts(path, status, file_system_of(path.resolve(), mounts), apart)


def file_system_of(path: Path, mounts: str) -> str:
    """Return the type of the file system that a path is on, from mountinfo (proc(5))."""
    best, found = -1, "unknown"
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), after.split()[0]
    return found


def judge(
    who: str, facts: FolderFacts, unit: Unit | None, identity: Identity | None
) -> list[Finding]:
    """Judge a workspace."""
    path, status = facts.path, facts.status
    told: list[Finding] = []
    if identity is not None and not identity.may_write(status):
        told.append(
            Failed(
                f"{who}: the service may not write to {path} ({mode_of(status)}, group "
                f"{group_name(status.st_gid)})",
                f"chgrp it to a group of the service (SupplementaryGroups=), chmod 2770 {path}",
            )
        )
    if unit is not None and unit.is_there and not _is_let_through(path, unit):
        told.append(
            Failed(
                f"{who}: the unit keeps the service from writing to {path}",
                f"systemctl edit lambda-matrix: ReadWritePaths={path}",
            )
        )
    if facts.file_system in _WITHOUT_LINKS:
        told.append(
            Failed(
                f"{who}: {path} is on {facts.file_system}, which has no hard links",
                "put it on a file system such as ext4 or XFS",
            )
        )
    if facts.apart:
        told.append(
            Failed(
                f"{who}: {', '.join(facts.apart)} in {path} is on another file system",
                "have the whole workspace on one",
            )
        )
    if not status.st_mode & stat.S_ISGID:
        told.append(
            Warned(
                f"{who}: new files in {path} are not given to its group ({mode_of(status)})",
                f"chmod 2770 {path}, unless agent and service are one user",
            )
        )
    if status.st_mode & _OPEN_TO_ALL:
        told.append(
            Warned(f"{who}: {path} is open to everybody ({mode_of(status)})", f"chmod o= {path}")
        )
    group = group_name(status.st_gid)
    return told or [Passed(f"{who}: workspace {path} ({mode_of(status)}, group {group})")]


def _is_let_through(path: Path, unit: Unit) -> bool:
    if unit.properties.get("ProtectSystem") != "strict":
        return True
    return any(path.is_relative_to(each) for each in unit.writable_paths)
