"""What is counted while the service works, for Prometheus; each metric stands in docs/metrics.md.

What can be asked for (how many questions wait now) is not counted here: whoever is scraped asks
then (`monitoring.exposition`). Labels have few values, none of them an id of a room or a person:
endpoints, outcomes, the operator's agents. Counting never fails and costs about a microsecond.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from attrs import define, field, frozen
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
)

NAMESPACE: Final = "lambda_matrix"

FIRST_TEXT_BUCKETS: Final = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 900)
ANSWER_BUCKETS: Final = (0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 900, 3600)
REQUEST_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Upper bounds in seconds: an agent's first word, a whole run (15 minutes by default), a request
from a fast answer to a long poll."""

AWAY: Final = "none"
"""The status of a request that got no answer."""


@frozen
class Heard:
    """Whether an agent could be reached for its last run, and when that ended (Unix time)."""

    is_up: bool
    at: float


@frozen
class Reload:
    """The last reload of the settings, or the start: at which Unix time, and why it was refused.

    `refused` is None where the settings are in force. `number` counts the reloads since the start,
    which is 0.
    """

    at: float
    refused: str | None = None
    number: int = 0


@define(eq=False)
class Metrics:
    """The counters of one process. Made by the service, and handed to whoever counts."""

    registry: CollectorRegistry = field(factory=CollectorRegistry)
    started_at: float = field(factory=time.time)
    _asked: Counter = field(init=False)
    _answered: Counter = field(init=False)
    _first_text: Histogram = field(init=False)
    _whole_answer: Histogram = field(init=False)
    _runs: Counter = field(init=False)
    _run_seconds: Histogram = field(init=False)
    _agent_up: Gauge = field(init=False)
    _agent_heard: Gauge = field(init=False)
    _sent: Counter = field(init=False)
    _refused: Counter = field(init=False)
    _turns: Counter = field(init=False)
    _requests: Counter = field(init=False)
    _request_seconds: Histogram = field(init=False)
    _files: Counter = field(init=False)
    _reloads: Counter = field(init=False)
    _reload_worked: Gauge = field(init=False)
    _reloaded_at: Gauge = field(init=False)
    _records: Counter = field(init=False)
    _heard: dict[str, Heard] = field(factory=dict)
    last_reload: Reload = field(init=False)
    reloads_begun: int = 0
    """How often settings began to be read again; more than `last_reload.number` while they are."""

    def __attrs_post_init__(self) -> None:
        # Else there are as many series again, which say when this process began.
        disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no annotations
        self._count_questions()
        self._count_agents()
        self._count_homeserver()
        self._files = self._counter(
            "files", "Files passed on, or not, between rooms and agents.", "direction", "outcome"
        )
        self._reloads = self._counter("config_reloads", "Reloads asked for (SIGHUP).", "outcome")
        self._reload_worked = self._gauge(
            "config_last_reload_successful", "Whether the last reload was put into force."
        )
        self._reloaded_at = self._gauge(
            "config_last_reload_success_timestamp_seconds",
            "When settings were last put into force, at the start or by a reload.",
        )
        self._note_reload(None)
        self._records = self._counter("log_records", "Records in the journal.", "level")
        for level in ("warning", "error", "critical"):
            self._records.labels(level)

    def _count_questions(self) -> None:
        self._asked = self._counter("questions", "Questions taken.")
        self._answered = self._counter("answers", "Questions that got their answer.", "outcome")
        self._first_text = self._histogram(
            "answer_first_text_seconds",
            "From taking a question until its first text was in the room.",
            FIRST_TEXT_BUCKETS,
        )
        self._whole_answer = self._histogram(
            "answer_complete_seconds",
            "From taking a question until its whole answer was in the room.",
            ANSWER_BUCKETS,
        )

    def _count_agents(self) -> None:
        self._runs = self._counter("agent_runs", "Runs of agents that ended.", "agent", "outcome")
        self._run_seconds = self._histogram(
            "agent_run_duration_seconds", "How long runs took.", ANSWER_BUCKETS, "agent"
        )
        self._agent_up = self._gauge(
            "agent_up", "Whether the agent could be reached for its last run.", "agent"
        )
        self._agent_heard = self._gauge(
            "agent_last_run_timestamp_seconds", "When the agent's last run ended.", "agent"
        )

    def _count_homeserver(self) -> None:
        self._sent = self._counter("events_sent", "Messages that the homeserver took.", "kind")
        self._refused = self._counter(
            "events_refused", "Messages that the homeserver will never take."
        )
        self._turns = self._counter(
            "rate_limit_wait_seconds",
            "Time that messages waited for the homeserver's rate limit.",
            "kind",
        )
        self._requests = self._counter(
            "homeserver_requests", "Requests to the homeserver.", "endpoint", "status"
        )
        self._request_seconds = self._histogram(
            "homeserver_request_duration_seconds",
            "How long requests to the homeserver took; /sync waits for news.",
            REQUEST_BUCKETS,
            "endpoint",
        )

    def expect(self, *, outcomes: Iterable[str], kinds: Iterable[str]) -> None:
        """Show these outcomes of questions and kinds of messages from the beginning, as 0."""
        for outcome in outcomes:
            self._answered.labels(outcome)
        for kind in kinds:
            self._sent.labels(kind)
            self._turns.labels(kind)
        for direction in ("to_agent", "to_room"):
            for outcome in ("passed_on", "refused"):
                self._files.labels(direction, outcome)
        for outcome in ("success", "failure"):
            self._reloads.labels(outcome)

    def question_taken(self) -> None:
        """Somebody's question became a request."""
        self._asked.inc()

    def question_answered(self, outcome: str) -> None:
        """A request is done (T2): `outcome` is its ending's."""
        self._answered.labels(outcome).inc()

    def first_text_shown(self, seconds: float) -> None:
        """The first text of an answer is in its room, so long after the question was taken."""
        self._first_text.observe(seconds)

    def answer_completed(self, seconds: float) -> None:
        """The last event of an answer is in its room."""
        self._whole_answer.observe(seconds)

    def run_ended(self, agent: str, outcome: str, seconds: float, *, is_up: bool | None) -> None:
        """An agent's run is over after `seconds`; `is_up`: it was reached, if anybody knows."""
        self._runs.labels(agent, outcome).inc()
        self._run_seconds.labels(agent).observe(seconds)
        if is_up is not None:
            self._heard[agent] = Heard(is_up=is_up, at=time.time())
            self._agent_up.labels(agent).set(is_up)
            self._agent_heard.labels(agent).set(self._heard[agent].at)

    def agents_in_force(self, agents: Iterable[str]) -> None:
        """Forget how those were that are not registered any more."""
        for gone in self._heard.keys() - set(agents):
            del self._heard[gone]
            self._agent_up.remove(gone)
            self._agent_heard.remove(gone)

    def heard(self, agent: str) -> Heard | None:
        """Return whether the agent was there when it was last asked; None: it was not yet."""
        return self._heard.get(agent)

    def event_sent(self, kind: str) -> None:
        """The homeserver took a message; `kind` is its priority."""
        self._sent.labels(kind).inc()

    def event_refused(self) -> None:
        """The homeserver will never take a message."""
        self._refused.inc()

    def waited_for_turn(self, kind: str, seconds: float) -> None:
        """A message waited so long because the homeserver limits the rate."""
        self._turns.labels(kind).inc(seconds)

    def homeserver_asked(self, endpoint: str, status: int | None, seconds: float) -> None:
        """A request to this kind of endpoint was answered with `status`; None: it was not."""
        self._requests.labels(endpoint, _status_class(status)).inc()
        self._request_seconds.labels(endpoint).observe(seconds)

    def file_passed_on(self, *, to_agent: bool, worked: bool) -> None:
        """A person's file went to an agent, or an agent's into a room; or it never will."""
        direction = "to_agent" if to_agent else "to_room"
        self._files.labels(direction, "passed_on" if worked else "refused").inc()

    def reload_begun(self) -> None:
        """Settings are about to be read again."""
        self.reloads_begun += 1

    def reloaded(self, *, refused: str | None = None) -> None:
        """Settings were read again; they are in force unless they were `refused`, for a reason."""
        self._reloads.labels("success" if refused is None else "failure").inc()
        self._note_reload(refused)

    def logged(self, level: str) -> None:
        """A record of this level went into the journal."""
        self._records.labels(level).inc()

    def _note_reload(self, refused: str | None) -> None:
        self.last_reload = Reload(time.time(), refused, self.reloads_begun)
        self._reload_worked.set(refused is None)
        if refused is None:
            self._reloaded_at.set(self.last_reload.at)

    def _counter(self, name: str, told: str, *labels: str) -> Counter:
        return Counter(name, told, labels, namespace=NAMESPACE, registry=self.registry)

    def _gauge(self, name: str, told: str, *labels: str) -> Gauge:
        return Gauge(name, told, labels, namespace=NAMESPACE, registry=self.registry)

    def _histogram(
        self, name: str, told: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(
            name, told, labels, namespace=NAMESPACE, buckets=buckets, registry=self.registry
        )


def _status_class(status: int | None) -> str:
    """Return "2xx" and the like; a rate limit is a class of its own."""
    if status is None:
        return AWAY
    return "429" if status == 429 else f"{status // 100}xx"  # noqa: PLR2004 - Too Many Requests
