"""The findings of scale.py as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median

from attrs import frozen
from batches import Cost
from measuring import percentile
from population import Population
from report import Circumstances, machine, table
from starting import Start
from waves import Wave


@frozen
class Found:
    """Everything that was found; what was not measured is empty."""

    population: Population
    warm: Sequence[Start]
    cold: Sequence[Start]
    tasks: Mapping[str, int]
    costs: Sequence[Cost]
    waves: Sequence[Wave]


def report(found: Found, circumstances: Circumstances) -> str:
    """What was measured on, and a table for each part that was measured."""
    parts = [_heading(found.population, circumstances)]
    if found.warm:
        parts.append(_starts(found))
    if found.costs:
        parts.append(_batches(found.costs))
    if found.waves:
        parts.append(_waves(found.waves))
    return "\n\n".join(parts)


def _heading(population: Population, seen: Circumstances) -> str:
    size = population.size
    return (
        f"`{seen.command}` on {seen.date}, commit {seen.commit}, {seen.seconds:.0f} s in all; "
        f"{machine()}; Synapse {seen.synapse} on SQLite without rate limits. The bot is in "
        f"{population.rooms} rooms: {size.people} people have a Space, {size.chats} chats and a "
        f"direct chat each; one chat has {size.long} questions with their answers, the others "
        f"{size.short}. Making them took {population.seconds / 60:.0f} minutes."
    )


def _starts(found: Found) -> str:
    rows = [_start("with its database", found.warm), _start("database deleted", found.cold)]
    head = (
        "",
        "starts",
        "ready s",
        "all read back s",
        "chats known",
        "gaps",
        "requests",
        "first sync s",
        "its body MB",
        "CPU s",
        "homeserver CPU s",
        "at rest MB",
        "peak MB",
        "database MB",
        "noise cores",
    )
    text = "### Starts\n\n" + table(head, rows)
    if found.tasks:
        most = sorted(found.tasks.items(), key=lambda item: (-item[1], item[0]))
        named = ", ".join(f"{'.'.join(name.split('.')[-2:])} {many}" for name, many in most)
        text += f"\n\nTasks with all rooms idle: {sum(found.tasks.values())} ({named})."
    return text + (
        "\n\nTwo values are the median and the worst. *All read back*: no gap is open and "
        "each chat has its owner and its context. *At rest* and *peak* are VmRSS and VmHWM."
    )


def _start(name: str, starts: Sequence[Start]) -> Sequence[str]:
    settled = [start.settled for start in starts if start.settled is not None]
    return (
        name,
        str(len(starts)),
        _two(start.ready for start in starts),
        _two(settled) if len(settled) == len(starts) else "never",
        str(min(start.chats for start in starts)),
        str(max(start.gaps for start in starts)),
        str(max(len(start.requests) for start in starts)),
        _two(start.largest_sync.ended - start.largest_sync.began for start in starts),
        _two(start.largest_sync.size / 1e6 for start in starts),
        _two(start.cpu for start in starts),
        _two(start.homeserver_cpu for start in starts),
        _two((start.resident for start in starts), ".0f"),
        _two((start.peak for start in starts), ".0f"),
        _two(start.stored for start in starts),
        f"{max(start.foreign for start in starts):.2f}",
    )


def _batches(costs: Sequence[Cost]) -> str:
    rows = []
    for cost in costs:
        taken = [1000 * seconds for seconds in cost.taken]
        trips = [1000 * seconds for seconds in cost.trips]
        per = {} if cost.notices is None else cost.notices.processes
        rows.append(
            (
                f"{cost.name} ({cost.rooms})",
                str(len(taken)),
                f"{median(taken):.1f}",
                f"{percentile(taken, 95):.1f}",
                f"{1000 * per['service'] / len(taken):.1f}",
                f"{1000 * per['homeserver'] / len(taken):.1f}",
                f"{median(trips):.1f}",
                f"{percentile(trips, 95):.1f}",
                str(cost.lost),
                f"{cost.stored:.1f}",
                f"{cost.notices.foreign if cost.notices else 0:.2f}",
            )
        )
    head = (
        "",
        "batches",
        "taken in p50 ms",
        "p95 ms",
        "CPU ms",
        "homeserver CPU ms",
        "round trip p50 ms",
        "p95 ms",
        "lost",
        "database MB",
        "noise cores",
    )
    return (
        "### A batch of sync\n\n"
        + table(head, rows)
        + "\n\n*Taken in*: from the homeserver's having an event until the service has it on disk. "
        "CPU is of a batch that holds one notice; the round trip is of a question to an echo."
    )


def _waves(waves: Sequence[Wave]) -> str:
    rows = []
    for wave in waves:
        spent = wave.used.processes
        rows.append(
            (
                wave.title,
                str(wave.questions),
                f"{wave.asked:.1f}",
                f"{wave.first:.1f}",
                f"{wave.last:.1f}",
                f"{median(wave.waits):.1f}" if wave.waits else "-",
                f"{wave.waits[-1]:.1f}" if wave.waits else "-",
                str(wave.texts),
                str(wave.lost),
                str(wave.doubled),
                " + ".join(f"{spent[name]:.1f}" for name in ("service", "agent", "homeserver")),
                f"{wave.resident:.0f}",
                f"{wave.peak:.0f}",
                f"{wave.used.foreign:.2f}",
            )
        )
    head = (
        "",
        "questions",
        "all asked s",
        "first answer s",
        "last answer s",
        "wait p50 s",
        "wait worst s",
        "events",
        "lost",
        "doubled",
        "CPU s: service + agent + homeserver",
        "after MB",
        "peak MB",
        "noise cores",
    )
    return (
        "### Everybody at once\n\n"
        + table(head, rows)
        + "\n\nSeconds since the first question was there; *wait* is from a question of one's own "
        "until its answer was whole."
    )


def _two(values: Iterable[float], form: str = ".1f") -> str:
    """The median and the worst."""
    found = list(values)
    pick: Callable[[Sequence[float]], float] = median
    return f"{pick(found):{form}} {max(found):{form}}" if found else "-"
