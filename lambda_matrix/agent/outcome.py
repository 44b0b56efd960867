"""How a run ended: from its terminal frame to a `RunOutcome`."""

from datetime import UTC, datetime

from lambda_matrix.agent.frames import RunErrorFrame, RunFinishedFrame, TokenUsage, WireInterrupt
from lambda_matrix.agent.strictness import JsonObject, json_text
from lambda_matrix.agent_events import (
    Interrupt,
    JsonText,
    RunCancelled,
    RunFailed,
    RunFinished,
    RunInterrupted,
    RunOutcome,
    Usage,
)


def outcome_of(frame: RunFinishedFrame | RunErrorFrame) -> RunOutcome:
    """Say how the run ended."""
    usage = _total(frame.usage or ())
    if isinstance(frame, RunErrorFrame):
        return RunFailed(frame.message, frame.code, usage)
    if frame.outcome is None or frame.outcome.type == "success":
        return RunFinished(usage)
    if frame.outcome.type == "cancelled":
        return RunCancelled(usage)
    return RunInterrupted(tuple(map(_interrupt, frame.outcome.interrupts)), usage)


def _interrupt(asked: WireInterrupt) -> Interrupt:
    return Interrupt(
        id=asked.id,
        reason=asked.reason,
        message=asked.message,
        tool_call_id=asked.tool_call_id,
        response_schema=_json(asked.response_schema),
        metadata=_json(asked.metadata),
        expires_at=None if asked.expires_at is None else _seconds(asked.expires_at),
    )


def _json(value: JsonObject | None) -> JsonText | None:
    return None if value is None else json_text(value)


def _seconds(moment: str) -> float | None:
    """Read an ISO 8601 time, in UTC if it does not say; None for what is none.

    The schema asks for any string: a time that cannot be read is no reason to lose the question.
    """
    try:
        read = datetime.fromisoformat(moment)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def _total(entries: tuple[TokenUsage, ...]) -> Usage | None:
    """Add up what the models of a run took; a sum of nothing counted is None, not 0."""
    read = [entry.input_tokens for entry in entries if entry.input_tokens is not None]
    wrote = [entry.output_tokens for entry in entries if entry.output_tokens is not None]
    if not read and not wrote:
        return None
    return Usage(sum(read) if read else None, sum(wrote) if wrote else None)
