"""The rounds of /sync: when the homeserver was last heard, and when it is heard again."""

import trio
from attrs import define, field


@define
class Rounds:
    """One round ends with each batch, also an empty one."""

    _last: float | None = None
    _ended: trio.Event = field(factory=trio.Event)

    @property
    def age(self) -> float | None:
        """Seconds since the last batch; None before the first."""
        return None if self._last is None else trio.current_time() - self._last

    def end(self) -> None:
        """A batch was taken in."""
        self._last = trio.current_time()
        self._ended.set()
        self._ended = trio.Event()

    async def wait_next(self) -> None:
        """Wait until one more batch has been taken in."""
        await self._ended.wait()
