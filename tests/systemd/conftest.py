"""Hosts with a real systemd, a homeserver beside them, and people who talk with the bot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import trio
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has none

from lambda_matrix.demo.homeserver import Homeserver, free_port
from lambda_matrix.demo.person import open_person
from tests.lab.chatting import Talk, fresh_account, meet
from tests.lab.lacking import lacking
from tests.systemd.installed import Installed, install
from tests.systemd.machine import Machine, booted_machine
from tests.systemd.releases import Release
from tests.systemd.requirements import PEX, missing
from tests.systemd.site import Site

TEST_WITHIN = 300
"""Seconds that a test may take."""


class SideBySide(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Each release is one worker's, so that it has one host: for `pytest -n 2`."""

    def _split_scope(self, nodeid: str) -> str:
        releases = (release.value for release in Release if f"[{release.value}" in nodeid)
        return next(releases, nodeid)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A version unpacks itself several times in a test: on a busy machine that takes its time."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(TEST_WITHIN))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> SideBySide:
    return SideBySide(config, log)


@pytest.fixture(scope="session", params=Release, ids=lambda release: release.value)
def release(request: pytest.FixtureRequest) -> Release:
    """Each test runs on each release; side by side where there are several workers."""
    if reason := missing():
        lacking(reason)
    wanted: Release = request.param
    return wanted


@pytest.fixture(scope="session")
def machine(release: Release) -> Iterator[Machine]:
    """One host for all tests of a release."""
    with booted_machine(release) as booted:
        yield booted


@pytest.fixture(scope="session")
def _installed(machine: Machine) -> Installed:
    return trio.run(install, machine, PEX)


@pytest.fixture
async def installed(_installed: Installed) -> AsyncIterator[Installed]:
    """The service, stopped and without state; ended after the test."""
    await _installed.as_new()
    yield _installed
    await _installed.unit.stop()


@pytest.fixture
async def site(installed: Installed, synapse: Homeserver) -> AsyncIterator[Site]:
    """The service set up for a new bot, not yet started, and its homeserver, open."""
    bot = await fresh_account(synapse, "bot")
    async with trio.open_nursery() as nursery:
        opened = Site(installed, synapse, bot, free_port(), nursery)
        await opened.open()
        installed.settle(opened.url, bot)
        yield opened
        await installed.unit.stop()
        nursery.cancel_scope.cancel()


@pytest.fixture
async def talk(site: Site) -> AsyncIterator[Talk]:
    """A person in the first chat of the running service."""
    await site.unit.start()
    account = await fresh_account(site.homeserver, "anna")
    async with open_person(site.homeserver.url, account) as person:
        yield await meet(person, site.bot.user_id)
