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


async def persist(call: Callable[[], Awaitable[T]]) -> T:
    """Make the request until it is answered, waiting as the homeserver asks.

    Raises:
        MatrixError: a refusal that no waiting will change, or that was waited for long enough.
    """
    pause = FIRST_PAUSE
    failing_since: float | None = None
    while True:
        try:
            return await call()
        except MatrixError as error:
            decision = decide_retry(error)
            if not isinstance(decision, Retry):
                raise
            if not decision.counted:
                failing_since = None
            elif failing_since is None:
                failing_since = trio.current_time()
            elif trio.current_time() - failing_since >= PATIENCE:
                raise
            await trio.sleep(decision.after or pause)
            pause = min(pause * 2, LONGEST_PAUSE)
