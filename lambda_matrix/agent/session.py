"""One run: open a connection of its own, follow the agent to its end, close.

`open_run` starts a task that reads the agent and never waits for anybody; `Run.events` gives what
it understood. All failures come out of `events`, none out of `open_run`. Leaving the context
before the end cancels the run: the agent is told so (close 1000 "cancelled"; over HTTP the request
is aborted).
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Final, Protocol

import trio

from lambda_matrix.agent.backlog import Backlog
from lambda_matrix.agent.bounds import Bounds
from lambda_matrix.agent.decoder import FrameDecoder
from lambda_matrix.agent.errors import AgentError, IdleTimeout, RunTimeout
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.sse import open_sse
from lambda_matrix.agent.websocket import open_websocket
from lambda_matrix.agent_events import AgentEvent

CLOSE_TIMEOUT: Final = 1.0
"""Seconds that the agent has to answer our goodbye."""


class Frames(Protocol):
    """An open connection, whatever its transport: `WebSocketFrames` and `SseFrames` are."""

    async def receive(self) -> str:
        """Wait for the next frame."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Say goodbye, and wait for the other's as long as the caller allows."""
        ...


class Run:
    """A run that is on."""

    def __init__(self, backlog: Backlog, decoder: FrameDecoder) -> None:
        self._backlog = backlog
        self._decoder = decoder

    @property
    def skipped(self) -> int:
        """How many frames so far were of unknown types, or came after the end: for the journal."""
        return self._decoder.skipped

    def events(self) -> AsyncIterator[AgentEvent]:
        """Iterate over what the agent says; the terminal event is the last. For one consumer.

        Raises:
            AgentError: the run ended without a terminal event. Events that came before are given
                first.
        """
        return self._backlog


class _Patience:
    """The two timeouts of a run as one cancel scope, whose deadline moves with each frame."""

    def __init__(self, entry: AgentEntry) -> None:
        now = trio.current_time()
        self._entry = entry
        self._end = now + entry.run_timeout
        self.scope = trio.CancelScope(deadline=min(self._end, now + entry.idle_timeout))

    def heard(self) -> None:
        """Begin to wait for the next frame."""
        self.scope.deadline = min(self._end, trio.current_time() + self._entry.idle_timeout)

    def say_goodbye(self) -> None:
        """From here on there is only the other's goodbye to wait for."""
        self.scope.deadline = trio.current_time() + CLOSE_TIMEOUT

    def failure(self) -> AgentError:
        """Say which of the two ran out."""
        if trio.current_time() >= self._end:
            return RunTimeout(f"the run is not over after {self._entry.run_timeout:g} s")
        return IdleTimeout(f"not a word for {self._entry.idle_timeout:g} s")


@asynccontextmanager
async def open_run(entry: AgentEntry, run: RunInput) -> AsyncIterator[Run]:
    """Begin one run. Returns at once; connecting is part of the run.

    After the terminal event leaving the context waits for nothing.
    """
    backlog = Backlog()
    decoder = FrameDecoder(run.thread_id, run.run_id, resuming=bool(run.resume))
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_follow, entry, run, decoder, backlog)
        try:
            yield Run(backlog, decoder)
        except Exception as error:  # noqa: BLE001 - raised again below, not wrapped in a group
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _follow(
    entry: AgentEntry, run: RunInput, decoder: FrameDecoder, backlog: Backlog
) -> None:
    patience = _Patience(entry)
    with patience.scope:
        try:
            async with _open_frames(entry, run) as frames:
                await _converse(frames, decoder, backlog, patience)
        except AgentError as error:
            backlog.fail(error)
    if patience.scope.cancelled_caught and decoder.outcome is None:
        backlog.fail(patience.failure())


def _open_frames(entry: AgentEntry, run: RunInput) -> AbstractAsyncContextManager[Frames]:
    return open_websocket(entry, run) if entry.is_websocket else open_sse(entry, run)


async def _converse(
    frames: Frames, decoder: FrameDecoder, backlog: Backlog, patience: _Patience
) -> None:
    try:
        await _read(frames, decoder, backlog, patience)
    except AgentError as error:
        backlog.fail(error)
        patience.say_goodbye()
        await frames.close(error.close_code, error.failure.value)
    except trio.Cancelled:
        if patience.scope.cancel_called:
            backlog.fail(patience.failure())
        with trio.move_on_after(CLOSE_TIMEOUT, shield=True):  # else the agent would work on
            await frames.close(1000, "cancelled")
        raise
    else:
        patience.say_goodbye()
        await frames.close(1000, "")


async def _read(
    frames: Frames, decoder: FrameDecoder, backlog: Backlog, patience: _Patience
) -> None:
    bounds = Bounds()
    while decoder.outcome is None:
        frame = await frames.receive()
        patience.heard()
        bounds.take_frame(frame)
        events = decoder.feed(frame)
        bounds.take(events)
        backlog.put(events)
