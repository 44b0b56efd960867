"""Between the task that reads an agent and the one that shows the answer.

The reader never waits for the consumer: while it waited, it would answer no ping, and the agent
would drop a connection that works. The consumer may well be slow (a homeserver allows an edit
every few seconds), so what waits is merged and bounded: text that follows text of the same message
becomes one delta, and so do the arguments of a tool call.
"""

from collections import deque
from typing import Final, Self

import trio

from lambda_matrix.agent.errors import AgentError, FrameTooLarge
from lambda_matrix.agent_events import AgentEvent, RunOutcome, TextDelta, ToolArguments

MAX_WAITING: Final = 4096
"""Events (after merging) that may wait. An agent that gets ahead further is out of its mind."""


class Backlog:
    """One writer, one reader. Iterating ends after the terminal event, or raises the failure."""

    def __init__(self) -> None:
        self._events: deque[AgentEvent] = deque()
        # What `_pieces`, last in line, belongs to: a message, or a tool call's arguments.
        self._text_of: tuple[type[TextDelta | ToolArguments], str] | None = None
        self._pieces: list[str] = []
        self._failure: AgentError | None = None
        self._over = False
        self._reader = trio.lowlevel.ParkingLot()

    def put(self, events: tuple[AgentEvent, ...]) -> None:
        """Put events in line.

        Raises:
            FrameTooLarge: too many wait already.
        """
        for event in events:
            if isinstance(event, TextDelta):
                self._put_text((TextDelta, event.message_id), event.delta)
            elif isinstance(event, ToolArguments):
                self._put_text((ToolArguments, event.tool_call_id), event.delta)
            else:
                self._seal_text()
                self._events.append(event)
        if len(self._events) > MAX_WAITING:
            raise FrameTooLarge(f"over {MAX_WAITING} events wait to be shown")
        self._reader.unpark()

    def fail(self, failure: AgentError) -> None:
        """End the run with a failure, after what is in line. The first failure is the cause."""
        if self._failure is None:
            self._failure = failure
        self._reader.unpark()

    def _put_text(self, of: tuple[type[TextDelta | ToolArguments], str], delta: str) -> None:
        if of != self._text_of:
            self._seal_text()
            self._text_of = of
        self._pieces.append(delta)

    def _seal_text(self) -> None:
        if self._text_of is not None:
            kind, name = self._text_of
            self._events.append(kind(name, "".join(self._pieces)))
            self._text_of, self._pieces = None, []

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AgentEvent:
        while True:
            if not self._events:
                self._seal_text()
            if self._events:
                event = self._events.popleft()
                self._over = isinstance(event, RunOutcome)
                return event
            if self._over:
                raise StopAsyncIteration
            if self._failure is not None:
                raise self._failure
            await self._reader.park()
