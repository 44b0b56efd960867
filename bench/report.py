"""The findings as Markdown, and their place in docs/performance.md."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from attrs import frozen
from measuring import Findings, percentile

_BEGIN, _END = "<!-- bench: begin -->", "<!-- bench: end -->"


@frozen
class Circumstances:
    """What one must know to read the figures."""

    command: str
    date: str
    commit: str
    synapse: str
    seconds: float


def report(found: Sequence[Findings], circumstances: Circumstances) -> str:
    """Three tables and what they were measured on. The first of `found` is the floor."""
    parts = [_heading(found, circumstances)]
    parts.append(_talk(found))
    if found[0].bursts:
        parts.append(_bursts(found))
    parts.append(_costs(found))
    return "\n\n".join(parts)


def write(text: str, page: Path) -> None:
    """Put the text between the markers of the page."""
    before, _, rest = page.read_text().partition(_BEGIN)
    _, marker, after = rest.partition(_END)
    if not marker:
        raise ValueError(f"{page} has no {_BEGIN} and {_END}")
    page.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}")


def _heading(found: Sequence[Findings], seen: Circumstances) -> str:
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    python = f"Python {platform.python_version()}"
    made_of = "; ".join(f"{each.entry.name}: {each.entry.made_of}" for each in found)
    return (
        f"`{seen.command}` on {seen.date}, commit {seen.commit}, {seen.seconds:.0f} s in all; "
        f"{machine}, {python}; Synapse {seen.synapse} on SQLite without rate limits.\n\n{made_of}."
    )


def _talk(found: Sequence[Findings]) -> str:
    floor = _median_trip(found[0])
    rows = []
    for each in found:
        answered = [1000 * trip.answered for trip in each.trips if trip.answered is not None]
        put = median(1000 * trip.put for trip in each.trips)
        p50, p95, p99 = (percentile(answered, percent) for percent in (50, 95, 99))
        rows.append(
            (
                each.entry.name,
                *(f"{value:.1f}" for value in (p50, p95, p99)),
                f"{_median_trip(each) / floor:.2f}",
                "-" if each.inside is None else f"{1000 * each.inside:.1f}",
                f"{put:.1f}",
                str(len(each.trips) - len(answered)),
                _foreign([each.talk.used.foreign] if each.talk else []),
            )
        )
    head = ("", "p50 ms", "p95 ms", "p99 ms", "p50 / floor", "inside the bot ms")
    return (
        f"### Round trip: {len(found[0].trips)} questions in one room, one after the other\n\n"
        + _table((*head, "person's PUT ms", "lost", "noise cores"), rows)
    )


def _bursts(found: Sequence[Findings]) -> str:
    rows = []
    for each in found:
        bursts = [burst for burst, _ in each.bursts]
        rows.append(
            (
                each.entry.name,
                f"{median(burst.seconds for burst in bursts):.1f}",
                " ".join(f"{burst.seconds:.1f}" for burst in bursts),
                f"{median(burst.questions / burst.seconds for burst in bursts):.0f}",
                str(sum(burst.lost for burst in bursts)),
                str(sum(burst.doubled for burst in bursts)),
                str(sum(burst.disordered for burst in bursts)),
                _foreign([window.used.foreign for _, window in each.bursts]),
            )
        )
    asked = found[0].bursts[0][0].questions
    head = ("", "median s", "each s", "answers/s", "lost", "doubled", "out of order")
    return f"### Burst: {asked} questions in all rooms at once\n\n" + _table(
        (*head, "noise cores"), rows
    )


def _costs(found: Sequence[Findings]) -> str:
    rows = []
    for each in found:
        if each.talk is None:
            continue
        kinds, asked = each.talk.by_kind, len(each.trips)
        spent = each.talk.used.processes
        others = sum(many for kind, many in kinds.items() if kind in {"typing", "other"})
        rows.append(
            (
                each.entry.name,
                *(f"{kinds.get(kind, 0) / asked:.2f}" for kind in ("event", "receipt", "sync")),
                f"{others / asked:.2f}",
                f"{1000 * spent['homeserver'] / asked:.1f}",
                _and_agent({name: 1000 * cpu / asked for name, cpu in spent.items()}, ".1f"),
                *_in_bursts(each),
                _and_agent(each.memory, ".0f"),
            )
        )
    head = ("", "events", "receipts", "syncs", "others", "homeserver CPU ms", "CPU ms")
    more = ("burst: requests", "burst: homeserver CPU ms", "burst: CPU ms", "peak memory MB")
    return (
        "### What an answered question costs\n\n"
        + _table((*head, *more), rows)
        + "\n\nRequests and CPU per question. `a + b`: the service, and its agent's process."
    )


def _in_bursts(each: Findings) -> tuple[str, str, str]:
    if not each.bursts:
        return ("-", "-", "-")
    asked = sum(burst.questions for burst, _ in each.bursts)
    requests = sum(len(window.requests) for _, window in each.bursts)
    cpu = {
        name: 1000 * sum(window.used.processes[name] for _, window in each.bursts) / asked
        for name in each.bursts[0][1].used.processes
    }
    return (f"{requests / asked:.2f}", f"{cpu['homeserver']:.1f}", _and_agent(cpu, ".1f"))


def _and_agent(values: Mapping[str, float], form: str) -> str:
    parts = [format(values[name], form) for name in ("bot", "agent") if name in values]
    return " + ".join(parts)


def _median_trip(each: Findings) -> float:
    return median(trip.answered for trip in each.trips if trip.answered is not None)


def _foreign(cores: Iterable[float]) -> str:
    return f"{max(cores, default=0):.2f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
