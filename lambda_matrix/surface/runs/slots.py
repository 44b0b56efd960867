"""How many runs there are at a time: in all, and for each person.

Whoever asks in ten rooms at once has some of their runs wait for the others, so that nothing that
one person does slows another down. Those who wait begin in the order in which they came, but nobody
waits behind somebody who has to wait for themselves.
"""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
from attrs import define, field

from lambda_matrix.ids import UserId
from lambda_matrix.surface.policy import Policy


@define(eq=False)
class Place:
    """A place in the line of runs. `is_own_fault`: its person has as many as they may."""

    user_id: UserId
    is_own_fault: bool = False


@define
class Slots:
    """The runs at work, counted, and the line of those that wait."""

    _policy: Policy
    _running: Counter[UserId] = field(factory=Counter)
    _line: list[Place] = field(factory=list)
    _changed: trio.Event = field(factory=trio.Event)

    def stand_in_line(self, user_id: UserId) -> Place:
        """Return a new place at the end of the line; `taken` waits for its turn and leaves it."""
        place = Place(user_id, is_own_fault=self._has_all(user_id, self._running))
        self._line.append(place)
        return place

    @asynccontextmanager
    async def taken(self, place: Place) -> AsyncIterator[None]:
        """Wait for the turn of `place`, and be one of the runs at work while the block lasts."""
        try:
            while not self._is_turn_of(place):
                await self._changed.wait()
        finally:
            self._line.remove(place)
            self._tell()  # the others are nearer to their turn now
        self._running[place.user_id] += 1
        try:
            yield
        finally:
            self._running[place.user_id] -= 1
            self._running += Counter()  # who has none is not kept
            self._tell()

    def is_waiting(self, place: Place) -> bool:
        """Return whether its turn has not come yet."""
        return place in self._line

    def _is_turn_of(self, place: Place) -> bool:
        """Return whether a slot is left for `place`, after those before it have theirs."""
        running = self._running.copy()
        for each in self._line:
            if running.total() >= self._policy.runs:
                return False
            may_begin = not self._has_all(each.user_id, running)
            if each is place:
                return may_begin
            running[each.user_id] += may_begin
        return False

    def _has_all(self, user_id: UserId, running: Counter[UserId]) -> bool:
        return running[user_id] >= self._policy.limits.runs

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
