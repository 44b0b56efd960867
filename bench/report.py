"""The findings as Markdown, and their place in docs/performance.md."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median

from attrs import frozen
from measuring import Findings, percentile

from lambda_matrix.demo.bare_http import open_caller
from lambda_matrix.demo.homeserver import Homeserver

_ROOT = Path(__file__).parent.parent


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


def write(text: str, page: Path, place: str = "bench") -> None:
    """Put the text between the page's markers of that place."""
    begin, end = f"<!-- {place}: begin -->", f"<!-- {place}: end -->"
    before, _, rest = page.read_text().partition(begin)
    _, marker, after = rest.partition(end)
    if not marker:
        raise ValueError(f"{page} has no {begin} and {end}")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}")


def machine() -> str:
    """What the measurement ran on."""
    cores = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return f"{cores}, Python {platform.python_version()}"


def commit() -> str:
    """The commit that is measured; a plus sign tells of changes beside it."""
    command = ["git", "describe", "--always", "--dirty=+", "--exclude=*"]
    told = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"


async def synapse_version(homeserver: Homeserver) -> str:
    """Which Synapse this is; makes an administrator of the throw-away homeserver to ask it."""
    admin = await homeserver.register("admin", "of a throw-away homeserver", admin=True)
    async with open_caller(homeserver.url) as caller:
        path = ("_synapse", "admin", "v1", "server_version")
        answer = await caller.call("GET", *path, token=admin.access_token)
    return str(answer["server_version"])


def _heading(found: Sequence[Findings], seen: Circumstances) -> str:
    made_of = "; ".join(f"{each.entry.name}: {each.entry.made_of}" for each in found)
    return (
        f"`{seen.command}` on {seen.date}, commit {seen.commit}, {seen.seconds:.0f} s in all; "
        f"{machine()}; Synapse {seen.synapse} on SQLite without rate limits.\n\n{made_of}."
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
        + table((*head, "person's PUT ms", "lost", "noise cores"), rows)
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
    return f"### Burst: {asked} questions in all rooms at once\n\n" + table(
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
        + table((*head, *more), rows)
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


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
