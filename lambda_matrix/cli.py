"""The command `lambda-matrix`. What its exit statuses mean stands in `exits`."""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import click
import trio

from lambda_matrix import __version__
from lambda_matrix.config import load_settings
from lambda_matrix.exits import Exit, ending_of
from lambda_matrix.logs import start_logging
from lambda_matrix.service import serve
from lambda_matrix.upkeep.options import config_option

_logger = logging.getLogger(__name__)


class _Commands(click.Group):
    """The group; a command's own module is imported when it is asked for.

    So the service's process carries neither the demo nor the bundled agent nor the rest.
    """

    _ELSEWHERE: Mapping[str, str] = MappingProxyType(
        {
            "agent": "lambda_matrix.reference.command",
            "demo": "lambda_matrix.demo.command",
            "reconcile": "lambda_matrix.upkeep.reconcile",
            "reset": "lambda_matrix.upkeep.reset",
        }
    )

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self._ELSEWHERE])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        command = getattr(importlib.import_module(self._ELSEWHERE[cmd_name]), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lambda-matrix")
def main() -> None:
    """People talk to Lambda, an AI agent, from any Matrix client."""


@main.command()
@config_option
@click.option("--verbose", "-v", is_flag=True, help="Log what is done for each message, too.")
def run(file: Path, *, verbose: bool) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    Exit status 78: a setting is wrong. 70: the homeserver ended the session. 74: the database is
    damaged; start again. 75: another instance runs.
    """
    lines = start_logging(verbose=verbose, environment=os.environ)
    try:
        settings = load_settings(file, os.environ)
        lines.hide(settings.secrets())
        trio.run(serve, settings, lambda: load_settings(file, os.environ))
    except Exception as error:  # noqa: BLE001 - the last frame: what ends here ends the process
        sys.exit(_report(error, file))


def _report(error: Exception, file: Path) -> Exit:
    """Say why the service ended, in one sentence if it is somebody's to mend; return the status."""
    ending = ending_of(error, file)
    if ending is None:
        _logger.critical("a fault of the program ended it", exc_info=error)
        return Exit.FAULT
    _logger.critical("%s", ending.sentence)
    return ending.status
