"""Signs of life: what each part that must never stand still is at, and for how long it may be.

Theory. Whether a part hangs cannot be told from outside: a long poll of half a minute, a disk that
is full for a week and a homeserver that is away for a month are all as they should be. So each part
says, whenever it goes on, what it does now and after how many seconds that has ended at the latest,
one way or another. One that is over its own time is stuck. Nothing is guessed, and nobody asks a
part that could not answer.

A disk that refuses excuses everybody, as long as it refuses again and again: each part may have to
store something. A homeserver that is away excuses the start, which asks it for this and that.
"""

from collections.abc import Callable

import trio
from attrs import define, field, frozen

LONGEST_STORING = 120.0
"""Seconds for what is written or read to be done, whatever it is: the kernel calls a task hung that
waits longer for a disk (hung_task_timeout_secs)."""

_NEVER = -float("inf")


@frozen
class Step:
    """What a part does since `since` (Trio's clock), for `within` seconds at most."""

    doing: str
    since: float
    within: float


@frozen
class Stuck:
    """A part that is over its time: it has been `doing` one thing for `seconds`."""

    part: str
    doing: str
    seconds: float

    def __str__(self) -> str:
        return f"{self.part} ({self.doing}) for {self.seconds:.0f} s"


@define(eq=False)
class Part:
    """A part that is never to stand still. It is judged from its first step until it is `over`."""

    name: str
    _clock: Callable[[], float] = trio.current_time
    _step: Step | None = None
    _waited_until: float = _NEVER

    def step(self, doing: str, within: float) -> None:
        """The part goes on; what it does now has ended after `within` seconds at the latest."""
        self._step = Step(doing, self._clock(), within)

    def wait(self, what: str, seconds: float) -> None:
        """The part waits so long for somebody else, who is to blame for it."""
        self.step(what, seconds + LONGEST_STORING)
        self._waited_until = self._clock() + seconds

    def over(self) -> None:
        """The part has nothing to do any more; what it waited for is there."""
        self._step = None
        self._waited_until = min(self._waited_until, self._clock())

    @property
    def at(self) -> Step | None:
        """What the part does; None: it is not to be judged."""
        return self._step

    @property
    def age(self) -> float | None:
        """Seconds since the part last went on; None before its first step and after its last."""
        return None if self._step is None else self._clock() - self._step.since

    @property
    def waited_until(self) -> float:
        """When its last wait for somebody else ended, or will; long ago, if there was none."""
        return self._waited_until


def part_of_nobody() -> Part:
    """Return a part that nobody looks at, in no time at all."""
    return Part("nobody", float)


@define(eq=False)
class Pulse:
    """The parts of one service. Each is handed to whoever it is about.

    `lifecycle` is the start and the stop, one after the other; `sync` the sync loop; `store` the
    database's thread, which is asked now and then; `disk` is at something only while it refuses.
    """

    _clock: Callable[[], float] = trio.current_time
    lifecycle: Part = field(init=False)
    sync: Part = field(init=False)
    store: Part = field(init=False)
    disk: Part = field(init=False)
    _answered_at: float | None = None

    def __attrs_post_init__(self) -> None:
        self.lifecycle = Part("the service itself", self._clock)
        self.sync = Part("the sync loop", self._clock)
        self.store = Part("the database", self._clock)
        self.disk = Part("the disk", self._clock)

    def begin_anew(self) -> None:
        """Whoever was at work has ended: nobody is judged by what they were at."""
        for part in (self.lifecycle, self.sync, self.store, self.disk):
            part.over()

    def answered(self) -> None:
        """The homeserver has answered a /sync."""
        self._answered_at = self._clock()

    @property
    def sync_age(self) -> float | None:
        """Seconds since the homeserver last answered a /sync; None before the first answer.

        Up to half a minute is as it should be: so long an answer is waited for when nothing is new.
        """
        return None if self._answered_at is None else self._clock() - self._answered_at

    def stuck(self) -> Stuck | None:
        """Return the part that is over its time; None while all go on, or rightly wait."""
        if self.disk.at is not None:
            return self._judged(self.disk, _NEVER)
        excused = self.disk.waited_until
        for part, since in (
            (self.sync, excused),
            (self.store, excused),
            (self.lifecycle, max(excused, self.sync.waited_until)),
        ):
            stuck = self._judged(part, since)
            if stuck is not None:
                return stuck
        return None

    def _judged(self, part: Part, excused: float) -> Stuck | None:
        """Return how the part is stuck; what was before `excused` does not count."""
        step = part.at
        if step is None or self._clock() <= max(step.since, excused) + step.within:
            return None
        return Stuck(part.name, step.doing, self._clock() - step.since)
