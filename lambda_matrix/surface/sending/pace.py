"""One pace for the whole account: a homeserver limits the bot, not its rooms.

The theory. A homeserver counts an account's events in a bucket that leaks: so many may come at once
(`BURST`), then one each time that a drop has leaked out (the period; Synapse's default: ten, then
one every five seconds). Nothing is limited until the homeserver says so. What its 429 says is
exact: the bucket is full, and how long it takes until the next drop is out. With the time since the
last event went in, that is the period; and from then on the bucket can be followed from here, so
that a 429 is an exception.

What is left of the bucket goes to the most wanted first: final answers, then first messages.
Whatever shows an answer in the making may only have what is left over when each of them is sure of
room for its final (`reserve`), so that no final ever waits because a preview went before it.

Limits change. After so many events at the very edge a faster pace is tried, which costs one 429 if
it is wrong; and what was learned long ago is forgotten.
"""

import heapq
import itertools
import logging

import trio
from attrs import define, field

from lambda_matrix.store.records import Priority

logger = logging.getLogger(__name__)

BURST = 10
"""Events for which an idle homeserver is taken to have room at once."""
PERIOD_MOST = 30.0
"""Seconds."""
EDGE_MOST = 20
"""Events sent as soon as there was room, after which half the period is tried."""
CREDIBLE = 1.5
"""Of the longest period that is known for sure: what is longer from turn to turn measures none."""
MEMORY = 3600.0
"""Seconds for which a 429 is remembered."""
NEVER = -float("inf")


@define
class Pace:
    """When the next event may be sent. Times are Trio's clock, in seconds."""

    _period: float = 0.0
    _opens: float = NEVER  # when there is room for one event; later, for more of them
    _took_at: float = 0.0  # the last turn
    _sent_at: float = NEVER  # the last turn whose event went through
    _limited_at: float = NEVER
    _at_edge: int = 0
    _waiting: list[tuple[Priority, int]] = field(factory=list)
    _order: "itertools.count[int]" = field(factory=itertools.count)
    _changed: trio.Event = field(factory=trio.Event)

    @property
    def period(self) -> float:
        """Seconds between events in the long run; 0 while no limit is known."""
        return self._period

    async def turn(self, priority: Priority) -> None:
        """Wait until it is this caller's turn to send one event."""
        me = (priority, next(self._order))
        heapq.heappush(self._waiting, me)
        try:
            while self._waiting[0] != me or trio.current_time() < self._opens:
                # Woken by time only at the head of the line; by any change, to look again.
                at_head = self._waiting[0] == me
                with trio.move_on_at(self._opens if at_head else float("inf")):
                    await self._changed.wait()
            self._take()
        finally:
            self._waiting.remove(me)
            heapq.heapify(self._waiting)
            self._tell_all()

    def wait_for_room(self, reserve: int) -> float:
        """Return the seconds until there may be room for one event and `reserve` more.

        0: there is now, and nobody waits for it. Room for more than a burst there never is.
        """
        besides = min(reserve, BURST - 1) * self._period
        room_at = self._opens + besides + len(self._waiting) * self._period
        return max(0.0, room_at - trio.current_time())

    def slow_down(self, retry_after: float) -> None:
        """The homeserver answered 429 and asked to wait `retry_after` seconds."""
        now = trio.current_time()
        # From turn to turn: a refusal may take its time (half a second, with Synapse).
        since = self._took_at - self._sent_at
        if since > CREDIBLE * max(self._period, retry_after):
            since = 0.0  # something else has filled the bucket meanwhile: this is no measure
        is_news = not self._period
        self._period = min(max(self._period, since + retry_after), PERIOD_MOST)
        self._opens = now + retry_after
        self._limited_at = now
        self._at_edge = 0
        logger.log(
            logging.INFO if is_news else logging.DEBUG,
            "the homeserver limits the rate: on in %.1f s, then an event each %.1f s",
            retry_after,
            self._period,
        )
        self._tell_all()

    def succeed(self) -> None:
        """An event went through."""
        self._sent_at = self._took_at

    def _take(self) -> None:
        """Count one event into the bucket."""
        now = trio.current_time()
        if now > self._limited_at + MEMORY:
            self._period = 0.0
        if now < self._opens + self._period:
            self._at_edge += 1
            if self._at_edge > EDGE_MOST:
                self._period /= 2
                self._at_edge = 0
        self._took_at = now
        empty = now - (BURST - 1) * self._period
        self._opens = max(self._opens, empty) + self._period

    def _tell_all(self) -> None:
        if self._waiting:
            self._changed.set()
            self._changed = trio.Event()
