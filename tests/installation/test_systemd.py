from __future__ import annotations

from pathlib import Path

import pytest

from lambda_matrix.installation.programs import Programs
from lambda_matrix.installation.refusals import InstallationError
from lambda_matrix.installation.systemd import systemd_of
from tests.installation.machine import Machine


def test_only_the_machine_itself_has_its_systemd_asked(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    assert not systemd_of(machine.placing()).is_asked
    silent = machine.systemd(is_asked=False)
    silent.take_up()
    silent.end()
    silent.let_go()
    silent.drop_group()
    assert silent.active_services() == []
    assert machine.asked == []


def test_a_program_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    programs = Programs(Machine(tmp_path).placing(), str(tmp_path))
    with pytest.raises(InstallationError, match=r"^systemctl is not on this machine"):
        programs.ask("systemctl", "daemon-reload")
