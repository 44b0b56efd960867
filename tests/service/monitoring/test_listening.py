"""Ports and Unix sockets, and asking on the latter."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.service.monitoring.asking import WITHIN, NoAnswerError, Said, ask
from lambda_matrix.service.monitoring.listening import (
    ListenError,
    is_reached_from_outside,
    listen_on_path,
    listen_on_port,
)
from lambda_matrix.service.monitoring.serving import Answer, Asked, Server, plain


async def echo(asked: Asked) -> Answer:
    return plain(503, f"{asked.path} of {asked.host}")


@asynccontextmanager
async def answering(path: Path, mode: int = 0o600) -> AsyncIterator[None]:
    async with trio.open_nursery() as nursery:
        await nursery.start(Server(echo).run, [listen_on_path(path, mode)])
        yield
        nursery.cancel_scope.cancel()


async def test_a_socket_answers(tmp_path: Path) -> None:
    async with answering(tmp_path / "s"):
        assert await ask(tmp_path / "s", "/status") == Said(
            503, "/status of localhost\n", os.getpid()
        )


async def test_a_long_path_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 50)
    folder.mkdir()
    async with answering(folder / "status.sock"):
        assert (await ask(folder / "status.sock", "/")).status == 503


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
@pytest.mark.parametrize("umask", [0o000, 0o077])
async def test_the_mode_is_as_it_is_wanted(tmp_path: Path, mode: int, umask: int) -> None:
    before = os.umask(umask)
    try:
        async with answering(tmp_path / "s", mode):
            assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == mode
            assert os.umask(umask) == umask, "as it was before"
    finally:
        os.umask(before)


async def test_one_that_was_left_behind_is_replaced(tmp_path: Path) -> None:
    async with answering(tmp_path / "s"):
        pass
    assert (tmp_path / "s").is_socket()
    with pytest.raises(ConnectionRefusedError):
        await ask(tmp_path / "s", "/")
    async with answering(tmp_path / "s"):
        assert (await ask(tmp_path / "s", "/")).status == 503


async def test_one_that_is_in_use_is_left_alone(tmp_path: Path) -> None:
    async with answering(tmp_path / "s"):
        with pytest.raises(ListenError, match="another program listens on"):
            listen_on_path(tmp_path / "s", 0o600)
        assert (await ask(tmp_path / "s", "/")).status == 503


async def test_one_whose_program_hangs_is_not_waited_for(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with ExitStack() as line, socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(path)
        hanging.listen(0)
        has_room = True
        while has_room:
            asking = line.enter_context(socket.socket(socket.AF_UNIX))
            asking.settimeout(0)
            has_room = asking.connect_ex(path) == 0
        with pytest.raises(ListenError, match="another program listens on"):
            listen_on_path(tmp_path / "s", 0o600)


async def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious")
    with pytest.raises(ListenError, match=r"\[service\] listen: .* is no socket"):
        listen_on_path(tmp_path / "s", 0o600)
    assert (tmp_path / "s").read_text() == "precious"


async def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        listen_on_path(tmp_path / "nowhere" / "s", 0o600)
    with pytest.raises(FileNotFoundError):
        await ask(tmp_path / "nowhere" / "s", "/")


async def test_a_name_that_is_too_long() -> None:
    with pytest.raises(OSError, match="too long"):
        listen_on_path(Path("/tmp") / ("n" * 120), 0o600)  # noqa: S108 - nothing is made there


async def test_a_port(tmp_path: Path) -> None:
    (listener,) = await listen_on_port("127.0.0.1", 0)
    host, port = listener.socket.getsockname()
    assert host == "127.0.0.1"
    assert not is_reached_from_outside([listener])
    with pytest.raises(
        ListenError, match=rf"\[service\] listen: 127.0.0.1:{port} .*: Address already in use"
    ):
        await listen_on_port("127.0.0.1", port)
    await listener.aclose()


async def test_an_address_that_is_not_this_machines() -> None:
    with pytest.raises(ListenError, match=r"\[service\] listen: 192\.0\.2\.1:9 cannot"):
        await listen_on_port("192.0.2.1", 9)


async def test_all_addresses_are_reached_from_outside() -> None:
    listeners = await listen_on_port("0.0.0.0", 0)  # noqa: S104 - for a moment
    assert is_reached_from_outside(listeners)
    for listener in listeners:
        await listener.aclose()


async def saying(path: Path, data: bytes | None, nursery: trio.Nursery) -> None:
    """Listen at `path`, and answer whoever asks with `data` (None: never)."""

    async def say(stream: trio.SocketStream) -> None:
        if data is None:
            await trio.sleep_forever()
        else:
            await stream.send_all(data)
            await stream.aclose()

    await nursery.start(trio.serve_listeners, say, [listen_on_path(path, 0o600)])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000,
    ],
    ids=["nothing", "no HTTP", "half an answer", "a book"],
)
async def test_what_is_no_answer(tmp_path: Path, data: bytes) -> None:
    async with trio.open_nursery() as nursery:
        await saying(tmp_path / "s", data, nursery)
        with pytest.raises(NoAnswerError):
            await ask(tmp_path / "s", "/")
        nursery.cancel_scope.cancel()


async def test_no_answer_is_not_waited_for_for_ever(
    tmp_path: Path, autojump_clock: MockClock
) -> None:
    async with trio.open_nursery() as nursery:
        await saying(tmp_path / "s", None, nursery)
        with pytest.raises(NoAnswerError, match=f"within {WITHIN:g} s"):
            await ask(tmp_path / "s", "/")
        nursery.cancel_scope.cancel()


async def test_a_socket_that_nobody_accepts_on(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "s"))
        with pytest.raises(ConnectionRefusedError):
            await ask(tmp_path / "s", "/")
