"""The hosts themselves: what must be true of them for the other tests to mean something."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

from tests.systemd.keeper import CGROUPS
from tests.systemd.machine import HOSTS, ROOT, Machine
from tests.systemd.releases import Release


async def test_systemd_is_what_the_release_has_and_all_is_well(machine: Machine) -> None:
    version = (await machine.run("systemctl", "--version")).split()[1]
    assert version == {Release.DEBIAN_12: "252", Release.DEBIAN_13: "257"}[machine.release]
    failed = await machine.run("systemctl", "--failed", "--no-legend")
    assert failed == ""


async def test_there_is_no_way_to_anywhere_but_this_machine(machine: Machine) -> None:
    routes = (await machine.run("cat", "/proc/net/route")).splitlines()[1:]
    assert [route.split()[2] for route in routes] == ["00000000"]  # one, without a gateway


def test_a_host_whose_keeper_was_killed_is_removed_by_the_next(release: Release) -> None:
    killed = _start(release)
    name = _name(killed)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert (HOSTS / "machines" / name).exists()
    following = _start(release)
    assert _name(following) != name
    following.communicate()
    assert not (HOSTS / "machines" / name).exists()
    assert not any(found.name == name for found in CGROUPS.rglob(name))


def _start(release: Release) -> subprocess.Popen[bytes]:
    unshare = ["unshare", "--mount", "--propagation", "private", "--", sys.executable]
    return subprocess.Popen(
        [*unshare, "-m", "tests.systemd.keeper", release.value, str(HOSTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )


def _name(keeper: subprocess.Popen[bytes]) -> str:
    assert keeper.stdout is not None
    told = json.loads(keeper.stdout.readline())
    return str(told["name"])
