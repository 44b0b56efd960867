"""All the faults there are, in the order of the report: one module for each family."""

from __future__ import annotations

from typing import Final

from tests.faults import kills, losses, sessions, syncs, weather
from tests.faults.fault import Fault

FAULTS: Final[tuple[Fault, ...]] = (
    *kills.FAULTS,
    *weather.FAULTS,
    *losses.FAULTS,
    *syncs.FAULTS,
    *sessions.FAULTS,
)


def faults_of(*, is_long: bool) -> tuple[Fault, ...]:
    """Those of the short form, or all."""
    return tuple(fault for fault in FAULTS if is_long or not fault.only_long)
