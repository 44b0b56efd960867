"""Waiting for a homeserver that is not well, without being its next problem.

Full jitter (each wait is random between nothing and a bound that doubles) spreads a thousand
clients that all lost the same server over the whole time; the wait that the server asks for by
`Retry-After` is kept in any case.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio
from attrs import define, field, frozen

from lambda_matrix.client_server_api.errors import MatrixError, passes_by_itself
from lambda_matrix.client_server_api.transport import LONGEST_REQUEST
from lambda_matrix.message_ids import MessageId
from lambda_matrix.pulse import Part, part_of_nobody

log = logging.getLogger(__name__)

_FIRST_BOUND = 1.0
_LAST_BOUND = 60.0
_MAX_DOUBLINGS = 6

T = TypeVar("T")


@frozen
class HomeserverAway:
    """The homeserver stopped answering as it should; `why` is one line."""

    why: str


@frozen
class HomeserverBack:
    """The homeserver answers again, after `seconds`."""

    seconds: float


Health = HomeserverAway | HomeserverBack
HealthObserver = Callable[[Health], None]


def ignore_health(_health: Health) -> None:
    """Watch nothing."""


@define(eq=False)
class Backoff:
    """How long to wait after each failure in a row, in seconds; a success starts over.

    Says once when the homeserver goes away and once when it is back: one log line each, and
    `watch` for whoever shows it. `part` waits with each failure.
    """

    watch: HealthObserver = ignore_health
    _clock: Callable[[], float] = trio.current_time
    _random: random.Random = field(factory=random.SystemRandom)
    part: Part = field(factory=part_of_nobody, kw_only=True)
    _failures: int = 0
    _away_since: float = 0.0

    @property
    def is_failing(self) -> bool:
        """True from the first failure to the next success."""
        return self._failures > 0

    def failed(self, error: MatrixError) -> float:
        """Count a failure and give the seconds to wait."""
        if not self._failures:
            self._away_since = self._clock()
            log.warning(
                "the homeserver is away, waiting for it: %s",
                error,
                extra=MessageId.HOMESERVER_AWAY.extra,
            )
            self.watch(HomeserverAway(str(error)))
        bound = min(_FIRST_BOUND * 2 ** min(self._failures, _MAX_DOUBLINGS), _LAST_BOUND)
        self._failures += 1
        # At least a tenth, so that bad luck cannot make a row of immediate retries.
        wait = max(self._random.uniform(bound / 10, bound), error.retry_after or 0.0)
        self.part.wait("waiting for the homeserver", wait)
        return wait

    def succeeded(self) -> None:
        """Note that the homeserver answered."""
        if self._failures:
            seconds = self._clock() - self._away_since
            self._failures = 0
            log.info(
                "the homeserver is back after %.0f s",
                seconds,
                extra=MessageId.HOMESERVER_BACK.extra,
            )
            self.watch(HomeserverBack(seconds))


async def wait_for(
    action: Callable[[], Awaitable[T]],
    *,
    watch: HealthObserver = ignore_health,
    part: Part | None = None,
    passes: Callable[[MatrixError], bool] = passes_by_itself,
) -> T:
    """Do `action` until the homeserver answers it; `part` is what waits with it.

    Only what `passes` is waited out, by default: no answer, 408, 425, 429, 5xx.

    Raises:
        MatrixError: The homeserver said no.
    """
    part = part or part_of_nobody()
    backoff = Backoff(watch, part=part)
    while True:
        part.step("asking the homeserver", LONGEST_REQUEST)
        try:
            result = await action()
        except MatrixError as error:
            if not passes(error):
                raise
            await trio.sleep(backoff.failed(error))
        else:
            backoff.succeeded()
            return result
