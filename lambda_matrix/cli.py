"""The command `lambda-matrix`, and what its exit status means.

An operator's mistake ends in one sentence on stderr, never in a traceback:

====  ==========================================================================================
0     ended as it was asked to (SIGTERM, Ctrl-C)
1     a fault of the program: the traceback is in the journal
2     a wrong option on the command line
70    the homeserver ended the session (logged out, deactivated); what was stored is kept
75    another instance runs: with this state directory, or as this account on another machine
78    a setting is wrong: a key, a URL, a secret, the login, the user, a certificate
====  ==========================================================================================
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType

import click
import trio
from attrs import frozen

from lambda_matrix import __version__
from lambda_matrix.agent.settings_table import RegistryError
from lambda_matrix.client_server_api.errors import BadTransportSetting, CertificateRefused
from lambda_matrix.client_server_api.login import LoginRefused, SessionFileUnusable, WrongUser
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.config import ConfigError, load_settings
from lambda_matrix.logs import start_logging
from lambda_matrix.service import serve
from lambda_matrix.store.store import StoreError, StoreLockedError
from lambda_matrix.surface.avatar import AvatarError
from lambda_matrix.surface.bridge import AnotherInstanceError

_logger = logging.getLogger(__name__)
DEFAULT_FILE = Path("/etc/lambda-matrix/config.toml")


class Exit(IntEnum):
    """The exit statuses of `run`, after sysexits.h."""

    FAULT = 1
    SESSION_DEAD = 70
    ANOTHER_INSTANCE = 75
    CONFIGURATION = 78


@frozen
class _Ending:
    """What is made of an exception: the exit status, and the setting that may be to blame."""

    status: Exit
    setting: str | None = None


_ENDINGS: Mapping[type[BaseException], _Ending] = MappingProxyType(
    {
        ConfigError: _Ending(Exit.CONFIGURATION),
        RegistryError: _Ending(Exit.CONFIGURATION),
        BadTransportSetting: _Ending(Exit.CONFIGURATION, "[homeserver] url or ca_file"),
        CertificateRefused: _Ending(Exit.CONFIGURATION, "[homeserver] url or ca_file"),
        AvatarError: _Ending(Exit.CONFIGURATION, "[service] avatar_file"),
        WrongUser: _Ending(Exit.CONFIGURATION, "[homeserver] user_id"),
        SessionFileUnusable: _Ending(Exit.CONFIGURATION, "[state] directory"),
        LoginRefused: _Ending(Exit.CONFIGURATION, "[homeserver] password or access token"),
        SessionDeadError: _Ending(Exit.SESSION_DEAD),
        StoreLockedError: _Ending(Exit.ANOTHER_INSTANCE, "[state] directory"),
        AnotherInstanceError: _Ending(Exit.ANOTHER_INSTANCE),
        StoreError: _Ending(Exit.CONFIGURATION, "[state] directory"),
    }
)
"""What ends the service in one sentence, the special before the general: the first that fits."""


class _Commands(click.Group):
    """The group; a command's own module is imported when it is asked for.

    So the service's process carries neither the demo nor the bundled agent.
    """

    _ELSEWHERE: Mapping[str, str] = MappingProxyType(
        {"agent": "lambda_matrix.reference.command", "demo": "lambda_matrix.demo.command"}
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
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_FILE,
    show_default=True,
    help="The TOML file with the settings (docs/configuration.md).",
)
@click.option("--verbose", "-v", is_flag=True, help="Log what is done for each message, too.")
def run(file: Path, *, verbose: bool) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    Exit status 78: a setting is wrong. 70: the homeserver ended the session. 75: another instance
    runs.
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
    leaves = _leaves(error)
    for kind, ending in _ENDINGS.items():
        for each in leaves:
            if isinstance(each, kind):
                place = "" if ending.setting is None else f"{file}: {ending.setting}: "
                _logger.critical("%s%s", place, each)
                return ending.status
    _logger.critical("a fault of the program ended it", exc_info=error)
    return Exit.FAULT


def _leaves(error: BaseException) -> list[BaseException]:
    """Return the exceptions that a nursery wrapped into groups, in order."""
    if not isinstance(error, BaseExceptionGroup):
        return [error]
    return [leaf for each in error.exceptions for leaf in _leaves(each)]
