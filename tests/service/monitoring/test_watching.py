"""Where the service listens for those who watch."""

from __future__ import annotations

import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from lambda_matrix.config.settings import ServiceSection
from lambda_matrix.config.values import ListenAddress, ListenPath
from lambda_matrix.service.monitoring.asking import ask
from lambda_matrix.service.monitoring.listening import STATUS_SOCKET, ListenError
from lambda_matrix.service.monitoring.watching import AGAIN_AFTER, keep_watchable
from tests.service.monitoring.seen import Service


@asynccontextmanager
async def watchable(service: Service, state: Path, **wanted: object) -> AsyncIterator[None]:
    section = ServiceSection(**wanted)  # type: ignore[arg-type]  # as the test wants it
    async with trio.open_nursery() as nursery:
        await nursery.start(keep_watchable, service.watched, state, section)
        await wait_all_tasks_blocked()
        yield
        nursery.cancel_scope.cancel()


async def free_port() -> int:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port: int = listener.socket.getsockname()[1]
    await listener.aclose()
    return port


async def get(port: int, path: str, host: str) -> str:
    async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(
            f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        )
        return b"".join([bytes(piece) async for piece in stream]).decode()


async def test_the_own_socket_is_there_from_the_beginning_and_ours_alone(
    service: Service, tmp_path: Path
) -> None:
    async with watchable(service, tmp_path / "state"):
        socket = tmp_path / "state" / STATUS_SOCKET
        assert (await ask(socket, "/readyz")).text == "starting\n"
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700


async def test_a_port_is_answered_on(service: Service, tmp_path: Path) -> None:
    port = await free_port()
    async with watchable(service, tmp_path, listen=ListenAddress("127.0.0.1", port)):
        assert (await get(port, "/healthz", f"127.0.0.1:{port}")).endswith("\r\n\r\nok\n")
        assert (await get(port, "/healthz", "rebound.example")).startswith("HTTP/1.1 421 ")


async def test_a_port_in_use_is_a_wrong_setting(service: Service, tmp_path: Path) -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    with pytest.RaisesGroup(
        pytest.RaisesExc(ListenError, match="Address already in use"), flatten_subgroups=True
    ):
        async with watchable(service, tmp_path, listen=ListenAddress("127.0.0.1", port)):
            pass
    await listener.aclose()


async def test_an_address_for_others_is_warned_about(
    service: Service, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    port = await free_port()
    async with watchable(service, tmp_path, listen=ListenAddress("0.0.0.0", port)):  # noqa: S104 - the point of it
        assert "0.0.0.0 is reached from other machines" in caplog.text


async def test_a_unix_socket_has_the_mode_that_is_wanted(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "public.sock"
    async with watchable(service, tmp_path, listen=ListenPath(path), listen_mode=0o666):
        assert (await ask(path, "/readyz")).status == 503
        assert stat.S_IMODE(path.stat().st_mode) == 0o666


async def test_a_folder_that_is_not_there_is_a_wrong_setting(
    service: Service, tmp_path: Path
) -> None:
    path = tmp_path / "nowhere" / "s"
    with pytest.RaisesGroup(
        pytest.RaisesExc(ListenError, match=r"\[service\] listen: .* No such file or directory"),
        flatten_subgroups=True,
    ):
        async with watchable(service, tmp_path, listen=ListenPath(path)):
            pass


async def test_an_own_socket_that_cannot_be_made_is_made_later(
    service: Service, tmp_path: Path, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    state = tmp_path / "state"
    state.write_text("in the way")
    async with watchable(service, state):
        await trio.sleep(AGAIN_AFTER * 1.5)
        assert caplog.text.count("lambda-matrix status cannot be answered yet") == 1
        state.unlink()
        await trio.sleep(AGAIN_AFTER)
        assert (await ask(state / STATUS_SOCKET, "/readyz")).status == 503
        assert caplog.text.count("cannot be answered yet") == 1
