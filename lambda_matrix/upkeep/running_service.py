"""Commands that ask the running service, on its own socket in the state directory."""

from __future__ import annotations

import os
import sys
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import TypeVar

import click
import trio

from lambda_matrix.config import load_state_directory
from lambda_matrix.exits import CommandError, Exit, ending_of
from lambda_matrix.service.monitoring.asking import NoAnswerError, Said, ask
from lambda_matrix.service.monitoring.listening import STATUS_SOCKET

_OK = 200
_Result = TypeVar("_Result")


def with_service(
    work: Callable[[], Awaitable[_Result]], file: Path, *, untold: Collection[Exit] = ()
) -> _Result:
    """Return what `work` gives, which asks the service with the settings in `file`.

    What cannot be ends the process with its status, after a sentence on stderr, unless the status
    is one of `untold`.
    """
    try:
        return trio.run(work)
    except Exception as error:
        ending = ending_of(error, file)
        if ending is None:
            raise
        if ending.status not in untold:
            click.echo(f"Error: {ending.sentence}", err=True)
        sys.exit(ending.status)


def status_socket(file: Path) -> Path:
    """Return where the service with these settings tells how it is. Raises ConfigError."""
    return load_state_directory(file, os.environ) / STATUS_SOCKET


async def ask_service(socket: Path, target: str) -> Said:
    """Return what the service says to `target`.

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
    if said.status != _OK:
        raise _silent(f"status {said.status}")
    return said


def _silent(why: str) -> CommandError:
    return CommandError(
        f"The service runs and does not answer ({why}); the journal may say why: "
        "journalctl -u lambda-matrix.",
        Exit.STATUS_UNKNOWN,
    )
