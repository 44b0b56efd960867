"""The rounds of /sync."""

import trio
import trio.testing

from lambda_matrix.surface.rounds import Rounds


async def test_whoever_waits_is_told_of_the_next_batch(nursery: trio.Nursery) -> None:
    rounds = Rounds()
    told = trio.Event()

    async def wait() -> None:
        await rounds.wait_next()
        told.set()

    rounds.end()
    nursery.start_soon(wait)
    await trio.testing.wait_all_tasks_blocked()
    assert not told.is_set(), "a batch from before does not count"
    rounds.end()
    await trio.testing.wait_all_tasks_blocked()
    assert told.is_set()


async def test_the_age_is_counted_from_the_last_batch(
    autojump_clock: trio.testing.MockClock,
) -> None:
    rounds = Rounds()
    assert rounds.age is None
    rounds.end()
    await trio.sleep(3)
    assert rounds.age == 3
