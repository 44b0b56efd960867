from __future__ import annotations

import os
from pathlib import Path

import pytest

from lambda_matrix.installation import layout, pre_expanded
from tests.installation.machine import Machine

_PEX = """#!/bin/sh
# {version}
test "$PEX_TOOLS $1 $2" = "1 venv --compile" || exit 9
mkdir -p "$3/bin" && touch "$PEX_ROOT/used" "$3/code" && ln -s {python} "$3/bin/python"
"""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path)
    (tmp_path / "python").write_text("")
    return machine


def expand(machine: Machine, version: str, *, dry_run: bool = False) -> Path:
    """Unpack a version; return what is in force then."""
    place = machine.at(layout.PEX)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(_PEX.format(version=version, python=machine.folder / "python"))
    place.chmod(0o755)
    pre_expanded.expand(machine.programs(dry_run=dry_run), place)
    return machine.at(layout.VENV).resolve()


def venvs(machine: Machine) -> set[Path]:
    return set(machine.at(layout.VENVS).iterdir())


def test_each_version_has_a_folder_and_the_one_before_is_kept(machine: Machine) -> None:
    first = expand(machine, "1")
    second = expand(machine, "2")
    assert venvs(machine) == {first, second}
    third = expand(machine, "3")
    assert venvs(machine) == {second, third}
    assert pre_expanded.is_in_force(machine.placing())


def test_the_same_version_is_not_unpacked_again_unless_its_python_is_gone(
    machine: Machine,
) -> None:
    first = expand(machine, "1")
    machine.told.clear()
    assert expand(machine, "1") == first
    assert machine.told == []
    (machine.folder / "python").unlink()
    expand(machine, "1")
    assert any(told.startswith("run") for told in machine.told)


def test_the_service_can_read_it_whatever_the_umask(machine: Machine) -> None:
    before = os.umask(0o077)
    try:
        folder = expand(machine, "1")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (folder, folder / "bin", folder / "code")}
    assert modes == {0o755, 0o644}


def test_what_was_not_unpacked_to_its_end_is_begun_again(machine: Machine) -> None:
    (machine.at(layout.VENVS) / "half").mkdir(parents=True)
    whole = expand(machine, "1")
    assert venvs(machine) == {whole}


def test_it_can_be_given_up_without_a_fault_of_what_runs(machine: Machine) -> None:
    running = expand(machine, "1")
    pre_expanded.give_up(machine.placing())
    assert not pre_expanded.is_in_force(machine.placing())
    assert running.exists()
    pre_expanded.give_up(machine.placing())
    assert not machine.at(layout.VENVS).exists()


def test_a_dry_run_unpacks_nothing(machine: Machine) -> None:
    expand(machine, "1", dry_run=True)
    assert not machine.at(layout.VENVS).exists()
