from __future__ import annotations

import logging
import random

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.client_server_api.backoff import (
    Backoff,
    Health,
    HomeserverAway,
    HomeserverBack,
    wait_for,
)
from lambda_matrix.client_server_api.errors import HomeserverUnreachable, MatrixError
from lambda_matrix.pulse import LONGEST_STORING, Part, Step

CUT = HomeserverUnreachable("cut")


def test_the_waits_grow_to_a_minute_and_never_vanish() -> None:
    backoff = Backoff(clock=float, random=random.Random(1))  # noqa: S311 - the same waits in every run

    waits = [backoff.failed(CUT) for _ in range(200)]

    for wait, bound in zip(waits, [1, 2, 4, 8, 16, 32, *[60] * 194], strict=True):
        assert bound / 10 <= wait <= bound
    assert max(waits) > 50
    assert min(waits[6:]) < 15


def test_a_success_starts_over() -> None:
    backoff = Backoff(clock=float)
    for _ in range(10):
        backoff.failed(CUT)

    backoff.succeeded()

    assert backoff.failed(CUT) <= 1


def test_the_wait_that_the_server_asks_for_is_kept() -> None:
    part = Part("the sync loop", float)
    backoff = Backoff(clock=float, part=part)
    assert backoff.failed(MatrixError("slow", status=429, retry_after=100.0)) == 100.0
    assert part.at == Step("waiting for the homeserver", 0, 100 + LONGEST_STORING)


def test_going_and_coming_back_are_told_once(caplog: pytest.LogCaptureFixture) -> None:
    told: list[Health] = []
    times = iter([1000.0, 1090.0])
    backoff = Backoff(told.append, clock=lambda: next(times))

    with caplog.at_level(logging.INFO):
        backoff.succeeded()
        backoff.failed(CUT)
        backoff.failed(CUT)
        backoff.succeeded()
        backoff.succeeded()

    assert told == [HomeserverAway("cut"), HomeserverBack(90.0)]
    assert [record.getMessage() for record in caplog.records] == [
        "the homeserver is away, waiting for it: cut",
        "the homeserver is back after 90 s",
    ]


async def test_what_passes_is_waited_out(jumping_clock: MockClock) -> None:
    troubles: list[MatrixError] = [
        CUT,
        MatrixError("bad gateway", status=502),
        MatrixError("slow", status=429, errcode="M_LIMIT_EXCEEDED", retry_after=300.0),
        MatrixError("oops", status=500, errcode="M_UNKNOWN"),
    ]
    began = jumping_clock.current_time()

    async def action() -> str:
        await trio.lowlevel.checkpoint()
        if troubles:
            raise troubles.pop(0)
        return "answer"

    assert await wait_for(action) == "answer"
    assert jumping_clock.current_time() - began >= 300


async def test_a_no_is_not_waited_out() -> None:
    async def action() -> None:
        await trio.lowlevel.checkpoint()
        raise MatrixError("no", status=403, errcode="M_FORBIDDEN")

    with pytest.raises(MatrixError):
        await wait_for(action)
