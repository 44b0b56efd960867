"""One look at the service, as facts: the page, `lambda-matrix status` and metrics show them."""

from __future__ import annotations

import platform
import re
import sqlite3
import ssl
import time
from functools import cache
from typing import Final

import trio
from attrs import evolve, frozen

from lambda_matrix import __version__
from lambda_matrix.service.monitoring.process import ProcessUse, process_use
from lambda_matrix.service.monitoring.watched import Verdict, Watched
from lambda_matrix.service.status_line import Trouble
from lambda_matrix.store.figures import Figures
from lambda_matrix.surface.overview import Overview

FIGURES_WITHIN: Final = 2.0
"""Seconds that the database may take; then the rest is told without it."""

LIBRARIES: Final = ("trio", "httpx", "h11", "wsproto", "attrs", "prometheus-client")
"""Those through which everything goes."""

_ENCODED_ID = re.compile(r"%(?:21|23|24|40)[\w.~%=+-]{2,}", re.IGNORECASE)
_PLAIN_ID = re.compile(r"(?<![\w/])[!#$@][\w.=+/~-]{2,}(?::[\w.:\[\]-]+)?")


@frozen(kw_only=True)
class RunSeen:
    """A run whose agent is being asked for `seconds`. Ids are None where they are not shown."""

    agent: str
    seconds: float
    room: str | None = None
    request: str | None = None
    user: str | None = None


@frozen(kw_only=True)
class AgentSeen:
    """An agent, and whether it was reached (`is_up`) for its last run, at this Unix time."""

    id: str
    name: str
    is_up: bool | None = None
    asked_at: float | None = None


@frozen(kw_only=True)
class FaultSeen:
    """Something that somebody should look at: a line of the journal, at `at` (Unix time)."""

    at: float
    level: str
    text: str


@frozen(kw_only=True)
class Report:
    """All of it. Moments are in Unix time, ages in seconds.

    `figures` is None before there are any, and while the database does not answer.
    """

    at: float
    phase: str
    since: float
    started_at: float
    health: Verdict
    readiness: Verdict
    homeserver: str
    user: str | None
    sync_age: float | None
    away: Trouble | None
    disk: Trouble | None
    versions: tuple[tuple[str, str], ...]
    agents: tuple[AgentSeen, ...]
    runs: tuple[RunSeen, ...]
    figures: Figures | None
    faults: tuple[FaultSeen, ...]
    reload_refused: str | None
    reloaded_at: float
    reloads_done: int
    reloads_begun: int
    process: ProcessUse


async def look(watched: Watched) -> Report:
    """Look at everything once; within a few seconds, whatever hangs."""
    overview = await _overview(watched)
    reload = watched.metrics.last_reload
    return Report(
        at=time.time(),
        phase=watched.line.phase,
        since=watched.line.since,
        started_at=watched.metrics.started_at,
        health=watched.health(),
        readiness=watched.readiness(),
        homeserver=watched.homeserver,
        user=watched.user_id,
        sync_age=watched.pulse.sync_age,
        away=watched.line.away,
        disk=watched.line.refusing,
        versions=_versions(),
        agents=_agents(watched),
        runs=() if overview is None else _runs(overview),
        figures=None if overview is None else overview.figures,
        faults=_faults(watched),
        reload_refused=reload.refused,
        reloaded_at=reload.at,
        reloads_done=reload.number,
        reloads_begun=watched.metrics.reloads_begun,
        process=process_use(),
    )


def without_ids(report: Report) -> Report:
    """Return what anybody may see who reaches the port (DECISIONS 39)."""
    return evolve(
        report,
        user=None,
        phase=masked(report.phase),
        readiness=evolve(report.readiness, why=masked(report.readiness.why)),
        health=evolve(report.health, why=masked(report.health.why)),
        away=_masked_trouble(report.away),
        disk=_masked_trouble(report.disk),
        reload_refused=None if report.reload_refused is None else masked(report.reload_refused),
        runs=tuple(evolve(run, room=None, request=None, user=None) for run in report.runs),
        faults=tuple(evolve(fault, text=masked(fault.text)) for fault in report.faults),
    )


def masked(text: str) -> str:
    """Return the text with what may be a Matrix id (appendices, 3.2) put out of sight.

    In URLs they are percent-encoded. Whatever looks like one goes, too.
    """
    return _PLAIN_ID.sub("…", _ENCODED_ID.sub("…", text))


async def _overview(watched: Watched) -> Overview | None:
    if watched.overview is None:
        return None
    with trio.move_on_after(FIGURES_WITHIN):
        return await watched.overview()
    return None


def _runs(overview: Overview) -> tuple[RunSeen, ...]:
    return tuple(
        RunSeen(
            agent=run.agent,
            seconds=run.seconds,
            room=run.room_id,
            request=run.request_id,
            user=run.asker,
        )
        for run in overview.runs
    )


def _agents(watched: Watched) -> tuple[AgentSeen, ...]:
    seen = []
    for agent in watched.agents().agents.values():
        heard = watched.metrics.heard(agent.id)
        seen.append(
            AgentSeen(
                id=agent.id,
                name=agent.name,
                is_up=None if heard is None else heard.is_up,
                asked_at=None if heard is None else heard.at,
            )
        )
    return tuple(seen)


def _faults(watched: Watched) -> tuple[FaultSeen, ...]:
    """Return the newest first."""
    return tuple(
        FaultSeen(at=entry.at, level=entry.level_name, text=entry.told())
        for entry in reversed(watched.recent.entries)
    )


def _masked_trouble(trouble: Trouble | None) -> Trouble | None:
    return None if trouble is None else evolve(trouble, why=masked(trouble.why))


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    # A megabyte that is not needed before somebody looks.
    from importlib.metadata import version  # noqa: PLC0415 - so it is said above

    return (
        ("lambda-matrix", __version__),
        ("Python", platform.python_version()),
        ("SQLite", sqlite3.sqlite_version),
        ("OpenSSL", ssl.OPENSSL_VERSION.split()[1]),
        *((name, version(name)) for name in LIBRARIES),
    )
