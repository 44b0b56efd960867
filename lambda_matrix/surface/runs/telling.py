"""What the log is told of runs: each run's story for who follows it, an agent's failures once.

An agent that is away fails every question; a line for each would bury what else is wrong. So the
first failure of its kind is a warning, the same ones after it are part of their requests' stories
(debug), and that it answers again is said, too.
"""

import logging

import trio
from attrs import define, field

from lambda_matrix import logs
from lambda_matrix.agent.errors import AgentError
from lambda_matrix.agent_events import RunFailed, RunFailure
from lambda_matrix.conversation.answer import AnswerDraft
from lambda_matrix.conversation.ending import Ending
from lambda_matrix.ids import AgentId, RunId
from lambda_matrix.message_ids import MessageId

logger = logging.getLogger(__name__)
said = logging.getLogger(logs.TEXTS)


@define
class _Failing:
    """An agent that fails, in a certain way, since a moment of Trio's clock."""

    how: str
    since: float
    runs: int = 0


@define
class RunStory:
    """One run's story. `how` a run fails tells a failure from the one before it."""

    _agent: AgentId
    _run: RunId
    _failing: dict[AgentId, _Failing]
    _began: float = field(factory=trio.current_time)
    _has_text: bool = False

    def look(self, draft: AnswerDraft) -> None:
        """The agent has said something more."""
        if draft.has_text and not self._has_text:
            self._has_text = True
            with logs.about(run=self._run):
                logger.debug("first text after %.0f ms", 1000 * self._seconds)

    def ended(self, draft: AnswerDraft) -> None:
        """The agent has said how the run ended."""
        outcome = draft.outcome
        if isinstance(outcome, RunFailed):
            how = f"{RunFailure.RUN_ERROR.value} {outcome.code}"
            self._fail(how, f"it says: {outcome.message} (code {outcome.code})")
            return
        with logs.about(run=self._run):
            failing = self._failing.pop(self._agent, None)
            if failing is not None:
                logger.info(
                    "agent %s answers again; runs that had failed: %d in %.0f s",
                    self._agent,
                    failing.runs,
                    trio.current_time() - failing.since,
                    extra=MessageId.AGENT_ANSWERS.extra,
                )
            word = type(outcome).__name__
            logger.debug("run ended after %.1f s: %s", self._seconds, word)

    def failed(self, error: AgentError) -> None:
        """The run ended without the agent's word on it."""
        self._fail(error.failure.value, str(error))

    def tried(self, error: AgentError, pause: float) -> None:
        """The agent could not be reached, and is tried again."""
        with logs.about(run=self._run):
            logger.debug("agent %s not reached, again in %.1f s: %s", self._agent, pause, error)

    def _fail(self, how: str, why: str) -> None:
        failing = self._failing.get(self._agent)
        is_news = failing is None or failing.how != how
        if failing is None:
            failing = self._failing[self._agent] = _Failing(how, trio.current_time())
        failing.how = how
        failing.runs += 1
        with logs.about(run=self._run):
            logger.log(
                logging.WARNING if is_news else logging.DEBUG,
                "run %s of agent %s failed after %.1f s: %s",
                self._run,
                self._agent,
                self._seconds,
                why,
                extra=MessageId.AGENT_FAILS.extra,
            )

    @property
    def _seconds(self) -> float:
        return trio.current_time() - self._began


@define
class RunStories:
    """Begins the stories of runs, and knows which agents are failing."""

    _failing: dict[AgentId, _Failing] = field(factory=dict)

    def begin(self, agent: AgentId, run: RunId, attempt: int) -> RunStory:
        """Tell that a run has begun; return its story."""
        with logs.about(run=run):
            logger.debug("run begun at agent %s, attempt %d", agent, attempt)
        return RunStory(agent, run, self._failing)


def tell_ending(ending: Ending, events: int) -> None:
    """Tell that an answer is committed, in so many events."""
    logger.debug(
        "answer committed: %s, %d characters, %d events", ending.outcome, len(ending.text), events
    )
    said.debug("answered: %s", ending.text[: logs.LONGEST_TEXT])
