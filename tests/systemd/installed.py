"""The service installed on a host, as README.md tells an operator to do it."""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from lambda_matrix.demo.homeserver import Account
from tests.systemd.journal import Journal, journal_from_now
from tests.systemd.machine import ROOT, Machine
from tests.systemd.unit import Unit

SERVICE = "lambda-matrix.service"
PROGRAM = "/usr/lib/lambda-matrix/lambda-matrix.pex"
CONFIG = "/etc/lambda-matrix/config.toml"
AGENTS = "/etc/lambda-matrix/agents.toml"
PASSWORD = "/etc/lambda-matrix/password"
AGENT_TOKEN = "/etc/lambda-matrix/agent-main.token"
HOMESERVER_NAME = "matrix.lambda.test"
"""What the host calls the machine that its homeserver is on."""
_DROP_INS = f"/etc/systemd/system/{SERVICE}.d"
_AGENT_UNIT = "rehearsal.service"


@frozen
class Installed:
    """The service on a host. A test gets one that is stopped, without state, and set up anew."""

    machine: Machine
    unit: Unit
    agent: Unit
    token: str

    async def journal(self) -> Journal:
        """The host's journal from now on."""
        return await journal_from_now(self.machine)

    async def drop_in(self, name: str, *lines: str) -> None:
        """Add lines to the unit's section [Service], as `systemctl edit` does."""
        self.machine.write(f"{_DROP_INS}/{name}.conf", "\n".join(("[Service]", *lines, "")))
        await self.machine.run("systemctl", "daemon-reload")

    def settle(self, url: str, bot: Account) -> None:
        """Edit the example configuration: which homeserver, which bot, who may use it."""
        server = bot.user_id.partition(":")[2]
        examples = ROOT / "systemd"
        config = (examples / "config.example.toml").read_text(encoding="utf-8")
        config = edited(
            config,
            {
                "url": f'"{url}"',
                "user_id": f'"{bot.user_id}"',
                "users": f'["@*:{server}"]',
                "language": '"en"',
            },
        )
        self.machine.write(CONFIG, config)
        agents = (examples / "agents.example.toml").read_text(encoding="utf-8")
        self.machine.write(AGENTS, agents)
        self.machine.write(PASSWORD, bot.password, 0o600)
        self.machine.write(AGENT_TOKEN, self.token, 0o600)

    def edit(self, keys: Mapping[str, str], file: str = CONFIG) -> None:
        """Give keys of a settings file other values, as TOML writes them."""
        text = self.machine.path(file).read_text(encoding="utf-8")
        self.machine.write(file, edited(text, keys))

    async def as_new(self) -> None:
        """Stop it, and take away its state and what tests have added to the unit."""
        await self.unit.stop()
        await self.unit.systemctl("clean", "--what=state")
        await self.machine.run("rm", "-rf", _DROP_INS)
        token = f"LoadCredential=agent-main-token:{AGENT_TOKEN}"
        await self.drop_in("token", token)
        await self.machine.attempt("systemctl", "reset-failed", SERVICE)


def edited(text: str, keys: Mapping[str, str]) -> str:
    """A settings file with these keys given other values; each stands in it exactly once."""
    for key, value in keys.items():
        line = re.compile(rf"^#? ?{key} = .*$", re.MULTILINE)
        put = f"{key} = {value}".replace("\\", r"\\")
        text, count = line.subn(put, text)
        assert count == 1, f"{key} stands {count} times in:\n{text}"
    return text


def download(machine: Machine, file: Path) -> str:
    """Copy a file of this machine to the host; returns its path there."""
    name = f"/root/{file.name}"
    shutil.copyfile(file, machine.path(name))
    return name


async def install(machine: Machine, pex: Path) -> Installed:
    """Install the service as README.md says, and an agent to talk to."""
    for file in (pex, *(ROOT / "systemd").iterdir()):
        download(machine, file)
    for mode, source, target in (
        ("-Dm755", pex.name, PROGRAM),
        ("-Dm644", "lambda-matrix.service", f"/etc/systemd/system/{SERVICE}"),
        ("-Dm644", "config.example.toml", CONFIG),
        ("-Dm644", "agents.example.toml", AGENTS),
    ):
        await machine.run("install", mode, f"/root/{source}", target)
    machine.write("/etc/hosts", f"127.0.0.1 localhost\n{machine.gateway} {HOMESERVER_NAME}\n")
    token = secrets.token_urlsafe(16)
    return Installed(machine, Unit(machine, SERVICE), await _start_agent(machine, token), token)


async def _start_agent(machine: Machine, token: str) -> Unit:
    """An agent that remembers nothing from test to test, where the example looks for it."""
    machine.write("/root/agent.token", token, 0o600)
    options = ("--no-memory", "--token-file", "/root/agent.token", "--pace", "0.2")
    as_unit = ("systemd-run", f"--unit={_AGENT_UNIT}", "--service-type=notify", "--quiet")
    root = "--setenv=PEX_ROOT=/var/cache/rehearsal"
    await machine.run(*as_unit, root, PROGRAM, "agent", *options)
    return Unit(machine, _AGENT_UNIT)
