from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_matrix.whole_file import replacing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "file"


@pytest.mark.parametrize("mask", [0o000, 0o077])
def test_a_file_has_its_mode_whatever_the_umask(file: Path, mask: int) -> None:
    kept = os.umask(mask)
    try:
        with replacing(file, 0o644) as opened:
            opened.write(b"all")
    finally:
        os.umask(kept)

    assert file.read_bytes() == b"all"
    assert file.stat().st_mode & 0o7777 == 0o644


def test_until_it_is_whole_the_older_one_is_there_and_the_newer_one_private(file: Path) -> None:
    file.write_bytes(b"older")

    with replacing(file, 0o644) as opened:
        opened.write(b"newer")
        opened.flush()
        (other,) = set(file.parent.iterdir()) - {file}
        assert other.stat().st_mode & 0o7777 == 0o600
        assert file.read_bytes() == b"older"

    assert file.read_bytes() == b"newer"


def test_a_writer_that_fails_leaves_what_was_there_and_nothing_else(file: Path) -> None:
    file.write_bytes(b"older")

    def write_half() -> None:
        with replacing(file, 0o600) as opened:
            opened.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_half()

    assert file.read_bytes() == b"older"
    assert list(file.parent.iterdir()) == [file]


def test_what_a_killed_writer_left_is_in_nobodys_way(file: Path) -> None:
    file.with_name(".file.new").write_bytes(b"half")

    with replacing(file, 0o600) as opened:
        opened.write(b"all")

    assert file.read_bytes() == b"all"
    assert list(file.parent.iterdir()) == [file]


def test_a_link_under_the_unfinished_name_leads_nowhere(file: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"theirs")
    file.with_name(".file.new").symlink_to(elsewhere)

    with replacing(file, 0o600) as opened:
        opened.write(b"ours")

    assert elsewhere.read_bytes() == b"theirs"
    assert file.read_bytes() == b"ours"
