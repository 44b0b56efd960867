"""What is known of the process, for whoever watches: looked at when somebody asks."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, frozen

from lambda_matrix.agent.registry import Registry
from lambda_matrix.client_server_api.exchange import Exchange
from lambda_matrix.config.settings import HomeserverSection
from lambda_matrix.ids import UserId
from lambda_matrix.logs import Recent, remember
from lambda_matrix.metrics import Metrics
from lambda_matrix.pulse import Pulse
from lambda_matrix.service.monitoring.wording import clock
from lambda_matrix.service.status_line import StatusLine
from lambda_matrix.store.records import Priority
from lambda_matrix.surface.overview import Overview
from lambda_matrix.surface.runs.outcomes import ANSWERS

LONGEST_SILENCE: Final = 150.0
"""Seconds since the homeserver last answered a /sync, after which it is no more said to be there:
longer than any long poll takes before it counts as failed."""


FAULTS_SHOWN: Final = 20
"""The newest warnings and errors."""


@frozen
class Verdict:
    """A yes or no, and why in one line."""

    is_good: bool
    why: str

    @classmethod
    def of(cls, trouble: str | None, *, good: str) -> Verdict:
        """Return the verdict where there is this trouble, or none."""
        return cls(trouble is None, good if trouble is None else trouble)


@define(eq=False)
class Watched:
    """One process of the service. `overview` is there while the database can be asked."""

    line: StatusLine
    pulse: Pulse
    metrics: Metrics
    recent: Recent
    homeserver: str
    user_id: UserId
    agents: Callable[[], Registry]
    overview: Callable[[], Awaitable[Overview]] | None = None

    def count(self, exchange: Exchange) -> None:
        """Count a request to the homeserver (an observer of its transport)."""
        self.metrics.homeserver_asked(exchange.kind, exchange.status, exchange.seconds)

    def health(self) -> Verdict:
        """Return whether the process works; waiting for others is work."""
        stuck = self.pulse.stuck()
        return Verdict.of(None if stuck is None else f"stuck: {stuck}", good="ok")

    def readiness(self) -> Verdict:
        """Return whether people are answered."""
        return Verdict.of(self._trouble(), good=self.line.phase)

    def _trouble(self) -> str | None:
        line, health = self.line, self.health()
        if not health.is_good:
            return health.why
        if line.refusing is not None:
            since = clock(line.refusing.since)
            return f"waiting for the disk since {since}: {line.refusing.why}"
        if line.away is not None:
            return f"homeserver away since {clock(line.away.since)}: {line.away.why}"
        if not line.is_ready:
            return line.phase
        age = self.pulse.sync_age
        if age is None or age > LONGEST_SILENCE:
            return f"homeserver silent since {clock(time.time() - (age or 0.0))}"
        return None


@contextmanager
def watch(
    line: StatusLine, pulse: Pulse, homeserver: HomeserverSection, agents: Callable[[], Registry]
) -> Iterator[Watched]:
    """Count what is counted, and remember the newest faults, within this block."""
    metrics = Metrics()
    metrics.expect(outcomes=ANSWERS, kinds=[priority.name.lower() for priority in Priority])
    with remember(FAULTS_SHOWN, metrics.logged) as recent:
        yield Watched(line, pulse, metrics, recent, homeserver.url, homeserver.user_id, agents)
