"""The harness sees broken safety steps: the same runs, with a service that is broken on purpose."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from lambda_matrix.demo.homeserver import Homeserver
from tests.faults import weather
from tests.faults.campaign import Lab, run_plan
from tests.faults.fault import Fault
from tests.faults.mortal import TWICE
from tests.faults.plan import draw
from tests.faults.sabotage import Kind
from tests.faults.steps import mortal
from tests.faults.world import World

PATIENCE = 15.0
"""Seconds, at least, for what is lost: nobody waits for it longer."""
SEEDS = 3
"""The break need not be seen in each run, but in one of so many."""


def sabotaged(kind: Kind, steps: str, world: World) -> None:
    world.service.program = mortal(world, steps, "tests.faults.sabotage", kind.name)


async def nothing(world: World, _: object) -> None:
    pass


UNSEEN = next(fault for fault in weather.FAULTS if "neither" in fault.name)
BROKEN = {
    Kind.EARLY_TOKEN: (TWICE + "move_token", nothing),
    Kind.LATE_ID: ("no step", UNSEEN.happen),
    Kind.SPLIT_T2: (TWICE + "mark_done", nothing),
}


@pytest.mark.long
@pytest.mark.parametrize("kind", Kind)
async def test_a_broken_step_is_seen(
    synapse: Homeserver, synapse_python: Path, tmp_path: Path, kind: Kind
) -> None:
    steps, happen = BROKEN[kind]
    fault = Fault(
        name=kind.value, prepare=partial(sabotaged, kind, steps), happen=happen, patience=PATIENCE
    )
    lab = Lab(synapse, synapse_python, is_long=False)
    for seed in range(SEEDS):
        tally = await run_plan(draw(seed, [fault]), lab, tmp_path / str(seed))
        if not tally.is_clean:
            return
    pytest.fail(f"nobody sees that {kind.value}")
