"""The service under something like systemd: it is started again when it ends, as the unit says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio
from attrs import define, field

from lambda_matrix.demo.processes import Child, Program, start

NEVER_AGAIN: Final = frozenset({0, 70, 75, 78})
"""Exit statuses after which the sample unit does not start it again."""
_RESTART_AFTER: Final = 0.1
"""Seconds. The unit waits for two; a test has less time."""


@define
class Supervised:
    """A service that is kept running. `ends` are the exit statuses of its processes so far."""

    program: Program
    ends: list[int] = field(factory=list)
    starts: int = 0
    child: Child | None = None
    _is_wanted: bool = False
    _changed: trio.Event = field(factory=trio.Event)

    async def keep(self) -> None:
        """Keep it running; to be cancelled."""
        while True:
            await self.wait_for(lambda: self._is_wanted)
            child = self.child = start(self.program)
            self.starts += 1
            self._tell()
            try:
                code = await child.wait()
            finally:
                await child.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
            self.child = None
            self.ends.append(code)
            if code in NEVER_AGAIN:
                self._is_wanted = False
            self._tell()
            if self._is_wanted:
                await trio.sleep(_RESTART_AFTER)

    def start(self) -> None:
        """`systemctl start`, without waiting for READY=1."""
        self._is_wanted = True
        self._tell()

    async def stop(self) -> None:
        """`systemctl stop`; returns when it has ended."""
        self._is_wanted = False
        if self.child is not None:
            self.child.terminate()
        await self.wait_for(lambda: self.child is None)

    async def kill(self, *, restart: bool = True) -> None:
        """SIGKILL; returns when it is gone. It is started again unless `restart` is False."""
        self._is_wanted = restart
        ended = len(self.ends)
        if self.child is not None:
            self.child.kill()
            await self.wait_for(lambda: len(self.ends) > ended)

    async def wait_end(self) -> int:
        """Wait until it has ended and is not started again; returns the exit status."""
        await self.wait_for(lambda: self.child is None and not self._is_wanted)
        return self.ends[-1]

    async def wait_for(self, check: Callable[[], bool]) -> None:
        """Wait until `check()` is true, asked anew after each start and end."""
        while not check():
            await self._changed.wait()

    @property
    def log(self) -> str:
        """All that it has written so far."""
        return self.program.log.read_text(encoding="utf-8", errors="replace")

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
