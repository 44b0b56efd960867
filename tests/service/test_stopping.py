"""What becomes of SIGTERM, and of the second one."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from lambda_matrix.service.stopping import Stopping


@asynccontextmanager
async def obeying() -> AsyncIterator[tuple[Stopping, trio.CancelScope]]:
    """Signals are obeyed; the scope is what they end."""
    async with trio.open_nursery() as nursery:
        with trio.CancelScope() as everything:
            stopping = Stopping(everything)
            await nursery.start(stopping.obey)
            yield stopping, everything
        nursery.cancel_scope.cancel()


async def test_what_is_not_at_work_yet_ends_at_once() -> None:
    async with obeying() as (stopping, everything):
        signal.raise_signal(signal.SIGTERM)
        await trio.Event().wait()
    assert everything.cancelled_caught
    assert stopping.is_asked


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_who_waits_is_told_first_and_the_second_one_ends_it(number: signal.Signals) -> None:
    async with obeying() as (stopping, everything), trio.open_nursery() as nursery:
        nursery.start_soon(stopping.wait)
        await wait_all_tasks_blocked()
        signal.raise_signal(number)
        await stopping.wait()
        await wait_all_tasks_blocked()
        assert not everything.cancel_called
        signal.raise_signal(number)
        await trio.Event().wait()
    assert everything.cancelled_caught


async def test_who_has_gone_is_not_waited_for() -> None:
    async with obeying() as (stopping, everything):
        with trio.move_on_after(0):
            await stopping.wait()
        signal.raise_signal(signal.SIGTERM)
        await trio.Event().wait()
    assert everything.cancelled_caught
