"""A homeserver of one run's own, so that it can be killed and started again on the same data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import define

from lambda_matrix.demo.homeserver import (
    Homeserver,
    HomeserverSettings,
    Limits,
    prepare_homeserver,
    wait_homeserver,
)
from lambda_matrix.demo.processes import Child, Program, start


@define
class OwnHomeserver:
    """A Synapse; made by `open_own_homeserver`."""

    homeserver: Homeserver
    _program: Program
    _child: Child

    async def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        self._child.kill()
        await self._child.wait()

    async def stop(self) -> None:
        """SIGTERM, and wait until it is gone."""
        await self._child.stop()

    async def start(self) -> None:
        """Start it again, at the same address, and wait until it is ready."""
        self._child = start(self._program)
        await wait_homeserver(self._child, self.homeserver)


@asynccontextmanager
async def open_own_homeserver(python: Path, directory: Path) -> AsyncIterator[OwnHomeserver]:
    """A Synapse without limits, by the interpreter `python`; its data are in `directory`."""
    settings = HomeserverSettings(
        python=python,
        directory=directory,
        limits=Limits.UNLIMITED,
        sync_cache=False,
        directories=False,
    )
    homeserver, program = await prepare_homeserver(settings)
    own = OwnHomeserver(homeserver, program, start(program))
    try:
        await wait_homeserver(own._child, homeserver)
        yield own
    finally:
        await own.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
