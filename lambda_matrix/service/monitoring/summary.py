"""A report in words, for people: the same on the page and on a terminal."""

from __future__ import annotations

from attrs import frozen

from lambda_matrix.service.monitoring.report import AgentSeen, Report
from lambda_matrix.service.monitoring.wording import duration, since, size

Row = tuple[str, str]


@frozen(kw_only=True)
class Table:
    """Rows under a title; `empty` is said where there are none."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    empty: str


def headline(report: Report) -> str:
    """Return how the service is, in a line."""
    if report.readiness.is_good:
        return f"{report.phase} since {since(report.since, report.at)}"
    return report.readiness.why


def service(report: Report) -> tuple[Row, ...]:
    """Return how the process and its homeserver are."""
    rows = [
        ("Up since", since(report.started_at, report.at)),
        ("Process", report.health.why),
        ("Homeserver", f"{report.homeserver}: {_homeserver(report)}"),
    ]
    if not report.readiness.is_good:
        rows.insert(1, ("Phase", f"{report.phase}, since {since(report.since, report.at)}"))
    if report.user is not None:
        rows.append(("Account", report.user))
    if report.disk is not None:
        rows.append(("Disk", f"refuses since {since(report.disk.since, report.at)}"))
    rows.append(("Settings", _settings(report)))
    use = report.process
    memory, cpu = f"{size(use.resident)} of memory", f"{use.cpu:.1f} s of CPU time"
    files = f"{use.descriptors} of {use.most_descriptors} file descriptors"
    rows.append(("Uses", f"{memory}, {cpu}, {files}"))
    return tuple(rows)


def now(report: Report) -> tuple[Row, ...]:
    """Return how much there is to do; nothing, if the database does not say."""
    seen = report.figures
    if seen is None:
        return ()
    rows = [
        ("People", str(seen.people)),
        ("Rooms", f"{seen.rooms}, {seen.chats} of them chats"),
        ("Answers being made", str(len(report.runs))),
        ("Questions waiting", _with_age(seen.waiting, seen.longest_wait)),
        ("Messages to send", _with_age(seen.owed, seen.oldest_owed)),
    ]
    seldom = (
        ("Questions that wait for a confirmation", seen.held),
        ("Events not looked at yet", seen.unread),
        ("Messages for rooms that the bot is not in", seen.parked),
        ("Messages refused by the homeserver in the last 30 days", seen.refused),
        ("Gaps in rooms' history", seen.gaps),
        ("Rooms to make", seen.rooms_to_make),
        ("Files on their way", seen.files),
    )
    rows += [(name, str(count)) for name, count in seldom if count]
    return tuple(rows)


def agents(report: Report) -> Table:
    """Return the agents in force."""
    at_work = [run.agent for run in report.runs]
    return Table(
        title="Agents",
        columns=("Id", "Name", "Last time asked", "Answers being made"),
        rows=tuple(
            (agent.id, agent.name, _agent(agent, report.at), str(at_work.count(agent.id)))
            for agent in report.agents
        ),
        empty="There are no agents.",
    )


def runs(report: Report) -> Table:
    """Return the answers that are being made, the longest first."""
    with_ids = any(run.room is not None for run in report.runs)
    return Table(
        title="Answers being made",
        columns=("For", "Agent", *(("Room", "Asked by", "Request") if with_ids else ())),
        rows=tuple(
            (
                duration(run.seconds),
                run.agent,
                *((run.room or "", run.user or "", run.request or "") if with_ids else ()),
            )
            for run in report.runs
        ),
        empty="None.",
    )


def faults(report: Report) -> Table:
    """Return the newest warnings and errors, the newest first."""
    return Table(
        title="Last faults",
        columns=("When", "Level", "What"),
        rows=tuple((since(each.at, report.at), each.level, each.text) for each in report.faults),
        empty="None since the start.",
    )


def _homeserver(report: Report) -> str:
    if report.away is not None:
        return f"away since {since(report.away.since, report.at)}: {report.away.why}"
    if report.sync_age is None:
        return "has not answered yet"
    return f"answers; last heard {duration(report.sync_age)} ago"


def _settings(report: Report) -> str:
    if report.reload_refused is not None:
        when = since(report.reloaded_at, report.at)
        return f"the last reload was refused, {when}: the old ones are in force"
    return f"in force since {since(report.reloaded_at, report.at)}"


def _agent(agent: AgentSeen, at: float) -> str:
    if agent.is_up is None or agent.asked_at is None:
        return "not asked yet"
    return f"{'reached' if agent.is_up else 'NOT REACHED'}, {since(agent.asked_at, at)}"


def _with_age(count: int, age: float | None) -> str:
    return str(count) if age is None else f"{count}, the oldest for {duration(age)}"
