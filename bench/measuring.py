"""The two measurements, and what they found for each contender."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import trio
from access_log import AccessLog, Request, time_inside
from asker import Burst, Trip
from attrs import define, field, frozen
from contenders import Contender, Entry
from usage import Sample, Used, add, sample, used

_SETTLE = 0.3
"""Seconds after the last answer in which receipts and the like still count."""


@frozen
class Window:
    """What was used and asked for in a stretch of time in which one contender was at work."""

    used: Used
    requests: tuple[Request, ...]

    @property
    def by_kind(self) -> Mapping[str, int]:
        """How many requests of each kind the bot made."""
        return Counter(request.kind for request in self.requests)


@define
class Findings:
    """Everything found about one contender. Memory is in MB."""

    entry: Entry
    trips: list[Trip] = field(factory=list)
    talk: Window | None = None
    bursts: list[tuple[Burst, Window]] = field(factory=list)
    memory: Mapping[str, float] = field(factory=dict)

    @property
    def inside(self) -> float | None:
        """The median time in seconds that the bot itself took for an answer."""
        return None if self.talk is None else time_inside(self.talk.requests)

    @property
    def faults(self) -> int:
        """Answers that were lost, doubled or out of order."""
        unanswered = sum(trip.answered is None for trip in self.trips)
        return unanswered + sum(b.lost + b.doubled + b.disordered for b, _ in self.bursts)


@frozen
class Bench:
    """Measures contenders on one homeserver."""

    log: AccessLog

    async def talk(self, contender: Contender, questions: int, into: Findings) -> None:
        """Ask one question after the other in one room."""
        watch = self._watch(contender)
        for _ in range(questions):
            into.trips.append(await contender.asker.ask(contender.rooms[0]))
        window = await watch.end()
        into.talk = window if into.talk is None else _joined(into.talk, window)

    async def burst(self, contender: Contender, each: int, into: Findings) -> None:
        """Ask in all rooms at once."""
        watch = self._watch(contender)
        burst = await contender.asker.burst(contender.rooms, each)
        into.bursts.append((burst, await watch.end()))

    def _watch(self, contender: Contender) -> _Watch:
        processes = {**contender.processes, "homeserver": self.log.process}
        start = self.log.position()
        return _Watch(self.log, contender.user_id, processes, start, sample(processes))


@frozen
class _Watch:
    """A window that has begun."""

    _log: AccessLog
    _user: str
    _processes: Mapping[str, int]
    _start: int
    _before: Sample

    async def end(self) -> Window:
        await trio.sleep(_SETTLE)
        spent = used(self._before, sample(self._processes))
        return Window(spent, tuple(self._log.requests(self._start, self._user)))


def _joined(one: Window, other: Window) -> Window:
    return Window(add(one.used, other.used), one.requests + other.requests)


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of some values."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, round(percent / 100 * (len(ranked) - 1)))]
