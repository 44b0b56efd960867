"""`lambda-matrix reload`: word of what became of it."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from lambda_matrix.cli import main
from lambda_matrix.exits import CommandError
from lambda_matrix.service.monitoring.listening import STATUS_SOCKET, listen_on_path
from lambda_matrix.service.monitoring.serving import Answer, Asked, Server, plain
from lambda_matrix.upkeep import reload as reload_module
from lambda_matrix.upkeep.reload import _hang_up
from tests.service.monitoring.seen import Service
from tests.upkeep.commands import telling


@asynccontextmanager
async def reloading(state: Path, *, refused: str | None = None) -> AsyncIterator[Service]:
    """A service that reloads, or refuses to, when it is sent SIGHUP."""

    async def obey(service: Service, signals: AsyncIterator[int]) -> None:
        async for _ in signals:
            service.watched.metrics.reload_begun()
            service.watched.metrics.reloaded(refused=refused)

    async with telling(state) as service, trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            nursery.start_soon(obey, service, signals)
            yield service
            nursery.cancel_scope.cancel()


async def reload(state: Path, *, main_pid: int | None = None) -> Result:
    """Give the command by hand, or as systemd does, which names the service's process."""
    environment = {"MAINPID": None if main_pid is None else str(main_pid)}
    arguments = ["reload", "--config", str(state.parent / "config.toml")]
    run = partial(CliRunner().invoke, main, arguments, env=environment)
    return await trio.to_thread.run_sync(run)


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


async def test_for_systemd_it_says_nothing_that_the_service_logs_itself(state: Path) -> None:
    async with reloading(state):
        ended = await reload(state, main_pid=os.getpid())
        assert (ended.exit_code, ended.output) == (0, "")
    async with reloading(state, refused="config.toml: no TOML"):
        ended = await reload(state, main_pid=os.getpid())
        assert (ended.exit_code, ended.output) == (78, "")


async def test_for_systemd_the_service_is_told_even_if_it_cannot_be_found(state: Path) -> None:
    config = state.parent / "config.toml"
    config.write_text("no = TOML =")
    async with reloading(state, refused="no TOML") as service:
        ended = await reload(state, main_pid=os.getpid())
        with trio.fail_after(5):
            while not service.watched.metrics.last_reload.number:
                await trio.lowlevel.checkpoint()
        assert (ended.exit_code, ended.output) == (78, "")
        ended = await reload(state)
        assert ended.exit_code == 78
        assert "is not TOML" in ended.stderr
        assert service.watched.metrics.reloads_begun == 1


async def test_a_reload_that_was_at_work_already_is_another_one(state: Path) -> None:
    """It may have read the files as they were before."""
    async with telling(state) as service, trio.open_nursery() as nursery:
        metrics = service.watched.metrics
        metrics.reload_begun()

        async def obey(signals: AsyncIterator[int]) -> None:
            await anext(signals)
            metrics.reloaded(refused="as the files were before")
            await trio.sleep(0.3)  # the command asks twice and more
            metrics.reload_begun()
            metrics.reloaded()

        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            nursery.start_soon(obey, signals)
            assert (await reload(state)).exit_code == 0
    assert metrics.last_reload.number == 2


async def test_a_service_of_another_release_is_not_signalled(state: Path) -> None:
    async def tell_less(_: Asked) -> Answer:
        return plain(200, '{"phase": "ready"}')

    async with trio.open_nursery() as nursery:
        await nursery.start(Server(tell_less).run, [listen_on_path(state / STATUS_SOCKET, 0o600)])
        ended = await reload(state)
        nursery.cancel_scope.cancel()
    assert ended.exit_code == 4
    assert "another release" in ended.stderr


def test_a_process_of_another_container_is_nobody_here() -> None:
    with pytest.raises(CommandError, match="in a container of its own"):
        _hang_up(0)


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
    assert "within 0.3 s that the settings are in force (it is: waiting for the h" in ended.stderr
