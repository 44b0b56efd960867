"""The drawing of plans."""

from __future__ import annotations

from random import Random

from tests.faults.fault import Fault
from tests.faults.plan import draw
from tests.faults.world import World


async def nothing(world: World, draw: Random) -> None:
    pass


FAULTS = (
    *(Fault(name=f"number {number}", happen=nothing) for number in range(5)),
    Fault(name="alone", happen=nothing, combines=False),
)


def test_a_seed_gives_one_plan_always() -> None:
    assert draw(7, FAULTS) == draw(7, FAULTS)
    assert draw(7, FAULTS) != draw(8, FAULTS)
    plan = draw(7, FAULTS)
    assert plan.draw_for(plan.faults[0]).random() == plan.draw_for(plan.faults[0]).random()


def test_each_fault_has_its_turn_alone_and_later_with_another() -> None:
    plans = [draw(seed, FAULTS) for seed in range(60)]
    assert [plan.faults for plan in plans[: len(FAULTS)]] == [(fault,) for fault in FAULTS]
    combined = [plan.faults for plan in plans if len(plan.faults) > 1]
    assert combined
    assert all(fault.combines for faults in combined for fault in faults)
