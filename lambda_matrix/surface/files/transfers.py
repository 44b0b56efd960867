"""Files to and from the homeserver: tried until they arrive, or are not going to.

A homeserver that is away is waited for, however long. One that is there and fails is waited for
only so long: a file of a server that has gone stays away, and somebody waits for the answer.
"""

import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import Final, TypeVar

import trio
from attrs import define, field

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError, Retry
from lambda_matrix.ids import AgentId
from lambda_matrix.surface.files.workspaces import INLINE_BYTES, Workspaces
from lambda_matrix.surface.patience import HANGING, persist
from lambda_matrix.surface.policy import Policy

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE: Final = 300.0
"""Seconds for which a homeserver may fail with one file."""
_FAULTS_MOST: Final = 8
"""Faults of ours with one file, within some two minutes: questions and other files wait for it."""
_LIMIT_HOLDS: Final = 600.0
"""Seconds after which the homeserver is asked for its limit again."""
_TOO_MANY_REQUESTS: Final = 429


class NotTransferredError(Exception):
    """The file will not come in, or go out; `sentence` says so to the person."""

    def __init__(self, sentence: str, why: str) -> None:
        super().__init__(why)
        self.sentence = sentence


@define
class Faults:
    """Faults of ours with each file; one that fails again and again is let go."""

    _counts: Counter[Hashable] = field(factory=Counter)

    def one_too_many(self, file: Hashable) -> bool:
        """Count a fault with the file; return whether it was one too many."""
        self._counts[file] += 1
        if self._counts[file] < _FAULTS_MOST:
            return False
        del self._counts[file]
        return True


async def transferred(call: Callable[[], Awaitable[T]]) -> T:
    """Make a transfer until it is done, waiting as the homeserver asks.

    Raises:
        MatrixError: a refusal that no waiting will change, or that was waited for long enough.
    """
    return await persist(call, is_failing=_is_failing, patience=PATIENCE, told=_log)


async def _log(error: MatrixError, _wait: float) -> None:
    logger.debug("a file waits: %s", error)


def _is_failing(error: MatrixError, _decision: Retry, took: float) -> bool:
    is_away = error.status is None and took < HANGING
    return not is_away and error.status != _TOO_MANY_REQUESTS


@define
class SizeLimits:
    """How large a file may be: the operator's word, and the homeserver's as far as it is known."""

    _client: Client
    _policy: Policy
    _workspaces: Workspaces
    _homeserver: int | None = None
    _asked_at: float | None = None

    def incoming(self, agent: AgentId) -> int:
        """Return how many bytes a person's file for the agent may have."""
        limits = [self._policy.file_bytes]
        if self._homeserver is not None:
            limits.append(self._homeserver)
        if self._workspaces.is_inline(agent):
            limits.append(INLINE_BYTES)
        return min(limits)

    async def homeserver(self) -> int | None:
        """Return how many bytes the homeserver takes; None where it does not say.

        Raises:
            MatrixError: it cannot be asked.
        """
        now = trio.current_time()
        if self._asked_at is None or now - self._asked_at >= _LIMIT_HOLDS:
            self._homeserver = await self._client.media.upload_limit()
            self._asked_at = now
        return self._homeserver
