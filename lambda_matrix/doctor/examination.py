"""Checks side by side, each with its time; what they find comes in the order of the checks."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

import trio
from attrs import frozen

from lambda_matrix.doctor.findings import Failed, Finding, Skipped
from lambda_matrix.exits import Exit

_logger = logging.getLogger(__name__)

TIME_LIMIT = 10.0
"""Seconds that one check may take."""
FOR_LOOKING = 8.0
"""Seconds that something may take which says itself that there was no time."""

Findings = tuple[Finding, ...]


@frozen
class Check:
    """What is looked at, in two or three words, and how."""

    name: str
    look: Callable[[], Awaitable[Findings]]


@frozen
class Examined:
    """What one check has found."""

    group: str
    check: str
    findings: Findings


async def examine(group: str, checks: Sequence[Check]) -> tuple[Examined, ...]:
    """Make all of the checks at once."""
    found: dict[str, Findings] = {}
    async with trio.open_nursery() as nursery:
        for check in checks:
            nursery.start_soon(_examine_one, check, found)
    return tuple(Examined(group, check.name, found[check.name]) for check in checks)


async def _examine_one(check: Check, found: dict[str, Findings]) -> None:
    try:
        with trio.fail_after(TIME_LIMIT):
            found[check.name] = await check.look()
    except trio.TooSlowError:
        found[check.name] = (
            Skipped(f"{check.name}: not known within {TIME_LIMIT:.0f} s", "try again later"),
        )
    except Exception as error:
        # A fault barrier: a check that is wrong must not hide what the others found.
        _logger.debug("the check %s failed", check.name, exc_info=error)
        found[check.name] = (
            Failed(
                f"{check.name}: the check itself failed ({type(error).__name__}: {error})",
                "this is a fault of lambda-matrix: please report it",
                Exit.FAULT,
            ),
        )


def look_in_thread(look: Callable[[], Findings]) -> Callable[[], Awaitable[Findings]]:
    """Have something that blocks be a check: a file system that hangs is left behind."""

    async def looking() -> Findings:
        return await trio.to_thread.run_sync(look, abandon_on_cancel=True)

    return looking
