"""One run of the bundled agent: what was asked is looked up in memory, acted on, and kept.

The order is what makes a repeat harmless: the events of the answer go out, the answer goes to the
disk, and only then the run says that it is finished. Cut before the disk, the run is asked again
and runs anew; cut after it, the repeat is told the same answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import Enum
from functools import partial
from pathlib import Path
from typing import assert_never

import trio
from attrs import frozen

from lambda_matrix.reference import rehearsal
from lambda_matrix.reference.assistant import Assignment, Verdict, assist
from lambda_matrix.reference.memory import Answer, Asked, Memory, Record, Thread
from lambda_matrix.reference.performing import take_steps
from lambda_matrix.reference.run_input import Message, RunInput
from lambda_matrix.reference.speaking import Assistant
from lambda_matrix.reference.steps import BreakOff, Fail, Question, Step
from lambda_matrix.reference.telling import Done, Send, Telling
from lambda_matrix.reference.wire import (
    Interrupted,
    RunError,
    RunFinished,
    RunStarted,
    Success,
    Usage,
    encode,
)
from lambda_matrix.reference.workspace import look_at

_log = logging.getLogger(__name__)

_KEEPING_TIME = 10.0
"""Seconds for writing down what a cancelled run was asked."""


class Mode(Enum):
    """How the agent answers."""

    REHEARSAL = "rehearsal"
    ECHO = "echo"


@frozen
class Agent:
    """What the agent works with; `pace` is in seconds from word to word.

    With an `assistant` it answers by a real model, and rehearses nothing.
    """

    memory: Memory
    mode: Mode = Mode.REHEARSAL
    workspace: Path | None = None
    pace: float = 0.2
    assistant: Assistant | None = None


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
        case Fail(message=message, code=code, usage=usage):
            _log.info("run %s failed (%s): %s", run.run_id, code, message)
            await send(encode(RunError(message, code, (usage,) if usage else None)))
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
    fault = _fault_of(thread, run)
    if fault is not None:
        return fault
    telling = Telling(send)
    answer: Answer | None = None
    try:
        if agent.assistant is None:
            outcome = await _rehearse(agent, thread, run, telling)
        else:
            outcome = await assist(agent.assistant, _assign(agent, thread, run), telling)
        if not isinstance(outcome, Done):
            return outcome
        answer = _answer(run, telling, outcome)
    finally:
        news = thread.news_in(run.messages)
        kept = True
        if answer is not None or news:
            with trio.move_on_after(_KEEPING_TIME, shield=True) as keeping:
                await agent.memory.keep(thread, Record(run.request_id, news, answer))
            kept = not keeping.cancelled_caught
    return answer if kept else Fail("the answer could not be written down in time", "storage")


async def _rehearse(
    agent: Agent, thread: Thread, run: RunInput, telling: Telling
) -> Done | Fail | BreakOff:
    newest = run.newest or Message("", "user", "")
    look = partial(look_at, agent.workspace)
    question = Question(
        text=newest.text,
        arrivals=tuple([await trio.to_thread.run_sync(look, one) for one in newest.attachments]),
        conversation=thread.with_messages(run.messages),
        message_id=newest.id,
        thread_id=run.thread_id,
        key=run.request_id,
        pace=agent.pace,
        workspace=agent.workspace,
        state=run.state,
    )
    words = sum(len(message.text.split()) for message in run.messages)
    return await take_steps(_steps(agent, run, question), telling, Usage("rehearsal", words, 0))


def _assign(agent: Agent, thread: Thread, run: RunInput) -> Assignment:
    async def record(messages: Sequence[Message]) -> None:
        await agent.memory.keep(thread, Record(run.request_id, tuple(messages)))

    conversation = thread.with_messages(run.messages)
    calls = {call.id: call for message in conversation for call in message.calls}
    asked = thread.open_interrupts
    decided = [(asked[one.interrupt_id].interrupt.tool_call_id, one) for one in run.decisions]
    verdicts = tuple(Verdict(calls[name], one) for name, one in decided if name in calls)
    return Assignment(
        thread_id=run.thread_id,
        key=run.request_id,
        locale=run.locale,
        workspace=agent.workspace,
        conversation=conversation,
        newest=None if run.decisions else run.newest,
        verdicts=verdicts,
        record=record,
    )


def _steps(agent: Agent, run: RunInput, question: Question) -> Iterator[Step]:
    if run.decisions:
        return rehearsal.resume(question, run.decisions)
    match agent.mode:
        case Mode.REHEARSAL:
            return rehearsal.rehearse(question)
        case Mode.ECHO:
            return rehearsal.echo(question)
        case _ as never:
            assert_never(never)


def _answer(run: RunInput, telling: Telling, done: Done) -> Answer:
    return Answer(
        frames=telling.frames,
        usage=done.usage,
        messages=done.messages,
        interrupts=done.interrupts,
        decided=tuple(decision.interrupt_id for decision in run.decisions),
    )


def _fault_of(thread: Thread, run: RunInput) -> Fail | None:
    if run.decisions:
        return _fault_of_decisions(thread, run)
    if not any(message.role == "user" for message in run.messages):
        return Fail("the input has no message of a user", "nothing_asked")
    return None


def _fault_of_decisions(thread: Thread, run: RunInput) -> Fail | None:
    """Hold the decisions against what is open: AG-UI wants a run's interrupts decided together."""
    decided = {decision.interrupt_id for decision in run.decisions}
    asked = thread.open_interrupts
    if not decided <= asked.keys():
        return Fail("an interrupt of this name is not open", "unknown_interrupt")
    requests = {asked[interrupt_id].request for interrupt_id in decided}
    if any(one.request in requests and name not in decided for name, one in asked.items()):
        return Fail("an interrupt of the same run is left undecided", "undecided_interrupt")
    approved = {decision.interrupt_id for decision in run.decisions if decision.approved}
    if any(_is_late(asked[interrupt_id]) for interrupt_id in approved):
        return Fail("the time for this decision is over", "interrupt_expired")
    return None


def _is_late(asked: Asked) -> bool:
    expiry = asked.interrupt.expires_at
    return expiry is not None and datetime.fromisoformat(expiry) < datetime.now(UTC)


def _finished(run: RunInput, answer: Answer) -> RunFinished:
    outcome = Interrupted(answer.interrupts) if answer.interrupts else Success()
    usage = None if answer.usage is None else (answer.usage,)
    return RunFinished(run.thread_id, run.run_id, outcome, usage)
