"""Idempotent requests, made until they are answered.

A change that the homeserver shall keep (a name, a binding, a Space's child) is asked for before it
is noted here: cut off in between, it is simply asked for again.

A homeserver that is away is waited for, however long: nobody could be told anything meanwhile. One
that is there and fails at this very request is waited for only so long, since a room waits with it.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from lambda_matrix.client_server_api.errors import MatrixError, Retry, decide_retry

T = TypeVar("T")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
PATIENCE = 120.0
"""Seconds for which the homeserver may answer one request with what may be for good (a 500)."""
HANGING = 60.0
"""Seconds after which no answer is silence about one thing: who is away is known sooner."""

Failing = Callable[[MatrixError, Retry, float], bool]
"""Whether an error that came after so many seconds says that the homeserver fails at this."""


def _is_counted(_error: MatrixError, decision: Retry, _took: float) -> bool:
    return decision.counted


def fails_or_hangs(_error: MatrixError, decision: Retry, took: float) -> bool:
    """Return whether the homeserver fails at this, or says nothing to it."""
    return decision.counted or took >= HANGING


async def _say_nothing(_error: MatrixError, _wait: float) -> None:
    """Whoever waits knows why."""


async def persist(
    call: Callable[[], Awaitable[T]],
    *,
    is_failing: Failing = _is_counted,
    patience: float = PATIENCE,
    told: Callable[[MatrixError, float], Awaitable[None]] = _say_nothing,
) -> T:
    """Make the request until it is answered, waiting as the homeserver asks.

    For `patience` seconds in a row it may fail (`is_failing`). Before each wait `told` hears of the
    error and of the seconds that are to be waited.

    Raises:
        MatrixError: a refusal that no waiting will change, or that was waited for long enough.
    """
    pause = FIRST_PAUSE
    failing_since: float | None = None
    while True:
        began = trio.current_time()
        try:
            return await call()
        except MatrixError as error:
            decision = decide_retry(error)
            if not isinstance(decision, Retry):
                raise
            now = trio.current_time()
            if not is_failing(error, decision, now - began):
                failing_since = None
            elif failing_since is None:
                failing_since = began
            elif now - failing_since >= patience:
                raise
            wait = decision.after or pause
            await told(error, wait)
            await trio.sleep(wait)
            pause = min(pause * 2, LONGEST_PAUSE)
