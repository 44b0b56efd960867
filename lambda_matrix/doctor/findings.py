"""What a check finds: a closed union. A sentence says what is; another what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from attrs import frozen

from lambda_matrix.exits import Exit


@frozen
class Passed:
    """It is as it should be."""

    what: str


@frozen
class Warned:
    """It works, but somebody should look at it."""

    what: str
    advice: str


@frozen
class Failed:
    """The service cannot work like this. `status` is what the command ends with for it."""

    what: str
    advice: str
    status: Exit = Exit.CONFIGURATION


@frozen
class Skipped:
    """It could not be looked at, or there is nothing to be looked at; `what` says why."""

    what: str
    advice: str = ""


Finding = Passed | Warned | Failed | Skipped

OK = 0
_GRAVEST_FIRST = (
    Exit.CONFIGURATION,
    Exit.SESSION_DEAD,
    Exit.DATABASE_DAMAGED,
    Exit.DISK_REFUSES,
    Exit.HOMESERVER_AWAY,
)
"""Which of several faults the exit status names: what no waiting mends goes first."""


def status_of(findings: Sequence[Finding]) -> int:
    """Return the exit status: 0 where no fault was found."""
    found = {finding.status for finding in findings if isinstance(finding, Failed)}
    if not found:
        return OK
    return next((status for status in _GRAVEST_FIRST if status in found), Exit.FAULT)


def outcome_of(finding: Finding) -> str:
    """Return the word that a line begins with."""
    match finding:
        case Passed():
            return "ok"
        case Warned():
            return "warning"
        case Failed():
            return "fault"
        case Skipped():
            return "skipped"
        case _:
            assert_never(finding)


def advice_of(finding: Finding) -> str:
    """Return what to do; nothing for what is well."""
    return "" if isinstance(finding, Passed) else finding.advice
