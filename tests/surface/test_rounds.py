"""Whole rounds of /sync."""

import trio
import trio.testing

from lambda_matrix.surface.rounds import Rounds


async def test_the_round_under_way_does_not_count(
    nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    rounds = Rounds()
    whole = trio.Event()

    async def wait() -> None:
        await rounds.wait_whole()
        whole.set()

    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    rounds.end()
    await trio.testing.wait_all_tasks_blocked()
    assert not whole.is_set(), "it may have begun before what we wait to see"
    rounds.end()
    await trio.testing.wait_all_tasks_blocked()
    assert whole.is_set()


async def test_the_age_is_counted_from_the_last_batch(
    autojump_clock: trio.testing.MockClock,
) -> None:
    rounds = Rounds()
    assert rounds.age is None
    rounds.end()
    await trio.sleep(3)
    assert rounds.age == 3
