"""A conversation with an agent as the core leads it: run, fold, keep, resume."""

from collections.abc import Mapping
from typing import Literal

from attrs import define

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import open_run
from lambda_matrix.agent_events import (
    Attachment,
    JsonText,
    ResumeEntry,
    RunInterrupted,
    RunOutcome,
    ThreadMessage,
)
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.interrupts import prompt_lines, resume_entries
from lambda_matrix.conversation.thread import RunMessages, bounded
from lambda_matrix.ids import PlatformChatId, RequestId, RunId


@define
class Dialogue:
    """One thread, and what is kept of it between runs."""

    entry: AgentEntry
    thread_id: int = 1000
    thread: tuple[ThreadMessage, ...] = ()
    state: JsonText | None = None
    outcome: RunOutcome | None = None
    problem: str | None = None
    runs: int = 0

    async def ask(
        self, text: str, *attachments: Attachment, inlined: Mapping[str, bytes] | None = None
    ) -> str:
        """Ask, and give the answer."""
        question = ThreadMessage(
            id=f"$question-{self.thread_id}-{self.runs}",
            role="user",
            content=text,
            attachments=attachments,
        )
        return await self._run((question,), (), inlined or {})

    def asked(self) -> tuple[str, ...]:
        """Say what the agent wants to know."""
        assert isinstance(self.outcome, RunInterrupted)
        return prompt_lines(self.outcome.interrupts, self.thread)

    async def decide(
        self, approved: frozenset[int] | Literal["all"], reason: str | None = None
    ) -> str:
        """Answer what the agent wants to know, and give what it says then."""
        assert isinstance(self.outcome, RunInterrupted)
        return await self._run((), resume_entries(self.outcome.interrupts, approved, reason), {})

    async def _run(
        self,
        question: tuple[ThreadMessage, ...],
        resume: tuple[ResumeEntry, ...],
        inlined: Mapping[str, bytes],
    ) -> str:
        self.runs += 1
        self.thread += question
        told = question
        if self.entry.history == "client":
            told = bounded(self.thread, resuming=bool(resume))
        run_input = RunInput(
            thread_id=PlatformChatId(self.thread_id),
            run_id=RunId(f"q{self.runs}.1"),
            request_id=RequestId(f"q{self.runs}"),
            messages=told,
            user="@alice:example.org",
            room="!room",
            locale="en",
            resume=resume,
            state=self.state,
            inlined=inlined if self.entry.inline_files else None,
        )
        draft, adding = AnswerDraft(), RunMessages(self.thread, self.state)
        async with open_run(self.entry, run_input) as run:
            async for event in run.events():
                draft.feed(event)
                adding.feed(event)
        self.problem = adding.problem
        self.thread += adding.messages
        self.state = adding.state
        self.outcome = draft.outcome
        return draft.text
