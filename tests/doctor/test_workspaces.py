from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_matrix.doctor import workspaces
from lambda_matrix.doctor.unit import Identity, Unit
from tests.agent.servers import entry_at
from tests.doctor.telling import told

MOUNTS = """\
22 1 8:1 / / rw - ext4 /dev/sda1 rw
30 22 8:2 / /agents rw,relatime shared:1 - vfat /dev/sdb1 rw
31 22 8:3 / /with\\040space rw - xfs /dev/sdc1 rw
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "main"
    path.mkdir()
    path.chmod(0o2770)
    return path


def look(path: Path, unit: Unit | None = None, identity: Identity | None = None) -> str:
    entry = entry_at("ws://127.0.0.1:9", workspace=path)
    return told(workspaces.workspaces((entry,), unit, identity))


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/agents/main", "vfat"), ("/agentsx", "ext4"), ("/with space/a", "xfs"), ("/", "ext4")],
)
def test_what_a_path_is_on(path: str, kind: str) -> None:
    assert workspaces.file_system_of(Path(path), MOUNTS) == kind


def test_a_folder_as_it_should_be(folder: Path) -> None:
    assert look(folder).startswith(f"Passed: agent main: workspace {folder} (2770, group ")


def test_agents_without_one() -> None:
    none = entry_at("ws://127.0.0.1:9")
    within = entry_at("ws://127.0.0.1:9", inline_files=True)
    assert told(workspaces.workspaces((none, within), None, None)) == (
        "Skipped: agent main: no workspace, so no files go to it or come from it | "
        "Passed: agent main: files go within messages, no workspace is needed"
    )
    assert told(workspaces.workspaces((), None, None)) == "Skipped: no agents are known"


def test_what_is_not_there_or_no_folder(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert look(tmp_path / "nowhere").endswith("nowhere: No such file or directory")
    assert look(tmp_path / "file").endswith("file: is no folder")


def test_modes(folder: Path) -> None:
    folder.chmod(0o777)
    said = look(folder)
    assert f"Warned: agent main: new files in {folder} are not given to its group (0777)" in said
    assert f"Warned: agent main: {folder} is open to everybody (0777)" in said


def test_whom_the_permissions_let_in(folder: Path) -> None:
    status = folder.stat()
    stranger, group = Identity(4711, frozenset({4711})), frozenset({status.st_gid})
    assert "Failed: agent main: the service may not write to" in look(folder, None, stranger)
    assert look(folder, None, Identity(4711, group)).startswith("Passed")
    assert look(folder, None, Identity(status.st_uid, frozenset())).startswith("Passed")
    assert look(folder, None, Identity(0, frozenset())).startswith("Passed")
    assert Identity(4711, frozenset()).may_write(Path("/tmp").stat())  # noqa: S108 - a folder that is everybody's
    assert look(folder, None, Identity(None, group)).startswith("Passed")
    assert "Failed" in look(folder, None, Identity(None, frozenset({4711})))


def test_whether_the_unit_lets_the_service_through(folder: Path) -> None:
    strict = {"LoadState": "loaded", "ProtectSystem": "strict"}
    assert f"ReadWritePaths={folder}" in str(
        workspaces.workspaces((entry_at("ws://x", workspace=folder),), Unit(strict), None)
    )
    through = strict | {"ReadWritePaths": f"-/var/lib/x {folder.parent}"}
    assert look(folder, Unit(through)).startswith("Passed")
    assert look(folder, Unit({**strict, "ProtectSystem": "full"})).startswith("Passed")
    assert look(folder, Unit({"LoadState": "not-found"})).startswith("Passed")


def test_file_systems_that_will_not_do(folder: Path) -> None:
    status = os.stat_result(folder.stat())
    facts = workspaces.FolderFacts(folder, status, "vfat", ("chats",))
    assert told(tuple(workspaces.judge("agent main", facts, None, None))) == (
        f"Failed: agent main: {folder} is on vfat, which has no hard links | "
        f"Failed: agent main: chats in {folder} is on another file system"
    )
