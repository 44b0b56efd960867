"""`lambda-matrix reload`: SIGHUP, and word of what became of it (`systemctl reload` gives this)."""

from __future__ import annotations

import json
import os
import signal
from functools import partial
from pathlib import Path
from typing import Final

import click
import trio
from attrs import frozen

from lambda_matrix.config import ConfigError
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.options import config_option, examples
from lambda_matrix.upkeep.running_service import ask_service, status_socket, with_service
from lambda_matrix.upkeep.tables import printable

WITHIN: Final = 60.0
"""Seconds that the service may take: it reloads once it serves rooms, and then at once."""
_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 1.0
"""Seconds from one question to the next, doubled each time."""


@frozen
class _Seen:
    """What the service tells of its reloads: how many there were, and why the last was refused."""

    pid: int
    begun: int
    done: int
    refused: str | None
    phase: str


@click.command(
    short_help="Have the running service read its settings again.",
    epilog=examples("systemctl reload lambda-matrix", "lambda-matrix reload"),
)
@config_option
def reload(file: Path) -> None:
    """Have the running service read its settings again, and wait until it has.

    Wrong settings change nothing: the old ones stay in force, and it is said what is wrong. What
    needs a restart is named in the journal.

    Give it as root, or as the user that the service runs as. Exit status 3: the service does not
    run. 4: it does not tell, or does not serve rooms yet. 78: the new settings are wrong.
    """
    # systemd names the service's process to ExecReload=, whose words go into the journal: there a
    # good reload is nothing to tell, and a refused one the service tells itself.
    if (main_pid := os.environ.get("MAINPID")) is not None:
        with_service(partial(_reload, file, int(main_pid)), file, untold={Exit.CONFIGURATION})
        return
    with_service(partial(_reload, file), file)
    click.echo("The settings are in force.")


async def _reload(file: Path, main_pid: int | None = None) -> None:
    try:
        socket = status_socket(file)
        before = await _look(socket)
    except (ConfigError, CommandError):
        if main_pid is not None:  # it is told all the same, and says what is wrong
            _hang_up(main_pid)
        raise
    _hang_up(before.pid if main_pid is None else main_pid)
    after = await _reloaded(socket, before)
    if after.refused is not None:
        raise CommandError(
            f"Not reloaded, the old settings stay in force: {printable(after.refused)}",
            Exit.CONFIGURATION,
        )


def _hang_up(pid: int) -> None:
    """Send SIGHUP.

    Raises:
        CommandError: that cannot be.
    """
    if pid <= 0:  # so is a process of another container told (pid_namespaces(7)); 0 would be us
        raise CommandError(
            "The service runs in a container of its own: send it SIGHUP there.",
            Exit.STATUS_UNKNOWN,
        )
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise CommandError("The service has ended just now.", Exit.NOT_RUNNING) from None
    except PermissionError:
        raise CommandError(
            f"You may not signal the service (process {pid}): run this as root (sudo).",
            Exit.STATUS_UNKNOWN,
        ) from None


async def _reloaded(socket: Path, before: _Seen) -> _Seen:
    """Wait until a reload has ended that began after `before`, or the service has started anew.

    Raises:
        CommandError: there is none in time.
    """
    seen, pause = before, _FIRST_PAUSE
    with trio.move_on_after(WITHIN):
        while True:
            seen = await _look(socket)
            if seen.done > before.begun or seen.pid != before.pid:
                return seen
            await trio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
    raise CommandError(
        f"The service has not said within {WITHIN:g} s that the settings are in force (it is: "
        f"{seen.phase}); the journal will tell: journalctl -u lambda-matrix.",
        Exit.STATUS_UNKNOWN,
    )


async def _look(socket: Path) -> _Seen:
    said = await ask_service(socket, "/status.json")
    try:
        report = json.loads(said.text)
        return _Seen(
            pid=said.pid,
            begun=report["reloads_begun"],
            done=report["reloads_done"],
            refused=report["reload_refused"],
            phase=printable(report["phase"]),
        )
    except (KeyError, TypeError, ValueError):
        raise CommandError(
            "The service is of another release, and does not tell of reloads: systemctl restart "
            "lambda-matrix.",
            Exit.STATUS_UNKNOWN,
        ) from None
