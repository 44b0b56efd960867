"""The assistant: a question put to a real model, round by round until it answers or has to ask.

A round is one completion and the tools that it calls. What a tool does that the person consented
to is written down before anything else happens, so that a repeat after a crash finds it done. A run
that fails is remembered with its question and without an answer.
"""

from __future__ import annotations

import errno
import json
import logging
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import trio
from attrs import Factory, define, field, frozen

from lambda_matrix.reference import prompts
from lambda_matrix.reference.enclosures import Enclosure, Place, enclose
from lambda_matrix.reference.listening import Listener
from lambda_matrix.reference.model_errors import ModelError, ModelFault
from lambda_matrix.reference.phrases import Phrases, phrases_in
from lambda_matrix.reference.rehearsal import APPROVAL_SCHEMA
from lambda_matrix.reference.run_input import Call, Decision, Message
from lambda_matrix.reference.speaking import Assistant, Speaker
from lambda_matrix.reference.steps import Fail
from lambda_matrix.reference.telling import Done, Telling
from lambda_matrix.reference.toolbox import Consent, Deed, Result, Toolbox
from lambda_matrix.reference.wire import (
    Custom,
    Interrupt,
    ToolArgs,
    ToolEnd,
    ToolResult,
    ToolStart,
    Usage,
)
from lambda_matrix.reference.workspace import lent_in

_log = logging.getLogger(__name__)

_DEED_TIME: Final = 30.0
"""Seconds for doing what the person consented to and writing it down, though the run is over."""


@frozen
class Verdict:
    """The person's decision on a call that needed it."""

    call: Call
    decision: Decision


@frozen
class Assignment:
    """What one run is about.

    Attributes:
        thread_id: the thread, as a decimal number.
        key: unique to the request and the same for each of its attempts; ids are made of it.
        locale: the person's language.
        workspace: the folder that is shared with the person, if there is one.
        conversation: every message that is known, the newest included, in order.
        newest: what the person said now; None if the run goes on after decisions.
        verdicts: those decisions.
        record: writes down what tools have done; on return it is on the disk.
    """

    thread_id: str
    key: str
    locale: str
    workspace: Path | None
    conversation: tuple[Message, ...]
    newest: Message | None
    verdicts: tuple[Verdict, ...]
    record: Callable[[Sequence[Message]], Awaitable[None]]


async def assist(assistant: Assistant, assignment: Assignment, telling: Telling) -> Done | Fail:
    """Answer a question, or go on after decisions; return how the run ends.

    Raises:
        OSError: what was done cannot be written down.
        Whatever sending raises.
    """
    work = _Work(assistant, assignment, telling)
    try:
        return await work.finish()
    except ModelError as error:
        _log.warning("thread %s: %s: %s", assignment.thread_id, error.fault.value, error)
        return Fail(work.phrases.faults[error.fault], error.fault.value, work.usage)


@define
class _Work:
    """One run: what was said and done in it so far."""

    assistant: Assistant
    assignment: Assignment
    telling: Telling
    said: list[Message] = Factory(list)
    note: Message | None = None
    speaker: Speaker = field(init=False)
    toolbox: Toolbox = field(init=False)

    def __attrs_post_init__(self) -> None:
        task = self.assignment
        lent = lent_in(task.conversation, task.thread_id)
        self.toolbox = Toolbox(task.workspace, task.thread_id, lent)
        self.speaker = Speaker(self.assistant, self.telling, has_tools=self.has_tools)

    @property
    def phrases(self) -> Phrases:
        return phrases_in(self.assignment.locale)

    @property
    def usage(self) -> Usage | None:
        """What the run has cost so far, if the endpoint tells."""
        tokens = self.speaker.tokens
        if tokens is None:
            return None
        host, model = self.assistant.endpoint.host, self.assistant.settings.model
        return Usage(host, tokens.input, tokens.output, model)

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The conversation with what this run has added to it."""
        notes = (self.note,) if self.note else ()
        known = {message.id: message for message in (*self.assignment.conversation, *notes)}
        return tuple((known | {message.id: message for message in self.said}).values())

    @property
    def has_tools(self) -> bool:
        return self.assistant.settings.tools and self.assignment.workspace is not None

    async def finish(self) -> Done:
        """Take rounds until the model answers or has to ask."""
        await self.listen()
        await self.carry_out()
        await self.look()
        rounds = self.assistant.settings.tool_rounds if self.has_tools else 0
        for number in range(rounds):
            message = await self.take_round(number, may_call=True)
            if not message.calls:
                return self.done()
            interrupts = await self.use_tools(message.calls)
            if interrupts:
                return self.done(interrupts)
        await self.take_round(rounds, may_call=False)
        return self.done()

    def done(self, interrupts: tuple[Interrupt, ...] = ()) -> Done:
        return Done(tuple(self.said), self.usage, interrupts)

    async def listen(self) -> None:
        """Have voice messages transcribed, if that is configured."""
        newest, model = self.assignment.newest, self.assistant.settings.transcription_model
        if newest is None or not model:
            return
        listener = Listener(self.assistant.endpoint, model, self.assignment.workspace)
        heard = await listener.hear(newest)
        if heard != newest:
            self.said.append(heard)

    async def look(self) -> None:
        """Read what the model is to be shown of the conversation's files."""
        images, texts = self.assistant.settings.images, not self.has_tools
        conversation = self.conversation

        def read() -> Mapping[Place, Enclosure]:
            return enclose(self.assignment.workspace, conversation, images=images, texts=texts)

        self.speaker.enclosures = await trio.to_thread.run_sync(read)

    async def carry_out(self) -> None:
        """Do what the person consented to, unless an earlier attempt has done it."""
        known = {one.call_id: one.text for one in self.assignment.conversation}
        for verdict in self.assignment.verdicts:
            call, decision = verdict.call, verdict.decision
            await self.announce(call)
            if call.id in known:
                result = Result(known[call.id])
            elif decision.approved:
                result = await self.do(call)
            else:
                result = Result(prompts.refused(decision.reason))
            await self.give(call, result)
        self.note = self.remark()

    async def do(self, call: Call) -> Result:
        with trio.move_on_after(_DEED_TIME, shield=True):
            result = await trio.to_thread.run_sync(self.toolbox.carry_out, call)
            await self.assignment.record([_result_message(call, result)])
            return result
        raise OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT))

    def remark(self) -> Message | None:
        """Tell the model of decisions that came when the conversation had gone on already."""
        verdicts = self.assignment.verdicts
        spoken = [one for one in self.assignment.conversation if one.role != "tool"]
        if not verdicts or not spoken or verdicts[0].call in spoken[-1].calls:
            return None
        results = [f"{v.call.name}: {one.text}" for v, one in zip(verdicts, self.said, strict=True)]
        text = f"{prompts.DECIDED_LATE}\n" + "\n".join(results)
        return Message(f"{self.assignment.key}-remark", "user", text)

    async def take_round(self, number: int, *, may_call: bool) -> Message:
        """Have one completion; note and return it as the agent's message."""
        message_id = f"{self.assignment.key}-{number}"
        completion = await self.speaker.complete(message_id, self.conversation, may_call=may_call)
        asked = completion.calls if may_call else ()
        if not asked and not completion.text.strip():
            fault = ModelFault.ENDLESS if completion.calls else ModelFault.SILENT
            raise ModelError(fault, f"no text, finished by {completion.finish}")
        calls = tuple(
            Call(f"{message_id}-call-{position}", one.name, _object_text(one.arguments))
            for position, one in enumerate(asked, 1)
        )
        message = Message(message_id, "assistant", completion.text, calls=calls)
        self.said.append(message)
        return message

    async def use_tools(self, calls: Sequence[Call]) -> tuple[Interrupt, ...]:
        """Do what may be done; return what has to be asked first."""
        interrupts = []
        for call in calls:
            await self.announce(call)
            outcome = await trio.to_thread.run_sync(self.toolbox.judge, call)
            match outcome:
                case Consent():
                    interrupts.append(self.interrupt(call, outcome))
                case Result():
                    await self.give(call, outcome)
        return tuple(interrupts)

    async def announce(self, call: Call) -> None:
        """Tell that a tool is called; a result belongs to a call of its own run."""
        await self.telling.tell(ToolStart(call.id, call.name))
        await self.telling.tell(ToolArgs(call.id, call.arguments))
        await self.telling.tell(ToolEnd(call.id))

    def interrupt(self, call: Call, consent: Consent) -> Interrupt:
        phrases = self.phrases
        question = phrases.delete if consent.deed is Deed.DELETE else phrases.overwrite
        return Interrupt(
            id=f"{call.id}-consent",
            reason="tool_call",
            message=question.format(consent.name),
            response_schema=APPROVAL_SCHEMA,
            tool_call_id=call.id,
        )

    async def give(self, call: Call, result: Result) -> None:
        """Tell a tool's result, to the client and to the model."""
        message = _result_message(call, result)
        self.said.append(message)
        await self.telling.tell(ToolResult(message.id, call.id, result.text))
        if result.file is not None:
            await self.telling.tell(Custom("file", result.file))


def _object_text(arguments: str) -> str:
    """Return the JSON text of an object, an empty one if a model has written something else.

    What is broken would stay in the conversation, and endpoints refuse it there.
    """
    try:
        whole = isinstance(json.loads(arguments), dict)
    except (ValueError, RecursionError):
        whole = False
    return arguments if whole else "{}"


def _result_message(call: Call, result: Result) -> Message:
    return Message(f"{call.id}-result", "tool", result.text, call_id=call.id)
