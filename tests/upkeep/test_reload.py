"""`lambda-matrix reload`: word of what became of it."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from lambda_matrix.cli import main
from lambda_matrix.upkeep import reload as reload_module
from tests.service.monitoring.seen import Service
from tests.upkeep.commands import telling


@asynccontextmanager
async def reloading(state: Path, *, refused: str | None = None) -> AsyncIterator[Service]:
    """A service that reloads, or refuses to, when it is sent SIGHUP."""

    async def obey(service: Service, signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            service.watched.metrics.reloaded(refused=refused)

    async with telling(state) as service, trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            nursery.start_soon(obey, service, signals)
            yield service
            nursery.cancel_scope.cancel()


async def reload(state: Path) -> Result:
    arguments = ["reload", "--config", str(state.parent / "config.toml")]
    return await trio.to_thread.run_sync(CliRunner().invoke, main, arguments)


async def test_good_settings_are_in_force_when_it_returns(state: Path) -> None:
    async with reloading(state) as service:
        service.be_ready()
        before = service.watched.metrics.last_reload
        ended = await reload(state)
        assert service.watched.metrics.last_reload.at > before.at
    assert (ended.exit_code, ended.output) == (0, "The settings are in force.\n")


async def test_wrong_settings_are_told(state: Path) -> None:
    async with reloading(state, refused="config.toml: [service] langage is no setting\x1b"):
        ended = await reload(state)
    assert ended.exit_code == 78
    assert ended.stderr.startswith(
        "Error: Not reloaded, the old settings stay in force: config.toml: [service] langage is "
    )
    assert "\x1b" not in ended.stderr


async def test_a_service_that_does_not_run(state: Path) -> None:
    ended = await reload(state)
    assert ended.exit_code == 3
    assert ended.stderr.startswith("Error: The service does not run, or has only just")


async def test_a_service_that_serves_no_rooms_reads_them_later(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reload_module, "WITHIN", 0.3)
    async with telling(state) as service:
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            service.line.enter("waiting for the homeserver")
            ended = await reload(state)
            await anext(signals)
    assert ended.exit_code == 4
    assert "(waiting for the homeserver); it will as soon as it serves rooms" in ended.stderr
