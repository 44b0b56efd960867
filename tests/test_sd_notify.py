import socket
from pathlib import Path

import pytest

from lambda_matrix.sd_notify import READY, STOPPING, monotonic_now, notify, status


@pytest.mark.parametrize("abstract", [False, True], ids=["path", "abstract"])
def test_lines_reach_the_manager_in_one_datagram(tmp_path: Path, *, abstract: bool) -> None:
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name if abstract else name)
        manager.settimeout(5)
        environ = {"NOTIFY_SOCKET": "@" + name if abstract else name}
        assert notify(READY, status("all\n is well"), environ=environ)
        assert manager.recv(1000) == b"READY=1\nSTATUS=all is well"
        assert notify(STOPPING, status("gone"), environ=environ)
        assert manager.recv(1000) == b"STOPPING=1\nSTATUS=gone"


@pytest.mark.parametrize("address", [None, "", "vsock:2:1", "/no/such/socket"])
def test_nobody_listening_is_no_error(address: str | None) -> None:
    environ = {} if address is None else {"NOTIFY_SOCKET": address}
    assert not notify(READY, environ=environ)


def test_a_reload_says_when_it_began() -> None:
    assert int(monotonic_now().removeprefix("MONOTONIC_USEC=")) > 0
