"""Everything that the demo runs on: a homeserver, the bundled agent, the service, one person."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from attrs import frozen

from lambda_matrix.demo.homeserver import (
    Homeserver,
    HomeserverSettings,
    Limits,
    open_homeserver,
)
from lambda_matrix.demo.own_programs import open_agent, open_service
from lambda_matrix.demo.person import Person, open_person
from lambda_matrix.demo.processes import tail
from lambda_matrix.demo.settings_files import ServiceSettings
from lambda_matrix.demo.transcript import Transcript
from lambda_matrix.ids import UserId

_LOGS = {
    "the homeserver": "homeserver/homeserver.log",
    "the agent": "agent/agent.log",
    "the service": "service/service.log",
}


@frozen
class Stack:
    """The demo's programs, all of them ready, and the person who will talk."""

    homeserver: Homeserver
    person: Person
    bot: UserId


@asynccontextmanager
async def open_stack(python: Path, directory: Path, script: Transcript) -> AsyncIterator[Stack]:
    """Start all of it below `directory`; when the block ends, stop it in the opposite order.

    `python` is the interpreter of the environment that holds Synapse.

    Raises:
      ChildError: a program did not get ready.
      OSError: there is no such Python.
    """
    settings = HomeserverSettings(
        python=python, directory=directory / "homeserver", limits=Limits.UNLIMITED
    )
    script.chapter("Starting")
    async with AsyncExitStack() as opened:
        with script.step("the homeserver: Synapse, without rate limits so that nothing waits"):
            homeserver = await opened.enter_async_context(open_homeserver(settings))
            bot = await homeserver.register("lambda", secrets.token_urlsafe(12))
            anna = await homeserver.register("anna", secrets.token_urlsafe(6))
        with script.step("the agent: lambda-matrix agent, which rehearses without a model"):
            workspace = directory / "workspace"
            workspace.mkdir(mode=0o700)
            agent = await opened.enter_async_context(
                open_agent(directory / "agent", ["--workspace", str(workspace)])
            )
        with script.step("the service: lambda-matrix run"):
            service = ServiceSettings(
                directory=directory / "service",
                homeserver_url=homeserver.url,
                bot=bot,
                agent_url=agent.url,
                agent_token=agent.token,
                workspace=workspace,
                server_name=homeserver.server_name,
            )
            await opened.enter_async_context(open_service(service))
        person = await opened.enter_async_context(open_person(homeserver.url, anna))
        yield Stack(homeserver, person, bot.user_id)


def log_tails(directory: Path) -> Iterator[tuple[str, str]]:
    """The end of each program's log, with the program's name."""
    for name, place in _LOGS.items():
        yield name, tail(directory / place)
