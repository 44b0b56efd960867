"""The account's one pace."""

import trio
import trio.testing

from lambda_matrix.store.records import Priority
from lambda_matrix.surface.sending.pace import INTERVAL_MOST, Pace


async def test_without_a_limit_nobody_waits(autojump_clock: trio.testing.MockClock) -> None:
    pace = Pace()
    began = trio.current_time()
    for _ in range(100):
        await pace.turn(Priority.FINAL)
        pace.succeed()
    assert trio.current_time() == began
    assert not pace.limited


async def test_a_429_closes_the_door_for_as_long_as_it_asks(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pace = Pace()
    await pace.turn(Priority.FINAL)
    pace.slow_down(4.0)
    assert pace.limited
    began = trio.current_time()
    await pace.turn(Priority.FINAL)
    assert trio.current_time() - began == 4.0


async def test_the_most_wanted_goes_first(autojump_clock: trio.testing.MockClock) -> None:
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


async def test_who_is_cancelled_leaves_the_line(autojump_clock: trio.testing.MockClock) -> None:
    pace = Pace()
    pace.slow_down(10.0)
    with trio.move_on_after(1.0) as scope:
        await pace.turn(Priority.FINAL)
    assert scope.cancelled_caught
    await pace.turn(Priority.FIRST)
    assert trio.current_time() >= 10.0 - 1.0


async def test_previews_go_only_through_an_open_door(
    autojump_clock: trio.testing.MockClock,
) -> None:
    pace = Pace()
    assert pace.try_turn()
    pace.slow_down(2.0)
    assert not pace.try_turn()
    await trio.sleep(2.0)
    assert pace.try_turn()
    assert not pace.try_turn(), "the interval between events holds for previews too"


async def test_success_opens_the_pace_again(autojump_clock: trio.testing.MockClock) -> None:
    pace = Pace()
    pace.slow_down(1000.0)
    assert pace.interval == INTERVAL_MOST
    for _ in range(100):
        pace.succeed()
    assert pace.interval == 0.0
