"""The product's own programs as processes: the bundled agent and the service.

Started the way an operator's systemd starts them: files, a state directory, READY=1.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import define, field, frozen

from lambda_matrix.demo.homeserver import free_port
from lambda_matrix.demo.private_files import write_secret
from lambda_matrix.demo.processes import Child, Program, start_notifying
from lambda_matrix.demo.settings_files import ServiceSettings, write_service_files

READY_WITHIN = 60.0
"""Seconds, for a machine that has much else to do."""
PRODUCT = (sys.executable, "-m", "lambda_matrix")
"""How the product is started that this code is of."""


@define
class Restartable:
    """A program that can be started, stopped, killed and started again; its log goes on."""

    program: Program
    child: Child | None = None

    async def start(self, within: float = READY_WITHIN) -> None:
        """Start it and wait for READY=1.

        Raises:
          ChildError: it ended, or was not ready in time.
        """
        self.child = await start_notifying(self.program, within)

    async def stop(self) -> int | None:
        """SIGTERM, and wait; returns the exit code, or None if it was not running."""
        child, self.child = self.child, None
        return None if child is None else await child.stop()

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        child, self.child = self.child, None
        if child is not None:
            child.kill()
            await child.wait()

    @property
    def log(self) -> str:
        """All that it has written so far."""
        return self.program.log.read_text(encoding="utf-8", errors="replace")


@frozen
class AgentPlace:
    """Where the bundled agent listens, and the token that it wants."""

    url: str
    token: str = field(repr=False)
    program: Restartable


@asynccontextmanager
async def open_agent(directory: Path, arguments: Sequence[str] = ()) -> AsyncIterator[AgentPlace]:
    """The bundled agent in rehearsal mode, on a free port of loopback, with memory on disk.

    Raises:
      ChildError: it did not get ready.
    """
    place = agent_place(directory, arguments)
    try:
        await place.program.start()
        yield place
    finally:
        await place.program.stop()  # noqa: ASYNC102 - it shields itself, with a timeout


def agent_place(
    directory: Path, arguments: Sequence[str] = (), product: Sequence[str] = PRODUCT
) -> AgentPlace:
    """Write the agent's token and say how it is started, on a port that is free now."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    token = secrets.token_urlsafe(16)
    token_file = write_secret(directory / "token", token)
    port = free_port()
    command = [*product, "agent", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--state", str(directory / "state"), "--token-file", str(token_file), *arguments]
    program = Restartable(Program("the agent", command, directory / "agent.log"))
    return AgentPlace(f"ws://127.0.0.1:{port}", token, program)


def service_program(settings: ServiceSettings, product: Sequence[str] = PRODUCT) -> Program:
    """Write the service's files and say how it is started."""
    config = write_service_files(settings)
    command = [*product, "run", "--config", str(config)]
    return Program("the service", command, settings.directory / "service.log")


@asynccontextmanager
async def open_service(settings: ServiceSettings) -> AsyncIterator[Restartable]:
    """The service, ready when the block begins, ended when it ends.

    Raises:
      ChildError: it did not get ready.
    """
    service = Restartable(service_program(settings))
    try:
        await service.start()
        yield service
    finally:
        await service.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
