"""SIGKILL at every durable step: in each transaction that changes something, and right after it."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Final

from attrs import evolve

from lambda_matrix.demo.processes import Program
from tests.faults.fault import Fault, Meanwhile, Stage
from tests.faults.mortal import FORGET, TWICE
from tests.faults.world import World
from tests.lab.homeserver_process import ROOT

_PARTS: Final = 6
"""Runs among which the steps are divided."""


def mortal(world: World, steps: str, *launcher: str) -> Program:
    """The same service, which dies at such steps (`tests.faults.mortal`)."""
    program = world.service.program
    interpreter, option, _, *arguments = program.command
    launched = [interpreter, option, *(launcher or ("tests.faults.mortal",))]
    ledger = program.log.with_name("deaths")
    return evolve(program, command=[*launched, str(ledger), steps, *arguments], directory=ROOT)


def deaths(world: World) -> list[str]:
    """At which steps the service has died, in order."""
    ledger = world.service.program.log.with_name("deaths")
    return ledger.read_text().splitlines() if ledger.exists() else []


def _prepare(steps: str, world: World) -> None:
    twice = TWICE if world.is_long and not steps.startswith(FORGET) else ""
    world.service.program = mortal(world, twice + steps)


async def _watch(world: World, _: Random) -> None:
    """The service sees to its deaths itself; that it dies at all is to be seen."""
    await world.onboarded.wait()
    assert deaths(world)


def _parts(name: str, prefix: str, *, only_long: bool = False) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            name=name,
            prepare=partial(_prepare, f"{prefix}{part}/{_PARTS}"),
            happen=_watch,
            stage=Stage.ONBOARDING,
            meanwhile=Meanwhile.COMMAND,
            combines=False,
            excuses=bool(prefix),
            patience=120,
            only_long=only_long,
        )
        for part in range(1, _PARTS + 1)
    )


FAULTS: Final = (
    *_parts("SIGKILL at every durable step", ""),
    *_parts("the database is deleted at every durable step", FORGET, only_long=True),
)
