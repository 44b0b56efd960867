"""How many runs there are at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from attrs import define, evolve, field
from trio.testing import wait_all_tasks_blocked

from lambda_matrix.conversation.limits import Limits
from lambda_matrix.ids import UserId
from lambda_matrix.surface.runs.slots import Place, Slots
from tests.surface.bridging import POLICY

ANNA, BORIS, CLARA = (UserId(f"@{name}:example.org") for name in ("anna", "boris", "clara"))


@define
class Floor:
    """Runs that go on until they are told to end."""

    slots: Slots
    nursery: trio.Nursery
    at_work: list[UserId] = field(factory=list)

    async def run(self, user_id: UserId) -> trio.CancelScope:
        """Begin a run, which may have to wait; give what ends it."""
        scope = trio.CancelScope()
        self.nursery.start_soon(self._run, self.slots.stand_in_line(user_id), scope)
        await wait_all_tasks_blocked()
        return scope

    async def _run(self, place: Place, scope: trio.CancelScope) -> None:
        with scope:
            async with self.slots.taken(place):
                self.at_work.append(place.user_id)
                try:
                    await trio.sleep_forever()
                finally:
                    self.at_work.remove(place.user_id)

    async def end(self, scope: trio.CancelScope) -> None:
        scope.cancel()
        await wait_all_tasks_blocked()


@asynccontextmanager
async def open_floor(runs: int, each: int) -> AsyncIterator[Floor]:
    policy = evolve(POLICY, runs=runs, limits=Limits(runs=each))
    async with trio.open_nursery() as nursery:
        yield Floor(Slots(policy), nursery)
        nursery.cancel_scope.cancel()


async def test_who_has_enough_waits_for_themselves_alone() -> None:
    async with open_floor(runs=10, each=2) as floor:
        first = await floor.run(ANNA)
        for user_id in (ANNA, ANNA, BORIS):
            await floor.run(user_id)
        assert floor.at_work == [ANNA, ANNA, BORIS]
        await floor.end(first)
        assert floor.at_work == [ANNA, BORIS, ANNA]


async def test_those_who_wait_for_all_begin_in_order() -> None:
    async with open_floor(runs=1, each=1) as floor:
        first = await floor.run(ANNA)
        second = await floor.run(BORIS)
        await floor.run(CLARA)
        await floor.end(first)
        assert floor.at_work == [BORIS]
        await floor.end(second)
        assert floor.at_work == [CLARA]


async def test_who_gives_up_waiting_leaves_the_line() -> None:
    async with open_floor(runs=1, each=1) as floor:
        first = await floor.run(ANNA)
        gives_up = await floor.run(BORIS)
        await floor.run(CLARA)
        await floor.end(gives_up)
        await floor.end(first)
        assert floor.at_work == [CLARA]


@pytest.mark.parametrize(("each", "is_own_fault"), [(1, True), (5, False)])
async def test_it_is_known_whose_fault_the_waiting_is(each: int, *, is_own_fault: bool) -> None:
    async with open_floor(runs=1, each=each) as floor:
        await floor.run(ANNA)
        place = floor.slots.stand_in_line(ANNA)
        assert place.is_own_fault is is_own_fault
        assert floor.slots.is_waiting(place)


async def test_who_is_done_is_not_kept() -> None:
    async with open_floor(runs=1, each=1) as floor:
        await floor.end(await floor.run(ANNA))
        assert not floor.slots._running
