"""Everything that listens for those who watch, from the beginning of the start to the end."""

from __future__ import annotations

import itertools
import logging
from pathlib import Path
from typing import Final

import trio

from lambda_matrix.config.settings import ServiceSection
from lambda_matrix.config.values import ListenAddress, ListenPath
from lambda_matrix.service.monitoring.hosts import Hosts, hosts_of
from lambda_matrix.service.monitoring.listening import (
    STATUS_SOCKET,
    ListenError,
    is_reached_from_outside,
    listen_on_path,
    listen_on_port,
)
from lambda_matrix.service.monitoring.pages import Pages
from lambda_matrix.service.monitoring.serving import Server
from lambda_matrix.service.monitoring.watched import Watched

logger = logging.getLogger(__name__)

_OURS_ALONE: Final = 0o600
AGAIN_AFTER: Final = 10.0
"""Seconds until it is tried again to make that socket."""
_WORTH_TELLING: Final = 2


async def keep_watchable(
    watched: Watched,
    state_directory: Path,
    wanted: ServiceSection,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Answer until cancelled: on the service's own socket, and where the operator wants it.

    Args:
        watched: What is shown.
        state_directory: Where the service's own socket is.
        wanted: Where the operator wants it, besides.
        task_status: From `nursery.start`.

    Raises:
        ListenError: it cannot be listened where the operator wants it.
    """
    async with trio.open_nursery() as nursery:
        match wanted.listen:
            case ListenAddress(host, port):
                listeners = await listen_on_port(host, port)
                if is_reached_from_outside(listeners):
                    logger.warning(
                        "[service] listen: %s is reached from other machines; what is shown there "
                        "can be read by whoever reaches it",
                        host,
                    )
                await nursery.start(_server(watched, hosts_of(host)).run, listeners)
            case ListenPath(path):
                listener = _listen_where_wanted(path, wanted.listen_mode)
                await nursery.start(_server(watched, None).run, [listener])
            case None:
                pass
        nursery.start_soon(_answer_privately, watched, state_directory)
        task_status.started()


def _server(watched: Watched, hosts: Hosts | None) -> Server:
    return Server(Pages(watched, hosts).answer)


def _listen_where_wanted(path: Path, mode: int) -> trio.SocketListener:
    try:
        return listen_on_path(path, mode)
    except OSError as error:
        why = f"[service] listen: {path} cannot be made: {error.strerror}"
        raise ListenError(why) from error


def _listen_privately(path: Path) -> trio.SocketListener:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return listen_on_path(path, _OURS_ALONE)


async def _answer_privately(watched: Watched, state_directory: Path) -> None:
    """Answer on the service's own socket, as soon as it can be made: a disk may refuse it now."""
    path = state_directory / STATUS_SOCKET
    for tries in itertools.count(1):
        try:
            listener = _listen_privately(path)
        except (OSError, ListenError) as error:
            # What ends the start with a sentence of its own ends it before the second try.
            if tries == _WORTH_TELLING:
                logger.warning("lambda-matrix status cannot be answered yet: %s", error)
            await trio.sleep(AGAIN_AFTER)
        else:
            await _server(watched, None).run([listener])
