"""One pace for the whole account: a homeserver limits the bot, not its rooms.

Nothing is limited until the homeserver says so. A 429 closes the door for as long as it asks and
sets the interval between events to what it asked; each success shortens the interval again. Behind
a closed door the most wanted goes first: final answers, first messages, and previews last.
"""

import heapq
import itertools

import trio
from attrs import define, field

from lambda_matrix.store.records import Priority

INTERVAL_DECAY = 0.9
INTERVAL_OFF = 0.05
"""Seconds: an interval that has shrunk below this is no limit any more."""
INTERVAL_MOST = 30.0


@define
class Pace:
    """When the next event may be sent. Times are Trio's clock, in seconds."""

    _interval: float = 0.0
    _not_before: float = -float("inf")
    _waiting: list[tuple[Priority, int]] = field(factory=list)
    _order: "itertools.count[int]" = field(factory=itertools.count)
    _changed: trio.Event = field(factory=trio.Event)

    @property
    def limited(self) -> bool:
        """True while the homeserver's limit is felt: what can be left unsent should be."""
        return self._interval > 0 or trio.current_time() < self._not_before

    @property
    def interval(self) -> float:
        """Seconds between events at the pace learned; 0 when unlimited."""
        return self._interval

    async def turn(self, priority: Priority) -> None:
        """Wait until it is this caller's turn to send one event."""
        me = (priority, next(self._order))
        heapq.heappush(self._waiting, me)
        try:
            while self._waiting[0] != me or trio.current_time() < self._not_before:
                # Woken by time only at the head of the line; by any change, to look again.
                at_head = self._waiting[0] == me
                with trio.move_on_at(self._not_before if at_head else float("inf")):
                    await self._changed.wait()
            self._not_before = trio.current_time() + self._interval
        finally:
            self._waiting.remove(me)
            heapq.heapify(self._waiting)
            self._tell_all()

    def try_turn(self) -> bool:
        """Take a turn if one is free this very moment and nobody waits for it."""
        if self._waiting or trio.current_time() < self._not_before:
            return False
        self._not_before = trio.current_time() + self._interval
        return True

    def _tell_all(self) -> None:
        if self._waiting:
            self._changed.set()
            self._changed = trio.Event()

    def slow_down(self, retry_after: float) -> None:
        """The homeserver answered 429 and asked to wait `retry_after` seconds."""
        self._interval = min(max(self._interval, retry_after), INTERVAL_MOST)
        self._not_before = max(self._not_before, trio.current_time() + retry_after)

    def succeed(self) -> None:
        """An event went through."""
        self._interval *= INTERVAL_DECAY
        if self._interval < INTERVAL_OFF:
            self._interval = 0.0
