"""SIGKILL at every durable step: in each transaction that changes something, and right after it."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import Final

from attrs import evolve

from lambda_matrix.demo.processes import Program
from tests.faults.fault import Fault, Meanwhile, Stage
from tests.faults.world import World
from tests.lab.homeserver_process import ROOT

_PARTS: Final = 6
"""Runs among which the steps are divided."""


def _mortal(part: int, program: Program) -> Program:
    """The same service, which dies (`tests.faults.mortal`)."""
    interpreter, option, _, *arguments = program.command
    ledger = program.log.with_name("deaths")
    command = [interpreter, option, "tests.faults.mortal", str(ledger), str(part), str(_PARTS)]
    return evolve(program, command=[*command, *arguments], directory=ROOT)


def deaths(world: World) -> list[str]:
    """At which steps the service has died, in order."""
    ledger = world.service.program.log.with_name("deaths")
    return ledger.read_text().splitlines() if ledger.exists() else []


async def _watch(world: World, _: Random) -> None:
    """The service sees to its deaths itself; that it dies at all is to be seen."""
    await world.onboarded.wait()
    assert deaths(world)


def _prepare(part: int, world: World) -> None:
    world.service.program = _mortal(part, world.service.program)


FAULTS: Final = tuple(
    Fault(
        name="SIGKILL at every durable step",
        prepare=partial(_prepare, part),
        happen=_watch,
        stage=Stage.ONBOARDING,
        meanwhile=Meanwhile.COMMAND,
        combines=False,
        patience=120,
    )
    for part in range(_PARTS)
)
