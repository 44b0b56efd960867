"""The configuration files of the service and the agent, as the demo and the tests write them.

Secrets go into files of their own, 0600, as an operator's would.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from lambda_matrix.demo.homeserver import Account
from lambda_matrix.demo.private_files import write_private, write_secret

Value = str | int | float | bool | list[str]
Table = Mapping[str, Value]

NO_LIMITS: Mapping[str, Table] = {
    "limits": {"questions_per_minute": 10_000, "questions_in_line": 10_000, "runs_per_person": 1000}
}
"""For programs that ask faster than people do."""


@frozen(kw_only=True)
class ServiceSettings:
    """What the service's files say; `more` adds or overrides keys, table by table.

    `workspace` is the folder that the service shares with the agent; without one no files go.
    """

    directory: Path
    homeserver_url: str
    bot: Account
    agent_url: str
    agent_token: str = field(repr=False)
    workspace: Path | None = None
    server_name: str = "lambda.test"
    language: str = "en"
    idle_timeout: float = 120
    run_timeout: float = 900
    more: Mapping[str, Table] = {}


def write_service_files(settings: ServiceSettings) -> Path:
    """Write the service's configuration, registry and secrets; returns the configuration's path."""
    directory = settings.directory
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    password = write_secret(directory / "password", settings.bot.password)
    token = write_secret(directory / "agent.token", settings.agent_token)
    registry = directory / "agents.toml"
    agent: Table = {
        "name": "Lambda",
        "base_url": settings.agent_url,
        "token_file": str(token),
        "idle_timeout": settings.idle_timeout,
        "run_timeout": settings.run_timeout,
        **({} if settings.workspace is None else {"workspace": str(settings.workspace)}),
    }
    write_private(registry, 'default = "main"\n' + to_toml({"agent.main": agent}))
    tables: dict[str, Table] = {
        "homeserver": {
            "url": settings.homeserver_url,
            "user_id": settings.bot.user_id,
            "password_file": str(password),
        },
        "state": {"directory": str(directory / "state")},
        "access": {"users": [f"@*:{settings.server_name}"]},
        "service": {"language": settings.language, "listen": "", "stop_seconds": 0},
        "agents": {"registry": str(registry)},
    }
    for name, table in settings.more.items():
        tables[name] = {**tables.get(name, {}), **table}
    config = directory / "config.toml"
    write_private(config, to_toml(tables))
    return config


def to_toml(tables: Mapping[str, Table]) -> str:
    """TOML of tables of plain values. JSON's way of writing those is TOML's too."""
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in table.items()]
    return "\n".join(lines) + "\n"
