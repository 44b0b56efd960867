"""The whole stack on one machine: the service and its bundled agent, two users with one folder."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from lambda_matrix.demo.person import open_person
from tests.lab.chatting import fresh_account, meet
from tests.systemd.installed import AGENT_TOKEN, REHEARSAL
from tests.systemd.site import Site
from tests.systemd.unit import Unit

STACK = "lambda-matrix-stack.target"


@pytest.fixture
async def agent(site: Site) -> AsyncIterator[Unit]:
    """The bundled agent's unit, in the place of the agent that the other tests talk to."""
    machine = site.machine
    await machine.run("systemctl", "stop", REHEARSAL)
    machine.path(AGENT_TOKEN).unlink()
    yield Unit(machine, "lambda-agent.service")
    await machine.run("systemctl", "stop", STACK, "lambda-agent.service")
    await site.installed.start_agent()


async def test_files_go_both_ways_between_two_users(site: Site, agent: Unit) -> None:
    await site.machine.run("systemctl", "start", STACK)
    await site.unit.until_active()
    assert (await agent.state()).active == "active"
    assert await user_of(site.unit) != await user_of(agent)
    account = await fresh_account(site.homeserver, "anna")
    async with open_person(site.homeserver.url, account) as person:
        talk = await meet(person, site.bot.user_id)
        await person.send_file(talk.chat, "notes.txt", b"seven swans", "text/plain")
        told = await talk.ask("What did I send?")
        assert "notes.txt" in told.text
        assert (await talk.ask("file text")).is_final
        given = await person.wait_for(
            talk.chat,
            lambda view: next((one for one in view.said_by(talk.bot) if one.address), None),
            what="the agent's file",
        )
        assert given.address is not None
        assert await person.download(given.address) != b""


async def user_of(unit: Unit) -> str:
    """The user that a unit's process runs as."""
    pid = (await unit.state()).main_pid
    return (await unit.machine.run("stat", "--format=%u", f"/proc/{pid}")).strip()
