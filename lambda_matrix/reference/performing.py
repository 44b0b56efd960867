"""Takes the steps of a rehearsed run one by one. The only place where they meet the world."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import trio
from attrs import evolve

from lambda_matrix.reference.run_input import Message
from lambda_matrix.reference.safe_files import put_file
from lambda_matrix.reference.steps import (
    Ask,
    BareFrame,
    BreakOff,
    Fail,
    Pause,
    Silence,
    Spend,
    Step,
    WriteFile,
)
from lambda_matrix.reference.telling import Done, Telling
from lambda_matrix.reference.wire import (
    Interrupt,
    TextChunk,
    TextContent,
    TextStart,
    Usage,
)
from lambda_matrix.reference.workspace import parts_of


async def take_steps(
    steps: Iterator[Step], telling: Telling, usage: Usage
) -> Done | Fail | BreakOff:
    """Take every step; return how the run ends. `usage` is what the question has cost.

    Raises:
        OSError: a file cannot be written.
        Whatever sending raises.
    """
    interrupts: tuple[Interrupt, ...] = ()
    spent: Usage | None = None
    for step in steps:
        match step:
            case Pause(seconds=seconds):
                await trio.sleep(seconds)
            case Silence():
                await trio.sleep_forever()
            case BareFrame(text=text):
                await telling.send(text)
            case WriteFile():
                await trio.to_thread.run_sync(_write, step)
            case Spend(usage=claimed):
                spent = claimed
            case BreakOff() | Fail():
                return step
            case Ask():
                interrupts = _dated(step)
            case _:
                await telling.tell(step)
    said = _said(telling)
    words = len(said.text.split()) if said else 0
    return Done((said,) if said else (), spent or evolve(usage, output_tokens=words), interrupts)


def _said(telling: Telling) -> Message | None:
    """Return what was said, as one message; what a sub-agent said is not the agent's."""
    spoken = [
        event
        for event in telling.body
        if isinstance(event, TextContent | TextChunk)
        and not (isinstance(event, TextContent) and event.subagent_run_id)
    ]
    started = [
        event.message_id
        for event in telling.body
        if isinstance(event, TextStart | TextChunk)
        and not (isinstance(event, TextStart) and event.subagent_run_id)
    ]
    text = "".join(event.delta for event in spoken)
    return Message(started[0], "assistant", text) if text else None


def _dated(ask: Ask) -> tuple[Interrupt, ...]:
    if ask.expire_in is None:
        return ask.interrupts
    moment = datetime.now(UTC) + timedelta(seconds=ask.expire_in)
    stamp = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return tuple(evolve(interrupt, expires_at=stamp) for interrupt in ask.interrupts)


def _write(file: WriteFile) -> None:
    put_file(file.workspace, parts_of(file.path), file.content, replace=True)
