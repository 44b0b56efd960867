"""What the units take from the service, looked at on a running one from inside its sandbox."""

from __future__ import annotations

import re

import pytest

from tests.lab.chatting import Talk
from tests.systemd.installed import Installed
from tests.systemd.machine import Machine
from tests.systemd.site import Site

UNITS = ("lambda-matrix.service", "lambda-agent.service", "lambda-agent-token.service")
MOST_EXPOSED = 1.2
STATE = "/var/lib/private/lambda-matrix"
CACHE = "/var/cache/private/lambda-matrix"
RUNTIME = "/run/lambda-matrix"
NO_CODE = (STATE, RUNTIME, "/agents/main", "/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  the sandbox's own
MAY_WRITE = (*NO_CODE, CACHE, "/agents", "/dev/mqueue", "/run/lock")
"""All folders that the service may write to; the temporary ones are everybody's or its own."""
MAY_RUN = ("/usr/", CACHE)
NOT_TO_BE_RUN = 126
"""What a shell says of a program that there is, and that it may not run."""


@pytest.mark.parametrize("unit", UNITS)
async def test_systemd_finds_nothing_to_say_of_the_unit(installed: Installed, unit: str) -> None:
    verified = await installed.machine.attempt("systemd-analyze", "--man=no", "verify", unit)
    assert (verified.status, verified.output, verified.errors) == (0, "", "")


@pytest.mark.parametrize("unit", UNITS)
async def test_its_exposure_is_small(installed: Installed, unit: str) -> None:
    told = await installed.machine.run("systemd-analyze", "security", "--no-pager", unit)
    exposure = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert exposure is not None
    assert float(exposure[1]) <= MOST_EXPOSED


async def test_what_it_can_do_from_inside(talk: Talk, site: Site) -> None:
    """One look at one running service: its powers, its files, its network."""
    pid = (await site.unit.state()).main_pid
    status = await site.machine.run("cat", f"/proc/{pid}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(facts[kind], 16) == 0, kind
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"  # a filter
    uid = facts["Uid"].split()[0]
    assert uid != "0"

    find = ("find", "/", *PRUNED, "-writable", "(", "-type", "f", "-o", "-type", "d", ")", "-print")
    writable = (await as_the_service(site.machine, pid, *find)).splitlines()
    assert STATE in writable
    assert [path for path in writable if not path.startswith(MAY_WRITE)] == []

    for folder in NO_CODE:
        copied = f"cp /usr/bin/true {folder}/true && {folder}/true; echo $?; rm -f {folder}/true"
        tried = await as_the_service(site.machine, pid, "sh", "-c", copied)
        assert tried.split() == [str(NOT_TO_BE_RUN)], folder

    maps = await site.machine.run("cat", f"/proc/{pid}/maps")
    code = {line.split(maxsplit=5)[5] for line in maps.splitlines() if " r-xp " in line[:30]}
    assert all(path.startswith(MAY_RUN) for path in code if path.startswith("/"))

    assert (await talk.ask("Was it locked up?")).is_final


PRUNED = ("(", "-path", "/proc", "-o", "-path", "/sys", ")", "-prune", "-o")


async def as_the_service(machine: Machine, pid: int, *command: str) -> str:
    """Run a program with the files, the user and the groups that the service has."""
    status = await machine.run("cat", f"/proc/{pid}/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines())
    uid, gid = facts["Uid"].split()[0], facts["Gid"].split()[0]
    groups = ",".join(facts["Groups"].split())
    become = ("setpriv", f"--reuid={uid}", f"--regid={gid}", f"--groups={groups}", "--")
    ended = await machine.attempt(
        "nsenter", f"--target={pid}", "--mount", "--root", "--", *become, *command
    )
    return ended.output
