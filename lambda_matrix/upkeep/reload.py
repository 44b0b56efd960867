"""`lambda-matrix reload`: SIGHUP, and word of what became of it (`systemctl reload` gives this)."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Final

import click
import trio
from attrs import frozen

from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.options import config_option, examples
from lambda_matrix.upkeep.running_service import ask_service, with_service
from lambda_matrix.upkeep.tables import printable

WITHIN: Final = 60.0
"""Seconds that the service may take; it reloads once it serves rooms, and then at once."""
_ASK_AGAIN: Final = 0.1


@frozen
class _Reload:
    """The last one that the service knows of: at which Unix time, and why it was refused."""

    at: float
    refused: str | None
    pid: int
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
    with_service(_reload, file)
    click.echo("The settings are in force.")


async def _reload(socket: Path) -> None:
    before = await _last_reload(socket)
    _hang_up(before.pid)
    with trio.move_on_after(WITHIN) as patience:
        while (last := await _last_reload(socket)).at == before.at:  # noqa: ASYNC110 - asking is the way
            await trio.sleep(_ASK_AGAIN)
    if patience.cancelled_caught:
        raise CommandError(
            f"The service has not read its settings within {WITHIN:.0f} s ({before.phase}); "
            "it will as soon as it serves rooms.",
            Exit.STATUS_UNKNOWN,
        )
    if last.refused is not None:
        raise CommandError(
            f"Not reloaded, the old settings stay in force: {printable(last.refused)}",
            Exit.CONFIGURATION,
        )


def _hang_up(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise CommandError("The service has ended just now.", Exit.NOT_RUNNING) from None
    except PermissionError:
        raise CommandError(
            f"You may not signal the service (process {pid}): run this as root (sudo).",
            Exit.STATUS_UNKNOWN,
        ) from None


async def _last_reload(socket: Path) -> _Reload:
    said = await ask_service(socket, "/status.json")
    report = json.loads(said.text)
    return _Reload(
        at=report["reloaded_at"],
        refused=report["reload_refused"],
        pid=said.pid,
        phase=printable(report["phase"]),
    )
