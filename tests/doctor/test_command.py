"""The command as its operator gives it."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from lambda_matrix.cli import main
from lambda_matrix.doctor.command import _examine_all
from lambda_matrix.doctor.findings import Failed, outcome_of
from tests.doctor.telling import told
from tests.lab.proxy import Answer, open_proxy
from tests.lab.small_homeserver import PASSWORD, open_small_homeserver
from tests.upkeep.commands import write_settings


def doctor(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["doctor", "--config", str(config), *arguments])


def files_below(folder: Path) -> dict[str, tuple[bytes, float]]:
    below = (each for each in folder.rglob("*") if each.is_file())
    return {str(each): (each.read_bytes(), each.stat().st_mtime) for each in below}


def test_nobody_is_there_and_nothing_is_changed(config: Path) -> None:
    before = files_below(config.parent)
    ended = doctor(config)
    assert ended.exit_code == 69
    lines = ended.output.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")][:-1] == [
        "configuration",
        "files",
        "homeserver",
        "agents",
        "machine",
    ]
    assert lines[-1].startswith("2 faults, ")
    assert all("  -> " in line for line in lines if line.startswith(("  fault", "  warning")))
    assert files_below(config.parent) == before
    assert PASSWORD not in ended.output


def test_a_wrong_setting_hides_nothing_else(config: Path) -> None:
    config.write_text(config.read_text().replace("url =", "uri ="))
    ended = doctor(config, "--json")
    assert ended.exit_code == 78
    rows = json.loads(ended.output)
    assert {row["group"] for row in rows} == {
        "configuration",
        "files",
        "homeserver",
        "agents",
        "machine",
    }
    faults = [row["what"] for row in rows if row["outcome"] == "fault"]
    assert faults == [f"{config}: [homeserver] uri is no setting; did you mean url?"]


def test_no_configuration_at_all(tmp_path: Path) -> None:
    ended = doctor(tmp_path / "nowhere.toml")
    assert ended.exit_code == 78
    assert "nowhere.toml: No such file or directory  -> write it" in ended.output


async def test_all_that_is_well(tmp_path: Path) -> None:
    async with open_small_homeserver() as homeserver, open_proxy(homeserver.url) as proxy:
        proxy.spoil("/_synapse/", Answer(403, b'{"errcode":"M_FORBIDDEN","error":"no admin"}'))
        config = write_settings(tmp_path, proxy.url)
        workspace = tmp_path / "workspace"
        workspace.mkdir()
        workspace.chmod(0o2770)
        agents = config.parent / "agents.toml"
        agents.write_text(f'{agents.read_text()}workspace = "{workspace}"\n')
        _, examined = await _examine_all(config, {})
    faults = [
        (each.check, told((finding,)))
        for each in examined
        for finding in each.findings
        if isinstance(finding, Failed)
    ]
    assert faults == [
        ("agent main", "Failed: agent main: no connection to 127.0.0.1:9: Connection refused")
    ]
    outcomes = {(each.group, each.check): each.findings for each in examined}
    assert outcome_of(outcomes["homeserver", "login"][0]) == "ok"
    assert outcome_of(outcomes["files", "workspaces"][0]) == "ok"
    assert outcome_of(outcomes["machine", "disk of workspace of agent main:"][0]) != "fault"
