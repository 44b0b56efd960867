"""Commands as processes, beside a small homeserver in the test's own."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio
from attrs import frozen

from lambda_matrix.config.settings import ServiceSection
from lambda_matrix.service.monitoring.watching import keep_watchable
from tests.lab.small_homeserver import BOT, PASSWORD
from tests.service.monitoring.seen import Service, service

SETTINGS = """
[homeserver]
url = "{url}"
user_id = "{bot}"
password_file = "password"
[state]
directory = "state"
[access]
users = ["@*:example.org"]
[service]
language = "en"
[agents]
registry = "agents.toml"
"""
REGISTRY = '[agent.main]\nbase_url = "ws://127.0.0.1:9"\n'
WITHIN = 60
"""Seconds of real time that a command may take."""


@frozen
class Ended:
    """A command that has ended."""

    status: int
    out: str
    err: str


def write_settings(directory: Path, url: str) -> Path:
    """Write what the service needs; return the configuration file."""
    (directory / "password").write_text(PASSWORD)
    (directory / "password").chmod(0o600)
    (directory / "agents.toml").write_text(REGISTRY)
    config = directory / "config.toml"
    config.write_text(SETTINGS.format(url=url, bot=BOT))
    return config


def command_line(config: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "lambda_matrix", *arguments, "--config", str(config)]


async def perform(config: Path, *arguments: str) -> Ended:
    """Give a command without a terminal, and wait for its end."""
    with trio.fail_after(WITHIN):
        done = await trio.run_process(
            command_line(config, *arguments),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    said = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in said.err, said.err
    assert PASSWORD not in said.out + said.err
    return said


async def perform_at_terminal(config: Path, keys: str | None, *arguments: str) -> tuple[int, str]:
    """Give a command at a terminal, type `keys` when it asks; return its status and the screen.

    None is Ctrl-C.
    """
    is_asked = False
    ours, theirs = os.openpty()
    screen = ""
    process = await trio.lowlevel.open_process(
        command_line(config, *arguments), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    with trio.fail_after(WITHIN):
        while True:
            try:
                await trio.lowlevel.wait_readable(ours)
                screen += os.read(ours, 65_536).decode()
            except OSError:  # so a terminal says that nobody is there any more
                break
            if not is_asked and screen.endswith("[y/N] "):
                is_asked = True
                if keys is None:
                    process.send_signal(signal.SIGINT)
                else:
                    os.write(ours, keys.encode())
        await process.wait()
    os.close(ours)
    assert process.returncode is not None
    return process.returncode, screen


@asynccontextmanager
async def telling(state: Path) -> AsyncIterator[Service]:
    """A service in this process that tells how it is, on the socket in its state directory."""
    with service() as started:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_watchable, started.watched, state, ServiceSection())
            await trio.testing.wait_all_tasks_blocked()
            yield started
            nursery.cancel_scope.cancel()
