from __future__ import annotations

import socket
from pathlib import Path

import pytest

from lambda_matrix.client_server_api.backoff import HomeserverAway, HomeserverBack
from lambda_matrix.disk import DiskObeys, DiskRefuses
from lambda_matrix.status_line import StatusLine


def test_what_is_waited_for_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = StatusLine()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        def said() -> str:
            return manager.recv(4096).decode()

        line.enter("ready")
        assert said() == "STATUS=ready"
        line.homeserver(HomeserverAway("refused"))
        assert said() == "STATUS=waiting for the homeserver: refused"
        line.disk(DiskRefuses("full"))
        assert said() == "STATUS=waiting for the disk: full"
        line.homeserver(HomeserverBack(3))
        assert said() == "STATUS=waiting for the disk: full"
        line.remark("a damaged database was set aside")
        assert said() == "STATUS=waiting for the disk: full; a damaged database was set aside"
        line.disk(DiskObeys(3))
        assert said() == "STATUS=ready; a damaged database was set aside"
