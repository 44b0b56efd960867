"""What systemd says of the service's unit (systemctl(1), `show`), and whom the service runs as."""

from __future__ import annotations

import grp
import os
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import trio
from attrs import frozen

UNIT = "lambda-matrix.service"
STACK = "lambda-matrix-stack.target"
_PROPERTIES = (
    "LoadState",
    "ActiveState",
    "SubState",
    "UnitFileState",
    "DropInPaths",
    "MainPID",
    "NRestarts",
    "NeedDaemonReload",
    "LimitNOFILE",
    "ReadWritePaths",
    "SupplementaryGroups",
    "DynamicUser",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateTmp",
    "PrivateUsers",
    "ProtectHome",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "MemoryDenyWriteExecute",
    "RestrictSUIDSGID",
)
SANDBOX: Mapping[str, str] = {
    "DynamicUser": "yes",
    "MemoryDenyWriteExecute": "yes",
    "NoNewPrivileges": "yes",
    "PrivateDevices": "yes",
    "PrivateTmp": "yes",
    "PrivateUsers": "yes",
    "ProtectHome": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "ProtectProc": "invisible",
    "ProtectSystem": "strict",
    "RestrictSUIDSGID": "yes",
}
"""What the unit that comes with the program settles; a drop-in may have weakened it."""


@frozen
class Identity:
    """Whom the service runs as: a user id (None: one that is made at the start), and groups."""

    user: int | None
    groups: frozenset[int]

    def may_write(self, folder: os.stat_result) -> bool:
        """Whether the permissions of a folder let this user make files in it."""
        if self.user == 0:
            return True
        if self.user == folder.st_uid:
            return folder.st_mode & 0o300 == 0o300  # noqa: PLR2004 - write and search, its owner
        bits = 0o030 if folder.st_gid in self.groups else 0o003
        return folder.st_mode & bits == bits


@frozen
class Unit:
    """The properties that `systemctl show` told, as text."""

    properties: Mapping[str, str]

    @property
    def is_there(self) -> bool:
        """Whether the unit is installed."""
        return self.properties.get("LoadState") == "loaded"

    @property
    def is_enabled(self) -> bool:
        """Whether the machine starts it."""
        return self.properties.get("UnitFileState") in {"enabled", "enabled-runtime"}

    @property
    def drop_ins(self) -> tuple[str, ...]:
        """Return the files that change the unit."""
        return tuple(self.properties.get("DropInPaths", "").split())

    @property
    def weakened(self) -> tuple[str, ...]:
        """Return the settings of the sandbox that are not as the unit has them."""
        return tuple(
            f"{name}={value}"
            for name, expected in SANDBOX.items()
            if (value := self.properties.get(name, expected)) != expected
        )

    @property
    def writable_paths(self) -> tuple[Path, ...]:
        """Return `ReadWritePaths=`, each without the prefixes that it may have."""
        paths = self.properties.get("ReadWritePaths", "").split()
        return tuple(Path(each.lstrip("-+")) for each in paths)

    @property
    def files_limit(self) -> int | None:
        """Return how many files the service may have open."""
        value = self.properties.get("LimitNOFILE", "")
        return int(value) if value.isdecimal() else None

    def identity(self) -> Identity | None:
        """Return whom the service runs as: of its process, else of its settings; None: unknown."""
        with suppress(OSError, ValueError):
            main = int(self.properties.get("MainPID", "0"))
            if main:
                return read_identity(Path(f"/proc/{main}/status").read_text(encoding="ascii"))
        if not self.is_there:
            return None
        names = self.properties.get("SupplementaryGroups", "").split()
        return Identity(None, frozenset(number for name in names for number in _group(name)))


def read_identity(status: str) -> Identity:
    """Read who a process is from /proc/<pid>/status (proc(5)): what it may do to files."""
    lines = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    own = lines["Gid"].split()[3]
    groups = frozenset(int(each) for each in (own, *lines["Groups"].split()))
    return Identity(int(lines["Uid"].split()[3]), groups)


def _group(name: str) -> tuple[int, ...]:
    if name.isdecimal():
        return (int(name),)
    try:
        return (grp.getgrnam(name).gr_gid,)
    except KeyError:
        return ()


async def read_unit(name: str = UNIT) -> Unit | None:
    """Ask systemd for the unit; None where no systemd is at work, or none that answers."""
    told = await run("systemctl", "show", "--no-pager", f"--property={','.join(_PROPERTIES)}", name)
    if told is None:
        return None
    return Unit(dict(line.split("=", 1) for line in told.splitlines() if "=" in line))


async def run(program: str, *arguments: str) -> str | None:
    """Return what a program of the system tells; None if it is not there, or fails."""
    found = shutil.which(program)
    if found is None:
        return None
    done = await trio.run_process(
        [found, *arguments], capture_stdout=True, capture_stderr=True, check=False
    )
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def group_name(number: int) -> str:
    """Return a group's name, or its number where it has none."""
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def mode_of(status: os.stat_result) -> str:
    """Return a file's permissions as chmod(1) takes them."""
    return f"{stat.S_IMODE(status.st_mode):04o}"
