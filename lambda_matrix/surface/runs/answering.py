"""One request at work: the run, the answer while it grows, and T2.

The run has a cancel scope of its own (`Running` knows it, so that `!stop` finds it) and a
connection of its own. Two tasks share the `AnswerDraft`: one feeds it with what the agent says and
never waits for anything else; the other shows it, at a pace that the homeserver bears. An answer
that is whole at once is never shown half: it costs one event.
"""

import logging
import math
from typing import assert_never

import trio
from attrs import field, frozen

from lambda_matrix.agent.errors import AgentError
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent.session import open_run
from lambda_matrix.agent_events import RunFailed, RunFailure
from lambda_matrix.conversation.ending import Ending, conclude
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RoomId
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Attempt, Done, Request
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.runs.asking import Asking
from lambda_matrix.surface.runs.expiry import Expiry
from lambda_matrix.surface.runs.noting import done_of
from lambda_matrix.surface.runs.outcomes import outcome_of_run, was_reached
from lambda_matrix.surface.runs.progress import Progress
from lambda_matrix.surface.runs.running import End, Running, RunScope
from lambda_matrix.surface.runs.slots import Place, Slots
from lambda_matrix.surface.runs.telling import RunStories, tell_ending
from lambda_matrix.surface.sending.signals import Signals
from lambda_matrix.surface.stories import about_request

logger = logging.getLogger(__name__)

WORTH_TELLING = 3.0
"""Seconds that a question waits before it is said that it does."""
LONG_TEXT = 8_000
"""Characters of an answer that are rendered in passing; more would keep the other rooms waiting."""
CONNECT_PAUSES = (0.5, 1.0, 2.0)
"""Seconds between tries to reach an agent that is not there; nothing has reached it yet."""
GIVING_BACK = 2.0
"""Seconds for an attempt to be given back: no disk that refuses keeps the service from ending."""


@frozen
class Answering:
    """Answers a room's requests, one after the other."""

    _means: Means
    _running: Running
    _signals: Signals
    _asking: Asking
    _expiry: Expiry
    _slots: Slots
    _offering: Lanes[RoomId]
    _stories: RunStories = field(factory=RunStories)
    _writers: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(1))

    async def serve(self, room_id: RoomId) -> None:
        """Answer what waits in the room until nothing does."""
        while await self._answer_next(room_id):
            pass

    async def _answer_next(self, room_id: RoomId) -> bool:
        """Answer the room's oldest request; return whether there was one."""
        if self._running.is_closed:
            return False
        # The scope is there before the request is taken up: a `!stop` finds one or the other.
        scope = self._running.begin(room_id)
        try:
            attempt = await self._means.store.transact(requests.begin_next, room_id)
            if attempt is None:
                return False
            scope.take(attempt.request)
            texts = self._means.languages.chosen(attempt.settings.language)
            progress = Progress(
                attempt=attempt,
                store=self._means.store,
                ourselves=self._means.ourselves,
                outbox=self._means.outbox,
                signals=self._signals,
                texts=texts,
            )
            with about_request(attempt.request):
                ending = await self._attempt(attempt, scope, progress, texts)
        finally:
            self._running.end(room_id)
            self._means.outbox.drop_preview(room_id)
        if ending is not None:
            with about_request(attempt.request):
                try:
                    await self._finish(progress, ending)
                except trio.Cancelled:
                    # The service is being stopped, and the answer is whole: it is not made again.
                    with trio.move_on_after(GIVING_BACK, shield=True):
                        await self._finish(progress, ending)
                    raise
        return True

    async def _attempt(
        self, attempt: Attempt, scope: RunScope, progress: Progress, texts: Texts
    ) -> Ending | None:
        """Return how the request's answer ends: by a run, if there is one to be had.

        None: there is no answer to be given to this text any more.
        """
        agents = self._means.agents
        entry = agents.get(attempt.request.agent)
        if attempt.request.stopped:
            return conclude(progress.draft, None, texts, stopped=True)
        if attempt.number == 0:
            logger.warning("given up: each of its attempts was cut off, as by a crash")
            return conclude(progress.draft, RunFailure.GAVE_UP, texts)
        if entry is None:
            return conclude(progress.draft, RunFailure.NO_AGENT, texts)
        if not agents.may_use(entry.id, attempt.request.asker):
            return conclude(progress.draft, RunFailure.NOT_ALLOWED, texts)
        return await self._run(entry, attempt, scope, progress, texts)

    async def _run(
        self,
        entry: AgentEntry,
        attempt: Attempt,
        scope: RunScope,
        progress: Progress,
        texts: Texts,
    ) -> Ending | None:
        """Run the agent once; give the attempt back if the service is being stopped."""
        request = attempt.request
        failure: RunFailure | None = None
        try:
            with scope.scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._tell_of_queue, request, texts)
                    place = self._slots.stand_in_line(request.asker)
                    nursery.start_soon(self._tell_of_limit, place, request, texts)
                    async with self._slots.taken(place):
                        scope.begin()
                        nursery.start_soon(progress.show)
                        failure = await self._feed(entry, attempt, texts, progress)
                    nursery.cancel_scope.cancel()
        finally:
            progress.over()
            self._count_run(entry, scope, progress, failure)
            if trio.current_effective_deadline() == -math.inf:
                await self._give_back(request)  # noqa: ASYNC102 - it shields itself, with a timeout
        if not scope.scope.cancelled_caught:
            if self._running.is_closed and _has_failed(progress, failure):
                # Perhaps since the agent is being stopped as well: the next start asks it again.
                await self._give_back(request)
                return None
            return _concluded(progress, failure, texts)
        logger.debug("run cut off: %s", "" if scope.end is None else scope.end.value)
        match scope.end:
            case End.PARKED:
                await self._give_back(request)
                return None
            case End.EDITED | End.WITHDRAWN:
                return None
            case End.STOPPED | None:
                return conclude(progress.draft, None, texts, stopped=True)
            case _:
                assert_never(scope.end)

    async def _give_back(self, request: Request) -> None:
        """The service is being stopped: the attempt was no fault of the request's."""
        logger.debug("the service stops: the attempt is given back")
        with trio.move_on_after(GIVING_BACK, shield=True):
            await self._means.store.transact(requests.give_back, request.request_id)

    def _count_run(
        self, entry: AgentEntry, scope: RunScope, progress: Progress, failure: RunFailure | None
    ) -> None:
        """Count a run that is over, unless its turn never came."""
        if scope.begun is not None:
            outcome = outcome_of_run(progress.draft.outcome, failure, scope.end)
            seconds = trio.current_time() - scope.begun
            is_up = was_reached(progress.draft.outcome, failure)
            self._means.metrics.run_ended(entry.id, outcome, seconds, is_up=is_up)

    async def _feed(
        self, entry: AgentEntry, attempt: Attempt, texts: Texts, progress: Progress
    ) -> RunFailure | None:
        """Feed the draft with what the agent says; return how the run failed, if it did."""
        asked = await self._asking.prepare(attempt, entry, texts)
        if asked.dropped is not None:
            await _let_go(entry, asked.dropped)
        run_input = asked.run_input
        progress.begin(asked)
        story = self._stories.begin(entry.id, run_input.run_id, attempt.number)
        pauses = iter(CONNECT_PAUSES)
        while True:
            try:
                async with open_run(entry, run_input) as run:
                    async for event in run.events():
                        progress.feed(event)
                        story.look(progress.draft)
            except AgentError as error:
                pause = next(pauses, None) if error.failure is RunFailure.UNREACHABLE else None
                if pause is None:
                    story.failed(error)
                    return error.failure
                story.tried(error, pause)
                await trio.sleep(pause)
            else:
                story.ended(progress.draft)
                return None

    async def _tell_of_queue(self, request: Request, texts: Texts) -> None:
        """Say once a run that questions wait for its end, if they have to wait for long."""
        await self._running.somebody_waits(request.room_id)
        await trio.sleep(WORTH_TELLING)
        waiting = await self._means.store.transact(requests.waiting, request.room_id)
        if len(waiting) <= 1:
            return  # in a room of many every question is answered as a reply, waiting or not
        await self._means.say_new(
            request.room_id, texts.questions.queued(len(waiting) - 1), f"queue:{request.request_id}"
        )

    async def _tell_of_limit(self, place: Place, request: Request, texts: Texts) -> None:
        """Say that the run has to wait for others, if that takes long."""
        await trio.sleep(WORTH_TELLING)
        if self._slots.is_waiting(place):
            limit = self._means.policy.limits.runs
            text = (
                texts.questions.too_many_runs(limit) if place.is_own_fault else texts.questions.busy
            )
            await self._means.say_new(request.room_id, text, f"limit:{request.request_id}")

    async def _finish(self, progress: Progress, ending: Ending) -> None:
        """T2, and out with it; a long text is rendered and split in a thread."""
        request = progress.attempt.request

        def write() -> Done:
            return done_of(progress, ending, self._means.ourselves)

        if len(ending.text) <= LONG_TEXT:
            done = write()
        else:
            done = await trio.to_thread.run_sync(write, limiter=self._writers)
        is_done, first = await self._means.store.transact(
            requests.finish_then_next, request, done, self._means.ourselves
        )
        if is_done:
            tell_ending(ending, len(done.answer))
            self._means.metrics.question_answered(done.outcome)
        else:
            logger.debug("answer dropped: its question was changed or taken back meanwhile")
        self._means.outbox.offer(request.room_id, first)
        if done.asked is not None:
            self._expiry.look_again()
        if done.files:
            self._offering.wake([request.room_id])


def _has_failed(progress: Progress, failure: RunFailure | None) -> bool:
    return failure is not None or isinstance(progress.draft.outcome, RunFailed)


def _concluded(progress: Progress, failure: RunFailure | None, texts: Texts) -> Ending:
    closing = progress.closing
    if closing is None:  # it failed before the agent was asked anything
        return conclude(progress.draft, failure, texts)
    return conclude(progress.draft, failure, texts, thread=closing.thread, wait=closing.wait)


async def _let_go(entry: AgentEntry, dropped: RunInput) -> None:
    """Tell the agent that what it had asked will not be answered; what it says to that is lost."""
    try:
        async with open_run(entry, dropped) as run:
            async for _ in run.events():
                pass
    except AgentError as error:
        logger.debug("agent %s was not told that it gets no word: %s", entry.id, error)
