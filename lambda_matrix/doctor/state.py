"""The state directory, and the database in it: looked at with the service's eyes."""

from __future__ import annotations

import os
from pathlib import Path

from attrs import frozen

from lambda_matrix.doctor.examination import FOR_LOOKING, Findings
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned
from lambda_matrix.doctor.unit import Identity, mode_of
from lambda_matrix.exits import Exit
from lambda_matrix.store.damage import all_set_aside
from lambda_matrix.store.inspection import DatabaseFacts, NotLookedAtError, inspect_database
from lambda_matrix.store.opening import DATABASE
from lambda_matrix.upkeep.tables import size

_OTHERS = 0o077
_LOCKS = Path("/proc/locks")
_NOBODY = 65534
_DYNAMIC_USERS = range(61184, 65520)
"""The users that `DynamicUser=` makes (systemd.io, "Users, Groups, UIDs and GIDs on systemd
Systems"). systemd 257 keeps their files as nobody's, and shows them to the service as its own."""


@frozen
class Lock:
    """The service's lock on the state directory: held by a process, or not."""

    is_held: bool


def read_lock(directory: Path) -> Lock | None:
    """Tell whether the service runs on this directory, without touching the lock (proc(5)).

    None: that cannot be seen by this user.
    """
    try:
        status = (directory / "lock").stat()
        lines = _LOCKS.read_text(encoding="ascii").splitlines()
    except PermissionError:
        return None
    except OSError:
        return Lock(is_held=False)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    return Lock(is_held=any(device in line.split() and "FLOCK" in line for line in lines))


def directory(path: Path, identity: Identity | None, *, is_unit: bool) -> Findings:
    """Is the state directory there, the service's alone, and all in it the service's?"""
    try:
        status = path.stat()
        entries = list(os.scandir(path))
    except FileNotFoundError:
        who = "systemd" if is_unit else "the service"
        return (Skipped(f"{path} is not there yet: {who} makes it at the first start"),)
    except NotADirectoryError:
        return (Failed(f"{path} is no folder", "set [state] directory to one"),)
    except PermissionError:
        return (Skipped(f"{path} cannot be looked into", "give this command as root"),)
    owners = {each.name: each.stat(follow_symlinks=False).st_uid for each in entries}
    return judge_directory(path, status, owners, identity)


def judge_directory(
    path: Path, status: os.stat_result, owners: dict[str, int], identity: Identity | None
) -> Findings:
    """Judge the state directory: its permissions, and whose its files are."""
    told: list[Finding] = []
    if status.st_mode & _OTHERS:
        told.append(Warned(f"{path} is open to others ({mode_of(status)})", f"chmod 700 {path}"))
    if identity is not None and identity.user is not None and not _may_write(identity, status):
        told.append(
            Failed(
                f"{path} belongs to user {status.st_uid}; the service runs as {identity.user}",
                f"chown -R {identity.user} {path}",
            )
        )
    strange = sorted(name for name, owner in owners.items() if owner != status.st_uid)
    if strange:
        told.append(
            Failed(
                f"not the service's: {', '.join(strange)} in {path}",
                f"chown -R --reference={path} {path}",
            )
        )
    return tuple(told) or (Passed(f"{path} is the service's alone ({mode_of(status)})"),)


def _may_write(identity: Identity, status: os.stat_result) -> bool:
    is_mapped = status.st_uid == _NOBODY and identity.user in _DYNAMIC_USERS
    return is_mapped or identity.may_write(status)


def at_work(path: Path) -> Findings:
    """Does a service run on this directory?"""
    lock = read_lock(path)
    if lock is None:
        return ()  # that the directory cannot be looked into is told already
    if lock.is_held:
        return (Passed(f"a service is at work on {path}"),)
    return (Skipped(f"no service is at work on {path}"),)


def database(directory: Path) -> Findings:
    """Is the database sound, and of this release?"""
    path = directory / DATABASE
    lock = read_lock(directory)
    try:
        if not path.exists():
            return (Skipped("there is no database yet: the first start begins it"),)
        facts = inspect_database(
            path, is_open=lock is not None and lock.is_held, seconds=FOR_LOOKING
        )
    except PermissionError:
        return (Skipped(f"{path} cannot be read", "give this command as root"),)
    except (NotLookedAtError, OSError) as error:
        return (Skipped(f"{path} was not looked at: {error}", "stop the service, and try again"),)
    return (judge_database(path, facts), *_set_aside(path))


def judge_database(path: Path, facts: DatabaseFacts) -> Finding:
    """Judge what was seen of the database."""
    told = f"{path} ({size(facts.size)})"
    if facts.newer is not None:
        return Failed(
            f"{told} was made by a newer release ({facts.newer})",
            "install that one again, or begin a new database: lambda-matrix reset --local-only",
        )
    if facts.damage is not None:
        return Failed(
            f"{told} is damaged: {facts.damage}",
            "restart the service: it sets it aside, and takes what it needs from the homeserver",
            Exit.DATABASE_DAMAGED,
        )
    if not facts.checked:
        return Skipped(f"{told} is too large to be checked in {FOR_LOOKING:.0f} s")
    if facts.pending:
        return Passed(f"{told} is sound; {facts.pending} changes to its tables await the start")
    return Passed(f"{told} is sound, its tables are of this release")


def _set_aside(path: Path) -> Findings:
    aside = all_set_aside(path)
    if not aside:
        return ()
    names = ", ".join(each.name for each in aside)
    return (
        Warned(
            f"damaged databases lie beside it: {names}",
            "look for a failing disk; remove them when nobody needs them any more",
        ),
    )
