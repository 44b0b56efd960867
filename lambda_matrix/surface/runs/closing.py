"""What a run leaves behind (T2): its part of the conversation, and what it ended to ask.

The conversation gets the question as it was really sent and what was said and done in answer to
it. A run that was cut off leaves what was shown; what it changed in the agent's state, and whether
it took a person's word on interrupts, nobody knows, so both stay as they were. One that failed
without a word leaves nothing: `!retry` asks again, and an agent should not be told twice.
"""

import time
from collections.abc import Iterator

from attrs import define, evolve, field

from lambda_matrix.agent_events import (
    AgentEvent,
    Interrupt,
    RunInterrupted,
    RunOutcome,
    ThreadMessage,
)
from lambda_matrix.conversation.ending import LONGEST_ANSWER
from lambda_matrix.conversation.thread import RunMessages
from lambda_matrix.store.records import Confirmation, Exchange, Request
from lambda_matrix.surface.runs.asking import Asked

PATIENCE = 24 * 3600.0
"""Seconds for which a person is waited for, where the agent does not say until when it waits."""
LEAST_PATIENCE = 60.0
"""Seconds that a person has in any case: an agent's clock may be wrong."""


@define
class Closing:
    """What one run adds to its thread, while it is made."""

    _asked: Asked
    _run: RunMessages = field(init=False)
    _outcome: RunOutcome | None = None

    def __attrs_post_init__(self) -> None:
        thread = self._asked.thread
        known = (*thread.loaded, *thread.messages, *self._asked.run_input.messages)
        self._run = RunMessages(known, self._asked.run_input.state)

    def feed(self, event: AgentEvent) -> None:
        """Take in what the agent says next."""
        self._run.feed(event)
        if isinstance(event, RunOutcome):
            self._outcome = event

    @property
    def interrupts(self) -> tuple[Interrupt, ...]:
        """What the run ended to ask; nothing, if it ended otherwise."""
        return self._outcome.interrupts if isinstance(self._outcome, RunInterrupted) else ()

    @property
    def thread(self) -> tuple[ThreadMessage, ...]:
        """The thread with what the run adds to it."""
        return (*self._asked.thread.loaded, *self._asked.thread.messages, *self._run.messages)

    @property
    def wait(self) -> float:
        """For how many seconds the person's word is waited for."""
        expiries = [each.expires_at for each in self.interrupts if each.expires_at is not None]
        return max(min(expiries) - time.time(), LEAST_PATIENCE) if expiries else PATIENCE

    def confirmation(self, request: Request) -> Confirmation | None:
        """Return how the asker's word is waited for."""
        if not self.interrupts:
            return None
        return Confirmation(
            user_id=request.asker,
            room_id=request.room_id,
            kind="interrupts",
            platform_chat_id=request.platform_chat_id,
            request=request.request_id,
            expires_at=time.time() + self.wait,
        )

    def exchange(self, request: Request, *, is_cut: bool) -> Exchange | None:
        """Return what the context is to keep; `is_cut`: the run was stopped, or failed."""
        added = tuple(self._added())
        if is_cut and (request.resume is not None or not any(each.content for each in added)):
            return None
        sent = self._asked.run_input.messages[-1:] if request.resume is None else ()
        usage = None if self._outcome is None else self._outcome.usage
        return Exchange(
            messages=(*sent, *added),
            state=None if is_cut else self._run.state,
            interrupts=None if is_cut else self.interrupts,
            input_tokens=(usage and usage.input_tokens) or 0,
            output_tokens=(usage and usage.output_tokens) or 0,
        )

    def _added(self) -> Iterator[ThreadMessage]:
        """Give what the run adds, as far as it can have been shown.

        Ids are the agent's, and some have the same ones in each run; here each message has its own.
        """
        told = {each.id: each.content for each in self._asked.thread.messages}
        for message in self._run.messages:
            shown = evolve(message, content=message.content[:LONGEST_ANSWER])
            if shown.id not in told:
                yield shown
            elif shown.content != told[shown.id] or shown.tool_calls:
                yield evolve(shown, id=f"{self._asked.run_input.run_id}.{shown.id}")

    @property
    def problem(self) -> str | None:
        """What was wrong with the agent's state, for the journal."""
        return self._run.problem
