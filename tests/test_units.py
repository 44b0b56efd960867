"""What stands in systemd/ is what systemd takes, and what the program reads."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import NOTHING, fields, fields_dict

from lambda_matrix.agent.registry import AgentEntry, load_registry
from lambda_matrix.config import load_settings
from lambda_matrix.config.loading import _SECTIONS, keys
from lambda_matrix.config.settings import PARSE
from lambda_matrix.exits import Exit
from lambda_matrix.reference.model_settings import ModelSettings, read_settings
from tests.lab.lacking import lacking

SYSTEMD = Path(__file__).parents[1] / "systemd"
SERVICES = sorted(path.name for path in SYSTEMD.glob("*.service"))
LARGEST_EXPOSURE = "12"
"""Tenths, of what `systemd-analyze security` counts."""


def analyze(*arguments: str) -> str:
    """Run systemd-analyze, which must find nothing amiss; return what it said."""
    program = shutil.which("systemd-analyze")
    if program is None:
        lacking("no systemd-analyze on this machine")
    done = subprocess.run(
        [program, "--no-pager", *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def settings_of(unit: str) -> list[tuple[str, str]]:
    """Return the lines of a unit that set something, in order."""
    text = (SYSTEMD / unit).read_text(encoding="utf-8")
    return re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE)


def test_the_units_are_ones_that_systemd_takes(tmp_path: Path) -> None:
    units = [*SERVICES, "lambda-matrix-stack.target"]
    for unit in units:
        text = (SYSTEMD / unit).read_text(encoding="utf-8")
        # The program need not be installed for its unit to be read.
        text = re.sub(r"^(Exec\w+)=/usr/lib/.*$", r"\1=/bin/true", text, flags=re.MULTILINE)
        (tmp_path / unit).write_text(text)
    paths = [str(tmp_path / unit) for unit in units]
    assert analyze("verify", "--man=no", "--recursive-errors=yes", *paths) == ""


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_may_do_little(service: str) -> None:
    threshold = f"--threshold={LARGEST_EXPOSURE}"
    analyze("security", "--offline=true", threshold, str(SYSTEMD / service))


def test_the_agent_is_confined_as_the_service_is() -> None:
    """What only one of them says is about its name, its folders, its secrets or its size."""
    service, agent = (
        set(settings_of("lambda-matrix.service")),
        set(settings_of("lambda-agent.service")),
    )
    own = {
        "After", "Requires", "Description", "Environment", "ExecReload", "ExecStart",
        "ExecStartPre", "StateDirectory", "CacheDirectory", "RuntimeDirectory",
        "RuntimeDirectoryMode", "WorkingDirectory", "ReadWritePaths", "NoExecPaths", "ExecPaths",
        "LoadCredential", "SetCredential", "MemoryMax", "RestartPreventExitStatus",
        "SyslogIdentifier", "TimeoutAbortSec", "TimeoutStartSec", "TimeoutStopSec", "WatchdogSec",
    }  # fmt: skip
    assert {key for key, _ in service ^ agent} <= own


@pytest.mark.parametrize("service", ["lambda-matrix", "lambda-agent"])
def test_nothing_that_a_service_may_write_to_can_be_run_but_what_the_program_unpacks(
    service: str,
) -> None:
    """`NoExecPaths=/` alone does not reach what is mounted below it, such as /tmp."""
    settings = dict(settings_of(f"{service}.service"))
    refused = {path.lstrip("-") for path in settings["NoExecPaths"].split()}
    own = {f"%S/{settings['StateDirectory']}"}
    if "RuntimeDirectory" in settings:
        own.add(f"%t/{settings['RuntimeDirectory']}")
    assert refused == {"/", "/tmp", "/var/tmp", "/dev/shm", "/agents"} | own  # noqa: S108 - named to be refused
    assert settings["ExecPaths"].split()[-1] == f"%C/{service}"
    stricter = dict(settings_of(f"{service}.service.d/pre-expanded.conf"))
    assert settings["ExecPaths"].split()[:-1] == stricter["ExecPaths"].split()
    assert stricter["CacheDirectory"] == ""
    for command in ("ExecStart", "ExecReload"):
        assert stricter.get(command, "").split()[1:] == settings.get(command, "").split()[1:]


def test_no_restart_follows_an_end_that_it_cannot_mend() -> None:
    said = dict(settings_of("lambda-matrix.service"))["RestartPreventExitStatus"]
    mends_nothing = {Exit.SESSION_DEAD, Exit.ANOTHER_INSTANCE, Exit.CONFIGURATION}
    assert {int(status) for status in said.split()} == mends_nothing


def test_what_the_units_name_is_what_is_installed() -> None:
    """The folders of tmpfiles.d are those that the units hand over and may write to."""
    made = (SYSTEMD / "tmpfiles.d/lambda-matrix.conf").read_text(encoding="utf-8")
    folders = dict(re.findall(r"^d (\S+) (\d{4}) ", made, re.MULTILINE))
    agent, service = (dict(settings_of(f"lambda-{name}.service")) for name in ("agent", "matrix"))
    assert folders[agent["ReadWritePaths"]] == "2770"
    assert service["ReadWritePaths"].lstrip("-") in folders
    assert folders[service["LoadCredential"].partition(":")[2]] == "0700"
    group = service["SupplementaryGroups"]
    assert f"root {group}" in made
    sysusers = (SYSTEMD / "sysusers.d/lambda-matrix.conf").read_text(encoding="utf-8")
    assert f"g {group} " in sysusers


# -- the example files --


def test_the_example_files_are_usable(tmp_path: Path) -> None:
    for name in ("config", "agents", "model"):
        shutil.copy(SYSTEMD / f"{name}.example.toml", tmp_path / f"{name}.toml")
    (tmp_path / "password").write_text("hunter2\n")
    credentials = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    settings = load_settings(tmp_path / "config.toml", credentials)
    assert settings.agents.registry == Path("/etc/lambda-matrix/agents.toml")
    main = load_registry(tmp_path / "agents.toml", credentials).agents
    assert [entry.base_url for entry in main.values()] == ["ws://127.0.0.1:8000"]
    assert read_settings(tmp_path / "model.toml") is None


def shown(file: str) -> dict[str, object]:
    """Return the example with each of its keys set, also those that are commented out."""
    text = (SYSTEMD / file).read_text(encoding="utf-8")
    return tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))


def commented_out(file: str) -> set[str]:
    return set(
        re.findall(r"^# (\w+) = ", (SYSTEMD / file).read_text(encoding="utf-8"), re.MULTILINE)
    )


@pytest.mark.parametrize("section", _SECTIONS)
def test_every_setting_is_explained_with_its_default(section: str) -> None:
    table = shown("config.example.toml")[section]
    assert isinstance(table, dict)
    assert set(table) == {key.name for key in keys(_SECTIONS[section])}
    for key in keys(_SECTIONS[section]):
        if key.name in commented_out("config.example.toml"):
            assert key.default is not NOTHING, key.name
            parse: Callable[[object], object] = key.metadata[PARSE]
            assert key.default in (None, parse(table[key.name])), key.name


def test_every_key_of_an_agent_is_explained_with_its_default() -> None:
    table = shown("agents.example.toml")["agent"]
    assert isinstance(table, dict)
    main = table["main"]
    known = set(fields_dict(AgentEntry)) - {"id", "token"} | {"token_file"}
    assert set(main) == known
    plain = AgentEntry(id=main["name"], name=main["name"], base_url=main["base_url"])
    for key in commented_out("agents.example.toml") - {"token_file"}:
        assert getattr(plain, key) in (None, main[key]), key


def test_every_key_of_a_model_is_explained_with_its_default() -> None:
    text = shown("model.example.toml")
    assert set(text) == {key.name for key in fields(ModelSettings)}
    plain = ModelSettings(base_url="", model="")
    for key in set(text) - {"base_url", "model", "parameters"}:
        assert getattr(plain, key) in (None, text[key]), key
