"""The account's one pace."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from attrs import define
from trio.testing import MockClock

from lambda_matrix.store.records import Priority
from lambda_matrix.surface.sending.pace import (
    BURST,
    EDGE_MOST,
    MEMORY,
    PERIOD_MOST,
    Pace,
)

PAUSE = 0.5
"""Seconds that Synapse takes to refuse."""


@define
class Bucket:
    """A homeserver's limit as Synapse counts it: so many at once, then one each `period`."""

    period: float = 5.0
    burst: int = BURST
    level: float = 0.0
    _at: float = 0.0

    def refuses(self) -> float | None:
        """Take one event in, or return the seconds after which there is room for one."""
        now = trio.current_time()
        self.level = max(0.0, self.level - (now - self._at) / self.period)
        self._at = now
        if self.level > self.burst - 1 + 1e-9:
            return (self.level - (self.burst - 1)) * self.period
        self.level += 1
        return None


@define
class Account:
    """A bot of which `bucket` is the homeserver."""

    bucket: Bucket
    pace: Pace
    refused: int = 0

    async def send(self) -> bool:
        retry_after = self.bucket.refuses()
        if retry_after is None:
            self.pace.succeed()
            return True
        self.refused += 1
        await trio.sleep(PAUSE)
        self.pace.slow_down(retry_after)
        return False

    async def deliver(self, priority: Priority = Priority.FINAL) -> float:
        """Send until it is there; return how long that took."""
        began = trio.current_time()
        await self.pace.turn(priority)
        while not await self.send():
            await self.pace.turn(priority)
        return trio.current_time() - began

    async def fill(self) -> None:
        """Send until the limit is known."""
        while not self.refused:
            await self.deliver()
        for _ in range(5):
            await self.deliver()


async def test_without_a_limit_nobody_waits(autojump_clock: MockClock) -> None:
    pace = Pace()
    began = trio.current_time()
    for _ in range(100):
        await pace.turn(Priority.FINAL)
        pace.succeed()
        assert pace.wait_for_room(100) == 0
    assert trio.current_time() == began
    assert pace.period == 0


async def test_a_429_closes_the_door_for_as_long_as_it_asks(autojump_clock: MockClock) -> None:
    pace = Pace()
    await pace.turn(Priority.FINAL)
    pace.slow_down(4.0)
    began = trio.current_time()
    await pace.turn(Priority.FINAL)
    assert trio.current_time() - began == 4.0


async def test_a_429_that_asks_for_less_opens_the_door_earlier(autojump_clock: MockClock) -> None:
    pace = Pace()
    pace.slow_down(10.0)
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pace.turn, Priority.FINAL)
        await trio.testing.wait_all_tasks_blocked()
        pace.slow_down(1.0)
    assert trio.current_time() - began == 1.0


async def test_the_most_wanted_goes_first(autojump_clock: MockClock) -> None:
    pace = Pace()
    pace.slow_down(1.0)
    order: list[str] = []

    async def want(name: str, priority: Priority) -> None:
        await pace.turn(priority)
        order.append(name)

    async with trio.open_nursery() as nursery:
        for name, priority in (
            ("first 1", Priority.FIRST),
            ("first 2", Priority.FIRST),
            ("final 1", Priority.FINAL),
        ):
            nursery.start_soon(want, name, priority)
            await trio.testing.wait_all_tasks_blocked()
        # The head of the line is overtaken while it waits for the door.
        nursery.start_soon(want, "final 2", Priority.FINAL)
    assert order == ["final 1", "final 2", "first 1", "first 2"]


async def test_who_is_cancelled_leaves_the_line(autojump_clock: MockClock) -> None:
    pace = Pace()
    pace.slow_down(10.0)
    with trio.move_on_after(1.0) as scope:
        await pace.turn(Priority.FINAL)
    assert scope.cancelled_caught
    await pace.turn(Priority.FIRST)
    assert trio.current_time() >= 10.0 - 1.0


async def test_nothing_goes_past_somebody_who_waits(autojump_clock: MockClock) -> None:
    pace = Pace()
    pace.slow_down(2.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pace.turn, Priority.FINAL)
        await trio.testing.wait_all_tasks_blocked()
        assert pace.wait_for_room(0) == 4
    assert pace.wait_for_room(0) == 2
    await trio.sleep(2)
    assert pace.wait_for_room(0) == 0


async def test_the_period_is_learned_in_few_429s_and_then_kept(autojump_clock: MockClock) -> None:
    account = Account(Bucket(), Pace())
    await account.fill()
    assert 4.5 <= account.pace.period <= 5.0
    assert account.refused <= 3


@pytest.mark.parametrize("head_start", [0.0, 2.0, 9.0, 12.0, 30.0])
async def test_a_homeserver_that_is_asked_much_refuses_little(
    autojump_clock: MockClock, head_start: float
) -> None:
    """However full the bucket was when the rush began."""
    account = Account(Bucket(), Pace())
    for _ in range(BURST - 1):
        await account.deliver()
    await trio.sleep(head_start)
    began = trio.current_time()
    for _ in range(100):
        await account.deliver()
    assert account.refused <= 4 + 2 * 100 / EDGE_MOST
    assert trio.current_time() - began <= 100 * 5.0 + PAUSE, "and nothing of its pace is wasted"


async def test_what_was_left_unsent_can_be_sent_later(autojump_clock: MockClock) -> None:
    account = Account(Bucket(), Pace())
    await account.fill()
    refused = account.refused
    await trio.sleep(1000)
    assert [await account.deliver() for _ in range(BURST)] == [0.0] * BURST
    assert 4.5 <= await account.deliver() <= 5.5
    assert account.refused <= refused + 1


async def test_previews_leave_room_for_finals(autojump_clock: MockClock) -> None:
    account = Account(Bucket(), Pace())
    await account.fill()
    await trio.sleep(1000)
    previews = 0
    while account.pace.wait_for_room(4) == 0:
        await account.deliver(Priority.PREVIEW)
        previews += 1
    assert previews == BURST - 4
    assert [await account.deliver() for _ in range(4)] == [0.0] * 4
    assert account.pace.wait_for_room(4) == pytest.approx(5 * account.pace.period)


async def test_more_than_there_can_ever_be_room_for_is_not_waited_for(
    autojump_clock: MockClock,
) -> None:
    account = Account(Bucket(), Pace())
    await account.fill()
    await trio.sleep(1000)
    assert account.pace.wait_for_room(100) == 0
    await account.deliver()
    assert account.pace.wait_for_room(100) == pytest.approx(account.pace.period)


async def test_a_homeserver_that_becomes_faster_is_found_out(autojump_clock: MockClock) -> None:
    account = Account(Bucket(), Pace())
    await account.fill()
    account.bucket.period = 0.001
    for _ in range(10 * EDGE_MOST):
        await account.deliver()
    assert account.pace.period < 0.05


async def test_what_was_learned_long_ago_is_forgotten(autojump_clock: MockClock) -> None:
    account = Account(Bucket(), Pace())
    await account.fill()
    await trio.sleep(MEMORY + 1)
    await account.deliver()
    assert account.pace.period == 0


async def test_what_others_sent_is_no_measure(autojump_clock: MockClock) -> None:
    account = Account(Bucket(), Pace())
    await account.deliver()
    await trio.sleep(600)
    account.bucket.level = BURST
    account.bucket.refuses()
    account.bucket.level = BURST
    assert await account.deliver() == 5.0 + PAUSE
    assert account.pace.period == 5.0


async def test_no_homeserver_makes_it_slower_than_that() -> None:
    pace = Pace()
    pace.slow_down(1000.0)
    assert pace.period == PERIOD_MOST
