"""One run of the bundled agent: what was asked is looked up in memory, acted on, and kept.

The order is what makes a repeat harmless: the events of the answer go out, the answer goes to the
disk, and only then the run says that it is finished. Cut before the disk, the run is asked again
and runs anew; cut after it, the repeat is told the same answer.
"""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Set as AbstractSet
from enum import Enum
from pathlib import Path
from typing import assert_never

import trio
from attrs import Factory, define, frozen

from lambda_matrix.reference import rehearsal
from lambda_matrix.reference.memory import Answer, Memory, Record, Thread
from lambda_matrix.reference.run_input import Message, RunInput
from lambda_matrix.reference.steps import (
    Ask,
    BareFrame,
    BreakOff,
    Fail,
    Pause,
    Question,
    Silence,
    Step,
    WriteFile,
)
from lambda_matrix.reference.wire import (
    BodyEvent,
    Interrupt,
    Interrupted,
    RunError,
    RunFinished,
    RunStarted,
    Success,
    TextContent,
    TextStart,
    Usage,
    encode,
)

_log = logging.getLogger(__name__)

_KEEPING_TIME = 10.0
"""Seconds for writing down what a cancelled run was asked."""

Send = Callable[[str], Awaitable[None]]


class Mode(Enum):
    """How the agent answers."""

    REHEARSAL = "rehearsal"
    ECHO = "echo"


@frozen
class Agent:
    """What the agent works with; `pace` is in seconds from word to word."""

    memory: Memory
    mode: Mode = Mode.REHEARSAL
    workspace: Path | None = None
    pace: float = 0.2


class Ending(Enum):
    """How a run ended on the agent's side."""

    TOLD = "told"  # its terminal event has been sent
    BROKEN_OFF = "broken off"  # it is to end without one


async def perform(agent: Agent, run: RunInput, send: Send) -> Ending:
    """Make one run; `send` takes its frames one by one.

    Raises:
        Whatever `send` raises; the run is then not remembered as answered.
    """
    await send(encode(RunStarted(run.thread_id, run.run_id)))
    try:
        thread = await agent.memory.recall(run.thread_id)
        known = await _known_answer(agent.memory, thread, run)
        outcome = await (_tell_again(known, send) if known else _act(agent, thread, run, send))
    except OSError as error:
        _log.exception("run %s: a file could not be read or written", run.run_id)
        outcome = Fail(f"a file could not be read or written: {error.strerror}", "storage")
    match outcome:
        case Answer():
            await send(encode(_finished(run, outcome)))
        case Fail(message=message, code=code):
            await send(encode(RunError(message, code)))
        case BreakOff():
            return Ending.BROKEN_OFF
        case _ as never:
            assert_never(never)
    return Ending.TOLD


async def _known_answer(memory: Memory, thread: Thread, run: RunInput) -> Answer | None:
    request = run.request_id
    if run.decisions:
        decided = {thread.decisions.get(decision.interrupt_id) for decision in run.decisions}
        request = next((one for one in decided if one is not None), request)
    return await memory.answer_to(thread, request)


async def _tell_again(answer: Answer, send: Send) -> Answer:
    for frame in answer.frames:
        await send(frame)
    return answer


async def _act(agent: Agent, thread: Thread, run: RunInput, send: Send) -> Answer | Fail | BreakOff:
    steps = _steps(agent, thread, run)
    if isinstance(steps, Fail):
        return steps
    telling = _Telling(run, send)
    outcome: Answer | Fail | BreakOff | None = None
    try:
        outcome = await telling.take(steps)
    finally:
        answer = outcome if isinstance(outcome, Answer) else None
        if answer or _brings_news(thread, run):
            with trio.move_on_after(_KEEPING_TIME, shield=True):
                await agent.memory.keep(thread, Record(run.request_id, run.messages, answer))
    return outcome


def _brings_news(thread: Thread, run: RunInput) -> bool:
    return any(thread.messages.get(message.id) != message for message in run.messages)


def _steps(agent: Agent, thread: Thread, run: RunInput) -> Iterator[Step] | Fail:
    conversation = thread.with_messages(run.messages)
    newest = next((m for m in reversed(run.messages) if m.role == "user"), None)
    if run.decisions:
        fault = _fault_of_decisions(thread, {one.interrupt_id for one in run.decisions})
        if fault is not None:
            return fault
    elif newest is None:
        return Fail("the input has no message of a user", "nothing_asked")
    newest = newest or Message("", "user", "")
    question = Question(
        text=newest.text,
        attachments=newest.attachments,
        conversation=conversation,
        message_id=newest.id,
        thread_id=run.thread_id,
        key=run.request_id,
        pace=agent.pace,
        workspace=agent.workspace,
    )
    if run.decisions:
        return rehearsal.resume(question, run.decisions)
    match agent.mode:
        case Mode.REHEARSAL:
            return rehearsal.rehearse(question)
        case Mode.ECHO:
            return rehearsal.echo(question)
        case _ as never:
            assert_never(never)


def _fault_of_decisions(thread: Thread, decided: AbstractSet[str]) -> Fail | None:
    """Hold the decisions against what is open: AG-UI wants a run's interrupts decided together."""
    asked_by = thread.open_interrupts
    if not decided <= asked_by.keys():
        return Fail("an interrupt of this name is not open", "unknown_interrupt")
    requests = {asked_by[interrupt_id] for interrupt_id in decided}
    if any(by in requests and one not in decided for one, by in asked_by.items()):
        return Fail("an interrupt of the same run is left undecided", "undecided_interrupt")
    return None


@define
class _Telling:
    """Takes the steps of a run, and gathers the answer as it is told."""

    run: RunInput
    send: Send
    body: list[BodyEvent] = Factory(list)

    async def take(self, steps: Iterator[Step]) -> Answer | Fail | BreakOff:
        """Take every step; return how the run ends."""
        for step in steps:
            match step:
                case Pause(seconds=seconds):
                    await trio.sleep(seconds)
                case Silence():
                    await trio.sleep_forever()
                case BareFrame(text=text):
                    await self.send(text)
                case WriteFile():
                    await trio.to_thread.run_sync(_write_file, step)
                case BreakOff() | Fail():
                    return step
                case Ask(interrupts=interrupts):
                    return self.answer(interrupts)
                case _:
                    self.gather(step)
                    await self.send(encode(step))
        return self.answer()

    def gather(self, event: BodyEvent) -> None:
        """Note an event for a repeat; pieces of one text become one."""
        last = self.body[-1] if self.body else None
        if isinstance(event, TextContent) and isinstance(last, TextContent):
            self.body[-1] = TextContent(last.message_id, last.delta + event.delta)
        else:
            self.body.append(event)

    def answer(self, interrupts: tuple[Interrupt, ...] = ()) -> Answer:
        """Return what has been told, to be kept."""
        text = "".join(event.delta for event in self.body if isinstance(event, TextContent))
        message_id = next((e.message_id for e in self.body if isinstance(e, TextStart)), "")
        words_in = sum(len(message.text.split()) for message in self.run.messages)
        return Answer(
            frames=tuple(map(encode, self.body)),
            usage=Usage("rehearsal", words_in, len(text.split())),
            text=Message(message_id, "assistant", text) if text else None,
            interrupts=interrupts,
            decided=tuple(decision.interrupt_id for decision in self.run.decisions),
        )


def _finished(run: RunInput, answer: Answer) -> RunFinished:
    outcome = Interrupted(answer.interrupts) if answer.interrupts else Success()
    return RunFinished(run.thread_id, run.run_id, outcome, (answer.usage,))


def _write_file(file: WriteFile) -> None:
    """Write it whole or not at all; readable by the group that shares the workspace."""
    target = file.workspace / file.path
    target.parent.mkdir(mode=0o770, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as content:
            content.write(file.content)
        Path(draft).chmod(0o640)
        Path(draft).replace(target)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise
