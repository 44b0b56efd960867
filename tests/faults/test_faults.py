"""Everything that is said is answered exactly once, whatever happens in between.

Without more this is a smoke test of a few seeds. `make faults` has every fault once (the short
form, as in CI); `make chaos SEEDS=200` is the long form. Both write their report to build/ too.
CHAOS_SEED=17 before either replays one seed (or 17,18), CHAOS_FAULT=SIGKILL leaves out all other
faults, CHAOS_MINUTES=20 begins no run after so long.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import trio

from lambda_matrix.demo.homeserver import Homeserver
from tests.faults.campaign import Lab, run_plan
from tests.faults.catalogue import faults_of, left_out
from tests.faults.count import Tally
from tests.faults.plan import Plan, draw
from tests.faults.report import table
from tests.lab.homeserver_process import ROOT

SMOKE = 3
"""Seeds of `make test`."""
COMBINED = 6
"""Seeds of the short form after each fault has had its turn: some have two faults at once."""
LANES = 8
"""Runs at a time. One homeserver serves them all."""
MINUTES = float(os.environ.get("CHAOS_MINUTES", "inf"))
"""No run is begun after so many."""
FORM = os.environ.get("CHAOS_FORM", "")
"""Which target this is: "faults", "chaos", or the tests."""
IS_LONG = FORM == "chaos"


def plans() -> list[Plan]:
    faults = faults_of(is_long=IS_LONG)
    if one := os.environ.get("CHAOS_SEED"):
        return [draw(int(seed), faults) for seed in one.split(",")]
    seeds = int(os.environ.get("CHAOS_SEEDS", len(faults) + COMBINED if FORM else SMOKE))
    drawn = [draw(seed, faults) for seed in range(seeds)]
    wanted = os.environ.get("CHAOS_FAULT", "")
    return [plan for plan in drawn if wanted in plan.title]


@pytest.mark.timeout(7200)
async def test_all_that_is_said_is_answered_once(
    synapse: Homeserver, synapse_python: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tallies: dict[Plan, Tally] = {}
    lasted: dict[Plan, float] = {}
    lab = Lab(synapse, synapse_python, IS_LONG)
    drawn = plans()
    # Round by round, of each the longest first.
    faults = len(faults_of(is_long=IS_LONG))
    waiting = iter(sorted(drawn, key=lambda plan: (plan.seed // faults, plan.is_short)))

    began = trio.current_time()

    async def work() -> None:
        for plan in waiting:
            if trio.current_time() > began + MINUTES * 60:
                return
            from_now = trio.current_time()
            tallies[plan] = await run_plan(plan, lab, tmp_path / f"seed-{plan.seed}")
            lasted[plan] = trio.current_time() - from_now

    async with trio.open_nursery() as nursery:
        for _ in range(LANES):
            nursery.start_soon(work)
    took = trio.current_time() - began
    drawn = [plan for plan in drawn if plan in tallies]
    report = table({plan: tallies[plan] for plan in drawn})
    longest = sorted(drawn, key=lambda plan: -lasted[plan])[:5]
    report += f"\n\n{len(drawn)} seeds in {took:.0f} s; the longest: "
    report += ", ".join(f"{lasted[plan]:.0f} s ({plan.seed}: {plan.title})" for plan in longest)
    report += "".join(f"\nleft out: {each}" for each in left_out())
    if FORM:
        await trio.to_thread.run_sync(_keep, report)
    unclean = [plan for plan in drawn if not tallies[plan].is_clean]
    with capsys.disabled():
        print(f"\n{report}")  # noqa: T201  to be read
        for plan in unclean:
            print(f"seed {plan.seed} ({plan.title}):", *tallies[plan].notes, sep="\n  ")  # noqa: T201  to be read
            print(f"  replay: CHAOS_SEED={plan.seed} make {FORM or 'faults'}")  # noqa: T201  to be read
    assert not unclean, f"the logs are in {tmp_path}"


def _keep(report: str) -> None:
    file = ROOT / "build" / f"{FORM}.md"
    file.parent.mkdir(exist_ok=True)
    file.write_text(report + "\n", encoding="utf-8")
