from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from lambda_matrix.installation import layout
from lambda_matrix.installation.install import put_in_place, read_manifest
from lambda_matrix.installation.uninstall import take_away, uninstall
from tests.installation.machine import FILES, Machine, pex


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A machine with the service installed, its state, and files of somebody else."""
    machine = Machine(tmp_path)
    theirs = machine.at("/usr/lib/systemd/system/theirs.service")
    theirs.parent.mkdir(parents=True)
    theirs.write_text("[Unit]")
    put_in_place(machine.systemd(), pex(tmp_path / "lambda-matrix.pex"), FILES)
    for folder in (
        "/var/cache/private/lambda-matrix/pex",
        "/var/lib/private/lambda-matrix",
        "/agents/main/chats",
        "/agents/other",
    ):
        machine.at(folder).mkdir(parents=True)
        (machine.at(folder) / "kept").write_text("state")
    machine.at("/var/lib/lambda-matrix").symlink_to("private/lambda-matrix")
    machine.told.clear()
    return machine


def run(machine: Machine, *options: str, said: str = "") -> tuple[int, str]:
    arguments = ["--root", str(machine.root), *options]
    done = CliRunner().invoke(uninstall, arguments, input=said)
    return done.exit_code, done.output


def test_what_was_installed_goes_and_nothing_else(machine: Machine) -> None:
    assert run(machine)[0] == 0
    assert set(machine.files()) == {
        "/usr/lib/systemd/system/theirs.service",
        *(str(piece.target) for piece in layout.SETTINGS),
        "/var/lib/lambda-matrix",
        "/var/lib/private/lambda-matrix/kept",
        "/agents/main/chats/kept",
        "/agents/other/kept",
    }
    assert not machine.at("/usr/lib/lambda-matrix").exists()
    the_system_s = machine.at("/usr/share/man")
    assert list(machine.at("/usr/share").rglob("*")) == [the_system_s]


def test_a_purge_takes_what_was_left_behind_too(machine: Machine) -> None:
    status, output = run(machine, "--purge", said="y\n")
    assert status == 0
    assert "These go for good" in output
    assert "  /var/lib/private/lambda-matrix\n" in output
    assert set(machine.files()) == {
        "/usr/lib/systemd/system/theirs.service",
        "/agents/other/kept",
    }


def test_a_purge_that_is_not_agreed_to_changes_nothing(machine: Machine) -> None:
    before = machine.files()
    for said in ("n\n", "\n", ""):
        status, output = run(machine, "--purge", said=said)
        assert status == 130
        assert output.endswith("Error: Nothing was changed.\n")
    assert machine.files() == before


def test_a_purge_can_be_agreed_to_beforehand_and_come_later(machine: Machine) -> None:
    assert run(machine)[0] == 0
    status, output = run(machine, "--purge", "--yes")
    assert status == 0
    assert "Remove them?" not in output
    assert "/agents/other/kept" in machine.files()
    assert not machine.at(layout.CONFIGURATION).exists()


def test_a_dry_run_removes_nothing(machine: Machine) -> None:
    before = machine.files()
    status, output = run(machine, "--purge", "--dry-run")
    assert status == 0
    assert f"removed   {layout.PEX}\n" in output
    assert machine.files() == before


def test_where_nothing_is_installed_it_says_so(tmp_path: Path) -> None:
    done = CliRunner().invoke(uninstall, ["--root", str(tmp_path)])
    assert done.exit_code == 2
    assert "Nothing is installed here" in done.output


def test_the_units_are_stopped_first_and_forgotten_last(machine: Machine) -> None:
    systemd = machine.systemd(is_asked=True, refused="cat*agent*|is-failed*stack*|is-failed*agent*")
    take_away(systemd, read_manifest(machine.placing()), [])
    systemd.drop_group()
    orders = [told for told in machine.told if told.startswith(("run", "removed"))]
    assert orders[0] == (
        "run       systemctl disable --quiet --now lambda-matrix-stack.target lambda-matrix.service"
    )
    assert orders[-3:] == [
        "run       systemctl daemon-reload",
        "run       systemctl reset-failed lambda-matrix.service",
        "run       groupdel lambda-agents",
    ]
