"""SIGTERM and Ctrl-C: what is at work may end, for a while; the second one ends it at once.

A service that is not at work yet, or not any more, has nothing that is worth waiting for.
"""

import logging
import signal
from typing import NoReturn

import trio
from attrs import define, field

from lambda_matrix import sd_notify
from lambda_matrix.service.status_line import StatusLine
from lambda_matrix.surface.draining import Draining

logger = logging.getLogger(__name__)

TELL_INTERVAL = 2.0
"""Seconds from one status line to the next while answers are being finished."""
PARKING = 15.0
"""Seconds that it takes at most to leave everything to the next start, once that is decided."""


@define(eq=False)
class Stopping:
    """The wish that the service ends; `_everything` is what ends at once."""

    _everything: trio.CancelScope
    _asked: trio.Event = field(factory=trio.Event)
    _is_waited_for: bool = False

    @property
    def is_asked(self) -> bool:
        """Whether the service is to end."""
        return self._asked.is_set()

    async def obey(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Hear the signals until cancelled."""
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            task_status.started()
            while True:
                number = await anext(signals)
                logger.info("%s: stopping", signal.Signals(number).name)
                sd_notify.notify(sd_notify.STOPPING)
                if self.is_asked or not self._is_waited_for:
                    self._everything.cancel()
                self._asked.set()

    async def wait(self) -> None:
        """Wait for the first signal: whoever is here sees to it that the service ends."""
        self._is_waited_for = True
        try:
            await self._asked.wait()
        finally:
            self._is_waited_for = self.is_asked


async def finish(draining: Draining, line: StatusLine, seconds: float) -> None:
    """Let what is at work end, for so many seconds; then it is left as it is.

    The service manager is asked for as many, if they are more than it gives by itself
    (TimeoutStopSec=): whoever sets them in the configuration need not change the unit.
    """
    deadline = trio.current_time() + seconds
    with trio.move_on_at(deadline) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_tell, draining, line, deadline)
            await draining.run()
            nursery.cancel_scope.cancel()
    if scope.cancelled_caught and draining.left:
        logger.info("answers that are not finished, left to the next start: %d", draining.left)
    line.enter("stopping", PARKING)


async def _tell(draining: Draining, line: StatusLine, deadline: float) -> NoReturn:
    while True:
        seconds = deadline - trio.current_time()
        left = draining.left
        answers = "1 answer being finished" if left == 1 else f"{left} answers being finished"
        doing = answers if left else "answers being sent"
        sd_notify.notify(sd_notify.extend_timeout(seconds + PARKING))
        line.enter(f"stopping: {doing}, {seconds:.0f} s left", seconds + PARKING)
        await trio.sleep(TELL_INTERVAL)
