"""`lambda-matrix status`: how the running service is, asked on its own socket."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click
import trio

from lambda_matrix.config import load_state_directory
from lambda_matrix.exits import CommandError, Exit, ending_of
from lambda_matrix.options import config_option, examples
from lambda_matrix.service.monitoring.asking import NoAnswerError, Said, ask
from lambda_matrix.service.monitoring.listening import STATUS_SOCKET
from lambda_matrix.upkeep.tables import printable

_OK = 200


@click.command(
    short_help="Show how the running service is.",
    epilog=examples("lambda-matrix status", "lambda-matrix status --json | jq .readiness"),
)
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON, for programs.")
def status(file: Path, *, as_json: bool) -> None:
    """Show how the running service is: what it waits for, what is at work, its last faults.

    Give it as root, or as the user that the service runs as. Exit status 3: the service does not
    run. 4: it runs, as far as can be seen, and does not tell. 78: the configuration cannot be read.
    """
    try:
        directory = load_state_directory(file, os.environ)
        said = trio.run(_ask, directory / STATUS_SOCKET, "/status.json" if as_json else "/status")
    except Exception as error:
        ending = ending_of(error, file)
        if ending is None:
            raise
        click.echo(f"Error: {ending.sentence}", err=True)
        sys.exit(ending.status)
    for line in said.splitlines():
        click.echo(printable(line))


async def _ask(socket: Path, target: str) -> str:
    """Return what the service says.

    Raises:
        CommandError: it says nothing.
    """
    try:
        said = await ask(socket, target)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError):
        raise CommandError(
            "The service does not run, or has only just been started: systemctl status "
            "lambda-matrix says which. "
            f"Nobody answers on {socket}.",
            Exit.NOT_RUNNING,
        ) from None
    except PermissionError:
        raise CommandError(
            f"You may not ask the service on {socket}: run this as root (sudo).",
            Exit.STATUS_UNKNOWN,
        ) from None
    except (NoAnswerError, OSError) as error:
        raise _silent(str(error)) from error
    return _text_of(said)


def _text_of(said: Said) -> str:
    if said.status != _OK:
        raise _silent(f"status {said.status}")
    return said.text


def _silent(why: str) -> CommandError:
    return CommandError(
        f"The service runs and does not answer ({why}); the journal may say why: "
        "journalctl -u lambda-matrix.",
        Exit.STATUS_UNKNOWN,
    )
