from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lambda_matrix.installation import layout
from lambda_matrix.installation.install import install, put_in_place, read_manifest
from lambda_matrix.installation.refusals import InstallationError, NotLikeThisError
from tests.installation.machine import FILES, Machine, pex


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return pex(tmp_path / "lambda-matrix.pex")


def test_all_that_the_manifest_names_is_there_and_nothing_else(
    machine: Machine, file: Path
) -> None:
    put_in_place(machine.systemd(), file, FILES)
    there = machine.files()
    named = {str(path) for path in read_manifest(machine.placing())}
    settings = {str(piece.target) for piece in layout.SETTINGS}
    assert set(there) - named == settings
    absent = {layout.PREVIOUS_PEX, layout.VENV, layout.VENVS}
    assert named - set(there) == {str(path) for path in absent}
    assert there[str(layout.PEX)] == file.read_bytes()
    assert os.access(machine.at(layout.PEX), os.X_OK)
    assert machine.at(layout.COMMAND).resolve() == machine.at(layout.PEX)
    unit = machine.at("/usr/lib/systemd/system/lambda-matrix.service")
    assert unit.read_bytes() == (FILES / "lambda-matrix.service").read_bytes()
    assert "What is left to do" in machine.told[-1]


def test_whatever_travels_is_put_somewhere() -> None:
    shipped = {str(path.relative_to(FILES)) for path in FILES.rglob("*") if path.is_file()}
    pieces = (*layout.PIECES, *layout.DROP_INS, *layout.SETTINGS)
    assert {piece.source for piece in pieces} == shipped


def test_once_more_changes_nothing_and_leaves_settings_alone(machine: Machine, file: Path) -> None:
    put_in_place(machine.systemd(), file, FILES)
    machine.at("/etc/lambda-matrix/config.toml").write_text("# mine")
    before = machine.files()
    machine.told.clear()
    put_in_place(machine.systemd(), machine.at(layout.PEX), FILES)
    assert machine.files() == before
    assert machine.told[:3] == [
        f"left      /etc/lambda-matrix/{name}.toml (yours)"
        for name in ("config", "agents", "model")
    ]
    assert len(machine.told) == 4


def test_an_upgrade_keeps_the_version_before_and_going_back_is_the_same(
    machine: Machine, file: Path, tmp_path: Path
) -> None:
    newer = pex(tmp_path / "newer.pex", "2")
    put_in_place(machine.systemd(), file, FILES)
    put_in_place(machine.systemd(), newer, FILES)
    assert machine.at(layout.PEX).read_bytes() == newer.read_bytes()
    assert machine.at(layout.PREVIOUS_PEX).read_bytes() == file.read_bytes()
    put_in_place(machine.systemd(), machine.at(layout.PREVIOUS_PEX), FILES)
    assert machine.at(layout.PEX).read_bytes() == file.read_bytes()
    assert machine.at(layout.PREVIOUS_PEX).read_bytes() == newer.read_bytes()


def test_an_upgrade_removes_what_there_is_no_more(machine: Machine, file: Path) -> None:
    put_in_place(machine.systemd(), file, FILES)
    gone = machine.at("/usr/lib/systemd/system/lambda-old.service")
    gone.write_text("[Unit]")
    manifest = machine.at(layout.MANIFEST)
    manifest.write_text(manifest.read_text() + "/usr/lib/systemd/system/lambda-old.service\n")
    put_in_place(machine.systemd(), file, FILES)
    assert not gone.exists()
    assert "lambda-old" not in manifest.read_text()


def test_what_is_broken_off_can_be_removed(machine: Machine, file: Path) -> None:
    machine.at("/usr/share").mkdir(parents=True)
    machine.at("/usr/share/lambda-matrix").write_text("in the way")
    with pytest.raises(InstallationError, match=r"/usr/share/lambda-matrix/config.example.toml"):
        put_in_place(machine.systemd(), file, FILES)
    assert layout.PEX in read_manifest(machine.placing())


def test_a_unit_of_the_operators_own_is_told_of(machine: Machine, file: Path) -> None:
    own = machine.at("/etc/systemd/system/lambda-matrix.service")
    own.parent.mkdir(parents=True)
    own.write_text("[Unit]")
    put_in_place(machine.systemd(), file, FILES)
    told = "beware    /etc/systemd/system/lambda-matrix.service is yours, and is used instead"
    assert f"{told}; remove it for this one" in machine.told


def test_systemd_takes_it_up_and_what_runs_is_to_be_restarted(machine: Machine, file: Path) -> None:
    put_in_place(machine.systemd(is_asked=True, refused="nothing"), file, FILES)
    assert machine.asked[:3] == [
        f"systemd-sysusers {layout.SYSUSERS}",
        f"systemd-tmpfiles --create {layout.TMPFILES}",
        "systemctl daemon-reload",
    ]
    assert machine.told[-1] == (
        "To have it run: systemctl restart lambda-matrix.service lambda-agent.service"
    )


def test_where_nothing_runs_an_upgrade_says_how_to_start(machine: Machine, file: Path) -> None:
    for _ in range(2):
        put_in_place(machine.systemd(is_asked=True, refused="is-active*"), file, FILES)
    assert machine.told[-1].startswith("To have it run: systemctl restart lambda-matrix.service")


def test_a_program_that_fails_is_one_sentence(machine: Machine, file: Path) -> None:
    with pytest.raises(InstallationError, match=r"^systemctl daemon-reload failed: it will not$"):
        put_in_place(machine.systemd(is_asked=True, refused="daemon-reload"), file, FILES)


def test_a_dry_run_changes_nothing(machine: Machine, file: Path) -> None:
    put_in_place(machine.systemd(is_asked=True, dry_run=True), file, FILES)
    assert machine.files() == {}
    assert not any("daemon-reload" in asked for asked in machine.asked)
    assert machine.told[-1] == "Nothing was changed (--dry-run)."


def test_a_package_cannot_be_unpacked_beforehand(machine: Machine, file: Path) -> None:
    with pytest.raises(NotLikeThisError, match="not below a --root"):
        put_in_place(machine.systemd(), file, FILES, pre_expand=True)
    assert machine.files() == {}


# -- the command --


def test_it_is_run_from_the_one_file(tmp_path: Path) -> None:
    (tmp_path / "no.pex").write_text("no zip")
    for pex_of in ("", str(tmp_path / "no.pex"), str(tmp_path / "none.pex")):
        done = CliRunner().invoke(install, ["--root", str(tmp_path)], env={"PEX": pex_of})
        assert done.exit_code == 2
        assert done.output == (
            "Error: What is installed is the file lambda-matrix.pex: run the command from it "
            "(python3 lambda-matrix.pex install).\n"
        )


@pytest.fixture
def _nobody() -> Iterator[None]:
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


@pytest.mark.usefixtures("_nobody")
def test_the_machine_is_roots_to_change() -> None:
    done = CliRunner().invoke(install, [])
    assert done.exit_code == 2
    assert "run it as root" in done.output
