"""All the faults there are, in the order of the report: one module for each family."""

from __future__ import annotations

from typing import Final

from tests.faults import (
    agents,
    clocks,
    damages,
    databases,
    disks,
    kills,
    losses,
    members,
    sessions,
    steps,
    syncs,
    twins,
    weather,
)
from tests.faults.fault import Fault
from tests.lab.openapi import in_ci

FAULTS: Final[tuple[Fault, ...]] = (
    *kills.FAULTS,
    *steps.FAULTS,
    *weather.FAULTS,
    *losses.FAULTS,
    *syncs.FAULTS,
    *sessions.FAULTS,
    *databases.FAULTS,
    *damages.FAULTS,
    *disks.FAULTS,
    *clocks.FAULTS,
    *agents.FAULTS,
    *twins.FAULTS,
    *members.FAULTS,
)


def left_out() -> tuple[str, ...]:
    """Each of those that cannot happen on this machine, with the reason; in CI there is none."""
    return tuple(
        f"{fault.name}: {fault.missing}"
        for fault in FAULTS
        if fault.missing is not None and not in_ci()
    )


def faults_of(*, is_long: bool) -> tuple[Fault, ...]:
    """Those of the short form, or all, that can happen here; in CI each must be able to."""
    there = [fault for fault in FAULTS if fault.missing is None or in_ci()]
    return tuple(fault for fault in there if is_long or not fault.only_long)
