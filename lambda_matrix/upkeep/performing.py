"""How a command is performed: the settings read, signals obeyed, each end told in a sentence."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import trio

from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.errors import CertificateRefused, MatrixError
from lambda_matrix.config import SecretMissingError, load_settings
from lambda_matrix.config.settings import Settings
from lambda_matrix.exits import CommandError, Exit, ending_of
from lambda_matrix.logs import start_logging
from lambda_matrix.message_ids import MessageId
from lambda_matrix.service.session import log_in, session_file
from lambda_matrix.upkeep.ownership import give_to_owner
from lambda_matrix.upkeep.presence import Presence
from lambda_matrix.upkeep.terminal import Terminal

logger = logging.getLogger(__name__)

OK = 0

Work = Callable[[Settings, Terminal], Awaitable[int]]
Load = Callable[[Path, Mapping[str, str]], Settings]


def load_for_session(file: Path, environment: Mapping[str, str]) -> Settings:
    """Read the settings; where a session is kept it does for the secret, if that is not there.

    So a secret that only the unit can read (an encrypted credential) is in no command's way.

    Raises:
        ConfigError: a setting is wrong, or there is neither a secret nor a session.
    """
    try:
        return load_settings(file, environment)
    except SecretMissingError:
        settings = load_settings(file, environment, secrets=False)
        if not os.access(session_file(settings), os.R_OK):
            raise
        return settings


def perform(work: Work, file: Path, *, load: Load = load_for_session) -> NoReturn:
    """Do the work with the settings in `file`, and end the process with what it returns."""
    log = start_logging(environment=os.environ)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_is_to_be_seen)
    terminal = Terminal()
    try:
        settings = load(file, os.environ)
        log.hide(settings.secrets())
        try:
            status = trio.run(_until_interrupted, work, settings, terminal)
        finally:
            give_to_owner(settings.state.directory)
    except Exception as error:  # noqa: BLE001 - the last frame: what ends here ends the process
        status = _report(error, file, terminal)
    sys.exit(status)


def _is_to_be_seen(record: logging.LogRecord) -> bool:
    """Let warnings through alone, and of those what is not told otherwise.

    That the homeserver is away is told by `Presence`, that the database is damaged by `holding`.
    """
    is_told = record.name.endswith((".backoff", ".store.damage"))
    return record.levelno >= logging.WARNING and not is_told


def _report(error: Exception, file: Path, terminal: Terminal) -> Exit:
    ending = ending_of(error, file)
    if ending is None:
        logger.critical(
            "a fault of the program ended it", exc_info=error, extra=MessageId.FAULT.extra
        )
        return Exit.FAULT
    terminal.remark(f"Error: {ending.sentence}")
    if terminal.acting:
        terminal.remark("What is done so far stays done. Run the command again to go on.")
    return ending.status


async def _until_interrupted(work: Work, settings: Settings, terminal: Terminal) -> int:
    status = OK
    async with trio.open_nursery() as nursery:
        await nursery.start(_stop_on_signal, terminal)
        status = await work(settings, terminal)
        nursery.cancel_scope.cancel()
    return status


async def _stop_on_signal(
    terminal: Terminal, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> NoReturn:
    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        task_status.started()
        async for _ in signals:
            break
    raise CommandError(
        "Interrupted." if terminal.acting else "Interrupted; nothing was changed.",
        Exit.INTERRUPTED,
    )


@asynccontextmanager
async def at_homeserver(settings: Settings, terminal: Terminal) -> AsyncIterator[Client]:
    """Log in, or go on with the session that there is; the homeserver may not be away for long.

    Raises:
        CommandError: it is away for too long, or refuses what nobody could go on without.
    """
    homeserver = settings.homeserver
    presence = Presence(homeserver.url, terminal)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(presence.watch)
        try:
            session = await log_in(settings, observe=presence.observe)
            async with open_client(
                homeserver.url, session, ca_file=homeserver.ca_file, observe=presence.observe
            ) as client:
                yield client
                presence.end()
        except CertificateRefused:
            raise  # a setting is wrong
        except MatrixError as error:
            raise CommandError(f"The homeserver refuses: {error.message}.", Exit.REFUSED) from error
        nursery.cancel_scope.cancel()
