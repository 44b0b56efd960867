"""One task per busy room, none per idle one, and the fault barrier between rooms.

`wake` says that there may be something to do. The room's lane then serves it until there is
nothing left; a wake that comes meanwhile makes it look once more. What is to be done stands in the
store, not here, so nothing can pile up and nothing is lost with a lane.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, NoReturn, TypeVar

import trio
from attrs import define, field

from lambda_matrix import logs
from lambda_matrix.message_ids import MessageId
from lambda_matrix.store.store import StoreDamagedError

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
"""Seconds that a room rests after a fault of ours, doubled each time."""


Key = TypeVar("Key", bound=str)


@define
class Lanes(Generic[Key]):
    """The lanes of one kind of work, for rooms or for users. `name` is for the journal."""

    _name: str
    _serve: Callable[[Key], Awaitable[None]]
    _after_fault: Callable[[Key], Awaitable[None]] | None = None
    _woken: set[Key] = field(factory=set)
    _busy: set[Key] = field(factory=set)
    _bell: trio.Event = field(factory=trio.Event)
    _resting: set[Key] = field(factory=set)
    _changed: trio.Event = field(factory=trio.Event)

    def wake(self, keys: Iterable[Key]) -> None:
        """Have each of `keys` looked at, now or as soon as its lane has a hand free."""
        self._woken.update(keys)
        if self._woken:
            self._bell.set()

    def is_busy(self, key: Key) -> bool:
        """Return whether this one has a lane or is about to get one."""
        return key in self._busy or key in self._woken

    @property
    def busy(self) -> int:
        """How many are being served."""
        return len(self._busy)

    @property
    def active(self) -> frozenset[Key]:
        """Those for which something is being done now, or is about to be: none after a fault."""
        return frozenset((self._busy | self._woken) - self._resting)

    async def wait_inactive(self, key: Key) -> None:
        """Wait until there is nothing to do for this one, or nothing that can be done now."""
        while key in self.active:
            await self._changed.wait()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Serve rooms until cancelled."""
        async with trio.open_nursery() as lanes:
            task_status.started()
            while True:
                await self._bell.wait()
                self._bell = trio.Event()
                for key in self._woken - self._busy:
                    self._busy.add(key)
                    lanes.start_soon(self._lane, key, name=f"{self._name} {key}")

    async def _lane(self, key: Key) -> None:
        pause = FIRST_PAUSE
        faulted = False
        while key in self._woken:
            self._woken.discard(key)
            try:
                with logs.only_about(_about(key)):
                    if faulted and self._after_fault is not None:
                        await self._after_fault(key)
                    await self._serve(key)
                faulted, pause = False, FIRST_PAUSE
            except StoreDamagedError:
                raise  # no room's fault: there is nothing left to serve any room with
            except Exception:
                # THE fault barrier: whatever goes wrong in one room, the others never learn of it.
                with logs.only_about(_about(key)):
                    logger.exception(
                        "a fault of the program: %s of %s failed; next look in %.0f s",
                        self._name,
                        key,
                        pause,
                        extra=MessageId.FAULT.extra,
                    )
                self._resting.add(key)
                self._tell()
                await trio.sleep(pause)
                self._resting.discard(key)
                faulted, pause = True, min(pause * 2, LONGEST_PAUSE)
                self._woken.add(key)
        self._busy.discard(key)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()


def _about(key: str) -> logs.Fields:
    """Return what is told of a lane: it is a room's, or a person's."""
    return logs.Fields(user=key) if key.startswith("@") else logs.Fields(room=key)
