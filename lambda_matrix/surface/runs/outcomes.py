"""How runs and questions end, each in a word: for metrics."""

from typing import Final, assert_never

from lambda_matrix.agent_events import (
    RunCancelled,
    RunFailed,
    RunFailure,
    RunFinished,
    RunInterrupted,
    RunOutcome,
)
from lambda_matrix.conversation.ending import ASKED
from lambda_matrix.surface.runs.running import End

_NOT_REACHED: Final = frozenset(
    {RunFailure.UNREACHABLE, RunFailure.HANDSHAKE_REFUSED, RunFailure.UNAUTHORIZED}
)
"""Failures of a run that never began at the agent."""
PARKED: Final = "parked"
"""The service was stopped: the run begins anew at the next start."""

ANSWERS: Final = (
    "answered",
    ASKED,
    "empty",
    "cancelled",
    "stopped",
    *(failure.value for failure in RunFailure),
)
"""What a question's answer may be (`conversation.ending`)."""


def outcome_of_run(outcome: RunOutcome | None, failure: RunFailure | None, end: End | None) -> str:
    """Return how a run ended: as the agent said, or how it failed, or why it was cut off."""
    if failure is not None:
        return failure.value
    match outcome:
        case RunFinished():
            return "finished"
        case RunInterrupted():
            return "interrupted"
        case RunCancelled():
            return "cancelled"
        case RunFailed():
            return RunFailure.RUN_ERROR.value
        case None:
            return PARKED if end is None else end.value
        case _:
            assert_never(outcome)


def was_reached(outcome: RunOutcome | None, failure: RunFailure | None) -> bool | None:
    """Return whether the agent could be reached; None of a run that was cut off: nobody knows."""
    if failure is not None:
        return failure not in _NOT_REACHED
    return None if outcome is None else True
