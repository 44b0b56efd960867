"""A newer version is installed and the older one again, with a question in flight; uninstalled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.lab.chatting import Talk
from tests.systemd.installed import PASSWORD, PROGRAM, SERVICE, Installed, download, install
from tests.systemd.machine import Machine, booted_machine
from tests.systemd.newer import newer_version
from tests.systemd.releases import Release
from tests.systemd.requirements import PEX
from tests.systemd.site import Site

NEWER = "99.1.2"


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return newer_version(PEX, tmp_path_factory.mktemp("newer") / "newer.pex", NEWER)


@pytest.fixture
async def upgradable(installed: Installed) -> AsyncIterator[Installed]:
    """Whatever a test installs, the next one finds what was there before."""
    yield installed
    await installed.machine.run("python3", f"/root/{PEX.name}", "install", "--no-pre-expanded")


async def test_an_upgrade_and_the_way_back(
    upgradable: Installed, site: Site, talk: Talk, newer: Path
) -> None:
    before = await version(site.machine)
    assert NEWER not in before
    runs = await running(site)
    for command, after in (
        (("python3", download(site.machine, newer), "install"), NEWER),
        ((f"{PROGRAM}.previous", "install"), before),
    ):
        await site.machine.run(*command)
        question = await talk.say(f"slow 4 while it becomes {after}")
        await talk.growing(question)
        await site.unit.systemctl("restart")
        answer = await talk.answer(question)
        assert answer.doubled == ()
        assert after in answer.text
        assert after in await version(site.machine)
        runs, ran = await running(site), runs
        assert runs != ran
    assert (await talk.ask("Do you know this room?")).is_final


async def test_the_stricter_form_has_nothing_to_write_to_and_run(
    upgradable: Installed, site: Site, talk: Talk
) -> None:
    await site.machine.run("python3", f"/root/{PEX.name}", "install", "--pre-expanded")
    await site.unit.systemctl("restart")
    assert (await talk.ask("Still there?")).is_final
    pid = (await site.unit.state()).main_pid
    maps = await site.machine.run("cat", f"/proc/{pid}/maps")
    code = {line.split(maxsplit=5)[5] for line in maps.splitlines() if line.split()[1] == "r-xp"}
    assert [path for path in code if path.startswith("/") and not path.startswith("/usr/")] == []


@pytest.fixture
def bare(release: Release) -> Iterator[Machine]:
    """A host of the test's own, on which nothing has been installed."""
    with booted_machine(release) as machine:
        yield machine


async def test_uninstalled_it_leaves_nothing(bare: Machine) -> None:
    before = await everything(bare)
    installed = await install(bare, PEX)
    bare.write(PASSWORD, "of a homeserver that is not there")
    await installed.unit.systemctl("start", "--no-block")
    await installed.unit.until(lambda state: "waiting" in state.status_text, "word of the waiting")
    await bare.run("systemctl", "enable", SERVICE)
    await bare.run("systemctl", "stop", "rehearsal.service")
    assert await everything(bare) > before
    await bare.run("lambda-matrix", "uninstall", "--purge", "--yes")
    left = await everything(bare) - before
    assert left == set()
    units = await bare.attempt("systemctl", "list-unit-files", "lambda-*", "--no-legend")
    assert units.output == ""


async def everything(machine: Machine) -> set[str]:
    """Every file and folder of the host, without what systemd keeps of its own accord."""
    find = ("find", "/", "-xdev", *OWN_ACCORD, "-print")
    return set((await machine.run(*find)).splitlines())


OWN_ACCORD = (
    *("(", "-path", "/var/log/journal", "-o", "-path", "/var/lib/systemd", "-o"),
    *("-path", "/root", "-o", "-path", "/etc/hosts", ")", "-prune", "-o"),
)


async def version(machine: Machine) -> str:
    """The version that the command is of."""
    return (await machine.run("lambda-matrix", "--version")).split()[2]


async def running(site: Site) -> str:
    """Which of the programs that have been unpacked the service runs from."""
    pid = (await site.unit.state()).main_pid
    return await site.machine.run("cat", f"/proc/{pid}/cmdline")
