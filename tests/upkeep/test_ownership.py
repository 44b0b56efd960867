"""What root leaves in the state directory, the service can open."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_matrix.upkeep.ownership import give_to_owner

SERVICE = 61_234
"""A user that nobody is."""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("owner", [0, SERVICE])
def test_files_of_root_go_to_the_owner_of_the_directory(tmp_path: Path, owner: int) -> None:
    state = tmp_path / "state"
    (state / "others").mkdir(parents=True)
    (state / "session.json").touch()
    (state / "link").symlink_to(tmp_path / "elsewhere")
    os.chown(state, owner, owner)
    os.chown(state / "others", 4321, 4321)
    give_to_owner(state)
    assert (state / "session.json").stat().st_uid == owner
    assert (state / "link").lstat().st_uid == owner
    assert (state / "others").stat().st_uid == 4321


def test_no_directory(tmp_path: Path) -> None:
    give_to_owner(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
