"""`lambda-matrix status`: the running service, and one that does not run."""

from __future__ import annotations

import json
import os
import socket
import tempfile
from pathlib import Path

import pytest
import trio
from click.testing import CliRunner, Result

from lambda_matrix.cli import main
from lambda_matrix.service.monitoring.listening import STATUS_SOCKET, listen_on_path
from lambda_matrix.service.monitoring.serving import Answer, Asked, Server, plain
from tests.service.monitoring.seen import ROOM
from tests.upkeep.commands import telling

NOBODY = 65_534


async def status(state: Path, *options: str) -> Result:
    arguments = ["status", "--config", str(state.parent / "config.toml"), *options]
    return await trio.to_thread.run_sync(CliRunner().invoke, main, arguments)


async def test_it_shows_the_running_service(state: Path) -> None:
    async with telling(state) as service:
        service.be_ready()
        service.warn("a fault with \x1b[31mcolours")
        shown = await status(state)
    assert shown.exit_code == 0, shown.output
    assert shown.output.startswith("lambda-matrix: ready since 20")
    assert ROOM in shown.output
    assert "\x1b" not in shown.output


async def test_programs_get_json(state: Path) -> None:
    async with telling(state) as service:
        service.be_ready()
        shown = await status(state, "--json")
    said = json.loads(shown.output)
    assert said["readiness"] == {"is_good": True, "why": "ready"}
    assert said["figures"]["people"] == 12
    assert said["runs"][0]["room"] == ROOM


@pytest.mark.parametrize("left", ["nothing", "a socket"])
async def test_a_service_that_does_not_run(state: Path, left: str) -> None:
    if left == "a socket":
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(state / STATUS_SOCKET))
    shown = await status(state)
    assert shown.exit_code == 3
    assert shown.stderr.startswith("Error: The service does not run, or has only just")


async def test_a_service_of_another_release_may_not_know_the_question(state: Path) -> None:
    async def know_nothing(_: Asked) -> Answer:
        return plain(404, "what?")

    async with trio.open_nursery() as nursery:
        await nursery.start(
            Server(know_nothing).run, [listen_on_path(state / STATUS_SOCKET, 0o600)]
        )
        shown = await status(state)
        nursery.cancel_scope.cancel()
    assert shown.exit_code == 4
    assert "does not answer (status 404)" in shown.stderr


async def test_a_service_that_does_not_answer_so(state: Path) -> None:
    async def hang_up(stream: trio.SocketStream) -> None:
        await stream.aclose()

    listening = trio.socket.socket(socket.AF_UNIX)
    await listening.bind(str(state / STATUS_SOCKET))
    listening.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, hang_up, [trio.SocketListener(listening)])
        shown = await status(state)
        nursery.cancel_scope.cancel()
    assert shown.exit_code == 4
    assert "does not answer" in shown.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
async def test_somebody_else_is_told_to_be_root() -> None:
    with tempfile.TemporaryDirectory() as place:  # pytest's own are closed to others altogether
        state = Path(place) / "state"
        (Path(place) / "config.toml").write_text(f'[state]\ndirectory = "{state}"\n')
        async with telling(state):
            os.chmod(place, 0o711)  # noqa: PTH101, S103 - as some are
            os.chmod(state, 0o711)  # noqa: PTH101, S103 - likewise
            os.seteuid(NOBODY)
            try:
                shown = await status(state)
            finally:
                os.seteuid(0)
    assert shown.exit_code == 4
    assert "run this as root" in shown.stderr


async def test_a_configuration_that_cannot_be_read(state: Path) -> None:
    (state.parent / "config.toml").write_text("[state]\n")
    shown = await status(state)
    assert shown.exit_code == 78
    assert "[state] directory is missing" in shown.stderr
