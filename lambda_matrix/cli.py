"""The command `lambda-matrix`. What its exit statuses mean stands in `exits`."""

from __future__ import annotations

import gc
import importlib
import platform
import sys
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any

import click
from attrs import frozen
from click.shell_completion import CompletionItem

from lambda_matrix import __version__
from lambda_matrix.upkeep.completion import PROGRAM, VARIABLE


@frozen
class _Place:
    """Where a command is defined, under its own name, and what it does in a sentence.

    The sentence stands here too (a test holds them together), so that the commands can be listed
    without being imported: a shell that completes a word waits for that.
    """

    module: str
    short_help: str


_PLACES: Mapping[str, _Place] = MappingProxyType(
    {
        "agent": _Place("lambda_matrix.reference.command", "Run the bundled agent."),
        "completion": _Place(
            "lambda_matrix.upkeep.completion", "Print what a shell needs to complete commands."
        ),
        "demo": _Place(
            "lambda_matrix.demo.command", "Try all of it on this machine, and talk with Lambda."
        ),
        "doctor": _Place(
            "lambda_matrix.doctor.command", "Check the installation, and say what to do."
        ),
        "install": _Place(
            "lambda_matrix.installation.install",
            "Install this file with its units, or upgrade to it.",
        ),
        "login": _Place("lambda_matrix.upkeep.login", "Keep the bot's password or access token."),
        "reconcile": _Place(
            "lambda_matrix.upkeep.reconcile",
            "Compare the database with the homeserver, and repair it.",
        ),
        "reload": _Place(
            "lambda_matrix.upkeep.reload", "Have the running service read its settings again."
        ),
        "reset": _Place("lambda_matrix.upkeep.reset", "Start afresh, for development."),
        "run": _Place("lambda_matrix.service.command", "Run the service until SIGTERM or Ctrl-C."),
        "status": _Place("lambda_matrix.upkeep.status", "Show how the running service is."),
        "uninstall": _Place(
            "lambda_matrix.installation.uninstall",
            "Stop the service and remove what was installed.",
        ),
    }
)


class _Commands(click.Group):
    """The group; a command's own module is imported when it is asked for.

    So the service's process carries neither the demo nor the bundled agent nor the rest.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_PLACES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in _PLACES:
            return None
        command = getattr(_imported(_PLACES[cmd_name].module), cmd_name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{cmd_name} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, _PLACES[name].short_help) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        items = [CompletionItem(name, help=_PLACES[name].short_help) for name in names]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Be called by one name, whatever the file of the program is called."""
        return super().main(*args, **{"prog_name": PROGRAM, "complete_var": VARIABLE, **kwargs})


def _imported(name: str) -> ModuleType:
    """Import without looking for garbage, and never look for it in what was imported.

    Nearly all that an import makes stays for good: looking for what does not took a seventh of a
    service's start, and would be repeated in each full collection at work.
    """
    if name in sys.modules or not gc.isenabled():
        return importlib.import_module(name)
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="The manual: man lambda-matrix. What is well here, and what not: lambda-matrix doctor.",
)
@click.version_option(
    __version__,
    prog_name=PROGRAM,
    message=f"%(prog)s, version %(version)s (Python {platform.python_version()})",
)
def main() -> None:
    """People talk to Lambda, an AI agent, from any Matrix client."""
