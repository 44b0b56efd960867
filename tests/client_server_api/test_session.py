"""The file that keeps a session: for its owner alone, whole or not at all."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from lambda_matrix.client_server_api.session import (
    SessionFileUnusable,
    read_session,
    write_session,
)
from tests.client_server_api.conftest import ME, SESSION


@pytest.fixture
def session_file(tmp_path: Path) -> Path:
    return tmp_path / "session.json"


def test_a_session_file_round_trip(session_file: Path) -> None:
    assert read_session(session_file) is None
    session_file.with_name(".session.json.new").write_text("left by a crash")

    write_session(session_file, SESSION)

    assert read_session(session_file) == SESSION
    assert stat.S_IMODE(session_file.stat().st_mode) == 0o600
    assert [path.name for path in session_file.parent.iterdir()] == ["session.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        json.dumps({"user_id": ME, "device_id": "D"}),
        json.dumps({"user_id": ME, "device_id": "D", "access_token": "a b"}),
    ],
)
def test_a_spoilt_session_file_is_no_session(session_file: Path, content: str) -> None:
    session_file.write_text(content)

    assert read_session(session_file) is None


def test_an_unusable_session_file_is_named(session_file: Path) -> None:
    session_file.mkdir()

    with pytest.raises(SessionFileUnusable, match=r"session\.json cannot be read"):
        read_session(session_file)
    with pytest.raises(SessionFileUnusable, match=r"session\.json cannot be written"):
        write_session(session_file, SESSION)
    with pytest.raises(SessionFileUnusable):
        write_session(session_file / "no" / "session.json", SESSION)
