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
from tests.systemd.machine import Machine
from tests.systemd.unit import Unit

SERVICE = "lambda-matrix.service"
PROGRAM = "/usr/lib/lambda-matrix/lambda-matrix.pex"
CONFIG = "/etc/lambda-matrix/config.toml"
AGENTS = "/etc/lambda-matrix/agents.toml"
PASSWORD = "/etc/lambda-matrix/credentials/password"
AGENT_TOKEN = "/etc/lambda-matrix/credentials/agent-main-token"
HOMESERVER_NAME = "matrix.lambda.test"
"""What the host calls the machine that its homeserver is on."""
_DROP_INS = f"/etc/systemd/system/{SERVICE}.d"
REHEARSAL = "rehearsal.service"


@frozen
class Installed:
    """The service on a host. A test gets one that is stopped, without state, and set up anew."""

    machine: Machine
    unit: Unit
    token: str

    async def journal(self) -> Journal:
        """The host's journal from now on."""
        return await journal_from_now(self.machine)

    async def drop_in(self, name: str, *lines: str) -> None:
        """Add lines to the unit's section [Service], as `systemctl edit` does."""
        self.machine.write(f"{_DROP_INS}/{name}.conf", "\n".join(("[Service]", *lines, "")))
        await self.machine.run("systemctl", "daemon-reload")

    def settle(self, url: str, bot: Account) -> None:
        """Edit the settings as they come: which homeserver, which bot, who may use it."""
        for name, file in (("config", CONFIG), ("agents", AGENTS)):
            example = self.machine.path(f"/usr/share/lambda-matrix/{name}.example.toml")
            self.machine.write(file, example.read_text(encoding="utf-8"))
        server = bot.user_id.partition(":")[2]
        who = {"url": url, "user_id": bot.user_id, "language": "en"}
        self.edit({key: f'"{value}"' for key, value in who.items()})
        self.edit({"users": f'["@*:{server}"]'})
        self.machine.write(PASSWORD, bot.password, 0o600)
        self.machine.write(AGENT_TOKEN, self.token, 0o600)

    def edit(self, keys: Mapping[str, str], file: str = CONFIG) -> None:
        """Give keys of a settings file other values, as TOML writes them."""
        text = self.machine.path(file).read_text(encoding="utf-8")
        self.machine.write(file, edited(text, keys))

    async def start_agent(self) -> None:
        """Start an agent that remembers nothing from test to test, where agents.toml looks."""
        self.machine.write("/root/agent.token", self.token, 0o600)
        as_unit = ("systemd-run", f"--unit={REHEARSAL}", "--service-type=notify", "--quiet")
        options = ("--no-memory", "--token-file=/root/agent.token")
        await self.machine.run(*as_unit, "--setenv=HOME=/root", PROGRAM, "agent", *options)

    async def as_new(self) -> None:
        """Stop it, and take away its state and what tests have added to the unit."""
        await self.unit.stop()
        await self.machine.attempt("systemctl", "reset-failed", SERVICE)
        await self.unit.systemctl("clean", "--what=state")
        await self.machine.run("rm", "-rf", _DROP_INS)
        await self.machine.run("systemctl", "daemon-reload")


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
    """Install the service as README.md says, and start an agent to talk to."""
    await machine.run("python3", download(machine, pex), "install")
    machine.write("/etc/hosts", f"127.0.0.1 localhost\n{machine.gateway} {HOMESERVER_NAME}\n")
    token = secrets.token_urlsafe(16)
    installed = Installed(machine, Unit(machine, SERVICE), token)
    await installed.start_agent()
    return installed
