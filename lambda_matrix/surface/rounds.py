"""Whole rounds of /sync: what was made before a round began is in the batch that ends it."""

import trio
from attrs import define, field


@define
class Rounds:
    """Counts the batches of /sync. One round may have begun before a wait; the next has not."""

    _count: int = 0
    _last: float | None = None
    _ended: trio.Event = field(factory=trio.Event)

    @property
    def age(self) -> float | None:
        """Seconds since the last batch; None before the first."""
        return None if self._last is None else trio.current_time() - self._last

    def end(self) -> None:
        """A batch was taken in."""
        self._count += 1
        self._last = trio.current_time()
        self._ended.set()
        self._ended = trio.Event()

    async def wait_whole(self) -> None:
        """Wait until a round that began after this call has ended."""
        enough = self._count + 2
        while self._count < enough:
            await self._ended.wait()
