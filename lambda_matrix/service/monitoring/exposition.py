"""Metrics in the formats that Prometheus reads: what was counted, and what is seen now.

The conventions are Prometheus' own (naming, base units, exposition formats). What is seen now is
put together for each scrape and kept nowhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from attrs import frozen
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from lambda_matrix.metrics import NAMESPACE
from lambda_matrix.service.monitoring.process import process_families
from lambda_matrix.service.monitoring.report import Report

_FIGURES: Final = (
    ("rooms", "rooms", "Rooms that the bot is in."),
    ("people", "people", "People with a Space or a chat."),
    ("chats", "chats", "Chat rooms."),
    ("questions_waiting", "waiting", "Questions whose turn has not come."),
    ("questions_oldest_wait_seconds", "longest_wait", "Age of the oldest waiting question."),
    ("questions_held", "held", "Questions that wait for a person to confirm or refuse."),
    ("events_unread", "unread", "Events from rooms that nobody has reacted to yet."),
    ("outbox_events", "owed", "Messages still to be sent."),
    ("outbox_oldest_age_seconds", "oldest_owed", "Age of the oldest message still to be sent."),
    ("outbox_parked_events", "parked", "Messages for rooms that the bot is not in now."),
    ("outbox_refused_events", "refused", "Messages that the homeserver refused for good, 30 days."),
    ("gaps", "gaps", "Stretches of rooms' history still to be read."),
    ("rooms_to_make", "rooms_to_make", "Rooms that are wanted and not made yet."),
    ("files_in_transit", "files", "Files on their way between rooms and agents."),
)
"""The metric, the figure that it shows, what it is."""


@frozen(eq=False)
class Exposed:
    """Everything that a scrape gets, as a prometheus-client collector."""

    _registry: CollectorRegistry
    _report: Report

    def collect(self) -> Iterator[Metric]:
        """Return what is seen now, then what was counted."""
        yield from families(self._report)
        yield from self._registry.collect()


def expose(registry: CollectorRegistry, report: Report, accept: str) -> tuple[str, bytes]:
    """Return the content type that the Accept header asks for, and the metrics in it."""
    encode, content_type = choose_encoder(accept)
    return content_type, encode(Exposed(registry, report))


def families(report: Report) -> Iterator[Metric]:
    """Return what is seen now."""
    versions = {name.lower().replace("-", "_"): found for name, found in report.versions}
    yield InfoMetricFamily(
        f"{NAMESPACE}_build",
        "Versions of the program and of what it stands on.",
        value={"version": versions.pop(NAMESPACE), **versions},
    )
    yield _gauge("healthy", "Whether the process works (/healthz).", report.health.is_good)
    yield _gauge("ready", "Whether people are answered (/readyz).", report.readiness.is_good)
    yield _gauge("homeserver_up", "Whether the homeserver answers.", _is_homeserver_up(report))
    yield _gauge("disk_up", "Whether the disk takes what is stored.", report.disk is None)
    if report.sync_age is not None:
        told = "Time since the homeserver last answered a /sync."
        yield _gauge("sync_age_seconds", told, report.sync_age)
    if report.figures is not None:
        for name, figure, told in _FIGURES:
            yield _gauge(name, told, getattr(report.figures, figure) or 0)
        yield _runs(report)
    yield from process_families(report.process, report.started_at)


def _is_homeserver_up(report: Report) -> bool:
    return report.away is None and report.sync_age is not None


def _runs(report: Report) -> Metric:
    family = GaugeMetricFamily(f"{NAMESPACE}_runs", "Runs of agents at work.", labels=["agent"])
    at_work = Counter(run.agent for run in report.runs)
    for agent in dict.fromkeys([*(each.id for each in report.agents), *at_work]):
        family.add_metric([agent], at_work[agent])
    return family


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"{NAMESPACE}_{name}", told, value=value)
