"""Where those who watch are listened for: a TCP port, and Unix sockets.

A Unix socket's address has 107 bytes at most (unix(7)), and a state directory may have a longer
name. So it is bound and connected to through its folder's descriptor, /proc/self/fd/N/name.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import trio

from lambda_matrix.config import ConfigError

BACKLOG: Final = 64


STATUS_SOCKET: Final = "status.sock"
"""In the state directory; for `lambda-matrix status`."""
_SETTING: Final = "[service] listen:"


class ListenError(ConfigError):
    """What is to be listened on cannot be; the message names the setting."""


async def listen_on_port(host: str, port: int) -> list[trio.SocketListener]:
    """Listen on all addresses that the host name has.

    Raises:
        ListenError: the port is taken, or the address is not this machine's.
    """
    try:
        return await trio.open_tcp_listeners(port, host=host, backlog=BACKLOG)
    except OSError as error:
        raise ListenError(
            f"{_SETTING} {host}:{port} cannot be listened on: {error.strerror or error}; give "
            'another port, an address of this machine, or "" for none'
        ) from error


def is_reached_from_outside(listeners: list[trio.SocketListener]) -> bool:
    """Return whether one of the addresses is other than loopback's."""
    addresses = [listener.socket.getsockname()[0] for listener in listeners]
    return not all(ipaddress.ip_address(address).is_loopback for address in addresses)


def listen_on_path(path: Path, mode: int) -> trio.SocketListener:
    """Listen on a Unix socket with this mode; one that nobody listens on any more is replaced.

    It is not removed at the end, since by then another process may have replaced it.

    Raises:
        ListenError: somebody does listen there, or something else than a socket is there.
        OSError: it cannot be made.
    """
    with _address_of(path) as address:
        _clear_away(path, address)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Whatever the umask: nobody may connect before the mode is what it is to be.
            before = os.umask(0o177)
            try:
                listening.bind(address)
            finally:
                os.umask(before)
            os.chmod(address, mode)  # noqa: PTH101 - the address is of the system's, not a name
            listening.listen(BACKLOG)
        except BaseException:
            listening.close()
            raise
    return trio.SocketListener(trio.socket.from_stdlib_socket(listening))


async def connect_to_path(path: Path) -> trio.SocketStream:
    """Connect to a Unix socket.

    Raises:
        OSError: nobody listens there, or it is not for us.
    """
    connecting = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _address_of(path) as address:
            await connecting.connect(address)
    except BaseException:
        connecting.close()
        raise
    return trio.SocketStream(connecting)


def _clear_away(path: Path, address: str) -> None:
    """Remove a socket that an earlier process left.

    Raises:
        ListenError: it is no such thing.
    """
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(kind):
        raise ListenError(
            f"{_SETTING} {path} is there already, and is no socket; give another path"
        )
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
        asking.settimeout(0)  # one that hangs has a full line, and nobody is to wait in it
        try:
            asking.connect(address)
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass
    raise ListenError(f"{_SETTING} another program listens on {path}; give another path")


@contextmanager
def _address_of(path: Path) -> Iterator[str]:
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
