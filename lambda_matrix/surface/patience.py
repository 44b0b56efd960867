"""Idempotent requests, made until they are answered.

A change that the homeserver shall keep (a name, a binding, a Space's child) is asked for before it
is noted here: cut off in between, it is simply asked for again.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from lambda_matrix.client_server_api.errors import MatrixError, Retry, decide_retry

T = TypeVar("T")

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0


async def persist(call: Callable[[], Awaitable[T]]) -> T:
    """Make the request until it is answered, waiting as the homeserver asks.

    Raises:
        MatrixError: a refusal that no waiting will change.
    """
    pause = FIRST_PAUSE
    while True:
        try:
            return await call()
        except MatrixError as error:
            decision = decide_retry(error)
            if not isinstance(decision, Retry):
                raise
            await trio.sleep(decision.after or pause)
            pause = min(pause * 2, LONGEST_PAUSE)
