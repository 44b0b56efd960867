from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from lambda_matrix.installation.placing import Placing
from lambda_matrix.installation.refusals import InstallationError
from tests.installation.machine import Machine

TARGET = PurePosixPath("/usr/lib/some/file")
KEPT = PurePosixPath("/usr/lib/some/file.previous")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source"
    file.write_text("new")
    return file


@pytest.fixture
def _private_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_private_umask")
def test_a_file_has_its_mode_whatever_the_umask(machine: Machine, source: Path) -> None:
    machine.placing().put(source, TARGET, 0o755)
    place = machine.at(TARGET)
    assert place.read_text() == "new"
    assert place.stat().st_mode & 0o777 == 0o755
    assert place.parent.stat().st_mode & 0o777 == 0o755
    assert list(place.parent.iterdir()) == [place]
    assert machine.told == ["new       /usr/lib/some/file"]


def test_the_same_once_more_changes_nothing_but_its_mode(machine: Machine, source: Path) -> None:
    machine.placing().put(source, TARGET)
    place = machine.at(TARGET)
    inode = place.stat().st_ino
    place.chmod(0o600)
    machine.placing().put(source, TARGET)
    assert place.stat().st_ino == inode
    assert place.stat().st_mode & 0o777 == 0o644
    assert len(machine.told) == 1


def test_who_has_the_older_file_open_keeps_it_and_it_is_kept_by_name(
    machine: Machine, source: Path
) -> None:
    place = machine.at(TARGET)
    place.parent.mkdir(parents=True)
    place.write_text("old")
    with place.open() as opened:
        machine.placing().put(source, TARGET, keep_as=KEPT)
        assert opened.read() == "old"
    assert place.read_text() == "new"
    assert machine.at(KEPT).read_text() == "old"
    assert machine.told == ["changed   /usr/lib/some/file", "kept as   /usr/lib/some/file.previous"]


def test_the_kept_one_can_be_what_is_put_back(machine: Machine, source: Path) -> None:
    machine.placing().put(source, KEPT)
    place = machine.at(TARGET)
    place.write_text("newest")
    machine.placing().put(machine.at(KEPT), TARGET, keep_as=KEPT)
    assert place.read_text() == "new"
    assert machine.at(KEPT).read_text() == "newest"


def test_a_link_is_relative_and_changed_at_once(machine: Machine) -> None:
    link = PurePosixPath("/usr/bin/some")
    for leads_to in (KEPT, TARGET, TARGET):
        machine.placing().link(link, leads_to)
    assert str(machine.at(link).readlink()) == "../lib/some/file"
    assert machine.told == ["new       /usr/bin/some", "changed   /usr/bin/some"]


def test_a_file_of_somebody_else_is_not_replaced_by_a_link(machine: Machine) -> None:
    machine.at("/some").write_text("theirs")
    with pytest.raises(InstallationError, match="/some is there and no link of ours"):
        machine.placing().link(PurePosixPath("/some"), TARGET)
    assert machine.at("/some").read_text() == "theirs"


def test_files_links_and_folders_are_removed_and_what_they_lead_to_is_not(
    machine: Machine, source: Path
) -> None:
    placing = machine.placing()
    placing.put(source, TARGET)
    machine.at("/folder/in").mkdir(parents=True)
    machine.at("/link").symlink_to(machine.at("/usr"))
    for path in ("/folder", "/link", "/none"):
        placing.remove(PurePosixPath(path))
    assert machine.at(TARGET).exists()
    placing.remove_if_empty(TARGET.parent)
    assert machine.at(TARGET).exists()
    placing.remove(TARGET)
    placing.remove_if_empty(TARGET.parent)
    machine.at("/elsewhere").symlink_to(machine.root)
    placing.remove_if_empty(PurePosixPath("/elsewhere"))  # as /agents may be
    machine.at("/elsewhere").unlink()
    assert list(machine.root.iterdir()) == [machine.at("/usr")]
    assert not machine.at(TARGET.parent).exists()
    assert machine.told[1:] == [f"removed   {path}" for path in ("/folder", "/link", TARGET)]


def test_a_dry_run_tells_the_same_and_does_nothing(machine: Machine, source: Path) -> None:
    def do(placing: Placing) -> None:
        placing.put(source, TARGET, keep_as=KEPT)
        placing.put_text("text", KEPT)
        placing.link(PurePosixPath("/link"), TARGET)
        placing.remove(PurePosixPath("/usr/old"))
        placing.remove_if_empty(PurePosixPath("/usr"))

    machine.at("/usr").mkdir()
    machine.at("/usr/old").write_text("old")
    do(machine.placing(dry_run=True))
    assert machine.files() == {"/usr/old": b"old"}
    told = machine.told.copy()
    machine.told.clear()
    do(machine.placing())
    assert machine.told == told


def test_a_disk_that_refuses_is_one_sentence_and_leaves_nothing(
    machine: Machine, source: Path
) -> None:
    machine.at("/usr").write_text("no folder")
    with pytest.raises(InstallationError, match=r"^/usr/lib/some/file: "):
        machine.placing().put(source, TARGET)
    machine.at("/usr").unlink()
    machine.at(TARGET).mkdir(parents=True)  # what cannot be replaced by a file
    with pytest.raises(InstallationError, match=r"^/usr/lib/some/file: Is a directory"):
        machine.placing().put(source, TARGET)
    assert list(machine.at(TARGET.parent).iterdir()) == [machine.at(TARGET)]


def test_what_a_killed_installation_left_half_done_goes(machine: Machine, source: Path) -> None:
    half = machine.at(TARGET.parent) / ".file.new"
    for act in (Placing.remove, lambda placing, target: placing.put(source, target)):
        half.parent.mkdir(parents=True, exist_ok=True)
        half.write_text("hal")
        act(machine.placing(dry_run=True), TARGET)
        assert half.read_text() == "hal"
        act(machine.placing(), TARGET)
        assert not half.exists()


def test_two_installations_at_once_are_one_too_many(machine: Machine) -> None:
    folder = TARGET.parent
    with machine.placing(dry_run=True).alone(folder):
        assert not machine.at(folder).exists()
    with (
        machine.placing().alone(folder),
        pytest.raises(InstallationError, match="Another installation is at work"),
        machine.placing().alone(folder),
    ):
        pytest.fail("it began")
    with machine.placing().alone(folder):
        machine.placing().remove_if_empty(folder)
    assert not machine.at(folder).exists()
