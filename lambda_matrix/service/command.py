"""`lambda-matrix run`: the service as a process."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import click
import trio

from lambda_matrix.config import load_settings
from lambda_matrix.exits import Exit, ending_of
from lambda_matrix.logs import start_logging
from lambda_matrix.message_ids import MessageId
from lambda_matrix.options import config_option, examples
from lambda_matrix.service.supervisor import serve

_logger = logging.getLogger(__name__)


@click.command(
    short_help="Run the service until SIGTERM or Ctrl-C.",
    epilog=examples("systemctl start lambda-matrix", "lambda-matrix run -v --config ./config.toml"),
)
@config_option
@click.option("--verbose", "-v", is_flag=True, help="Log what is done for each message, too.")
def run(file: Path, *, verbose: bool) -> None:
    """Run the service until SIGTERM or Ctrl-C.

    Exit status 78: a setting is wrong. 70: the homeserver ended the session. 74: the database is
    damaged; start again. 75: another instance runs.
    """
    log = start_logging(verbose=verbose, environment=os.environ)
    try:
        settings = load_settings(file, os.environ)
        log.hide(settings.secrets())
        log.adopt(settings.log.wanted)
        trio.run(serve, settings, lambda: load_settings(file, os.environ))
    except Exception as error:  # noqa: BLE001 - the last frame: what ends here ends the process
        sys.exit(report(error, file))


def report(error: Exception, file: Path) -> Exit:
    """Say why the service ended, in one sentence if it is somebody's to mend; return the status."""
    ending = ending_of(error, file)
    if ending is None:
        _logger.critical(
            "a fault of the program ended it", exc_info=error, extra=MessageId.FAULT.extra
        )
        return Exit.FAULT
    _logger.critical("%s", ending.sentence, extra=MessageId.ENDED.extra)
    return ending.status
