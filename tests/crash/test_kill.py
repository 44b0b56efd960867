"""Every question is answered exactly once, with kill -9 at any moment in between.

CRASH_SEEDS=300   runs so many seeds (`make crash`: 50, as CI does; else a short form of 6)
CRASH_SEED=17     runs this one alone
"""

from __future__ import annotations

import os
import traceback
from pathlib import Path

import pytest
import trio

from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.person import NotSeenError
from lambda_matrix.demo.processes import ChildError
from tests.crash.campaign import run_seed
from tests.crash.count import Tally
from tests.crash.plan import Plan, draw

SEEDS = 6
LANES = 6
"""Runs at a time. One homeserver serves them all."""


def plans() -> list[Plan]:
    if one := os.environ.get("CRASH_SEED"):
        return [draw(int(one))]
    return [draw(seed) for seed in range(int(os.environ.get("CRASH_SEEDS", SEEDS)))]


@pytest.mark.timeout(3600)
async def test_every_question_is_answered_once(
    synapse: Homeserver, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tallies: dict[Plan, Tally] = {}
    errors: dict[int, str] = {}
    lanes = trio.CapacityLimiter(LANES)

    async def run(plan: Plan) -> None:
        async with lanes:
            try:
                tallies[plan] = await run_seed(plan, synapse, tmp_path / f"seed-{plan.seed}")
            except* (NotSeenError, ChildError) as error:
                tallies[plan] = Tally(asked=len(plan.questions), lost=len(plan.questions))
                errors[plan.seed] = "".join(traceback.format_exception(error))

    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for plan in plans():
            nursery.start_soon(run, plan)
    took = trio.current_time() - began
    with capsys.disabled():
        print(f"\n{table(tallies)}\n{len(tallies)} seeds in {took:.0f} s")  # noqa: T201  to be read
    unclean = [plan.seed for plan, tally in tallies.items() if not tally.is_clean]
    assert not unclean, (
        f"seeds {unclean} went wrong; replay one: CRASH_SEED={unclean[0]} make unit "
        f"ARGS=tests/crash; the logs are in {tmp_path}\n" + "\n".join(errors.values())
    )


def table(tallies: dict[Plan, Tally]) -> str:
    """The counts by the moment of each run's first kill, and in all."""
    rows: dict[str, Tally] = {}
    runs: dict[str, int] = {}
    for plan, tally in tallies.items():
        for name in (plan.kills[0].moment.value, "in all"):
            rows.setdefault(name, Tally()).add(tally)
            runs[name] = runs.get(name, 0) + 1
    columns = ["kills", "late", "asked", "answered", "lost", "twice"]
    columns += ["out_of_order", "wrong_room", "wrong_text"]
    head = "| first to be killed when | runs | " + " | ".join(columns) + " |"
    lines = [head, "| --- " * (len(columns) + 2) + "|"]
    for name, tally in sorted(rows.items(), key=lambda row: (row[0] == "in all", row[0])):
        numbers = " | ".join(str(getattr(tally, column)) for column in columns)
        lines.append(f"| {name} | {runs[name]} | {numbers} |")
    return "\n".join(lines)
