"""Tells the service manager that the service is alive, as long as that is true.

While it starts, its time is extended again and again (EXTEND_TIMEOUT_USEC, sd_notify(3)): a
homeserver may be away for a day. Once it is ready it feeds the watchdog (WATCHDOG=1,
sd_watchdog_enabled(3)). Both only while no part is over its time, as they have said it themselves
(`pulse`); and since this is a task like any other, only while Trio's loop goes round. Who is not
fed is killed with SIGABRT, which leaves the traceback of each thread in the journal, and started
again. A homeserver that is away, or a disk that is full, is no reason for that.
"""

import logging
import os
from collections.abc import Callable, Mapping
from typing import NoReturn

import trio
from attrs import define

from lambda_matrix import sd_notify
from lambda_matrix.message_ids import MessageId
from lambda_matrix.pulse import Pulse, Stuck

logger = logging.getLogger(__name__)

LOOK_INTERVAL = 10.0
"""Seconds from one look to the next, where no watchdog wants them more often."""
EXTENSION = 30.0
"""Seconds by which the start's time is extended at each look."""
LOOKS = 3
"""How often the watchdog is fed within its time: one datagram may be late, or be lost."""


@define(eq=False)
class Watchdog:
    """Looks at `pulse`. `tell` says the status line anew, which knows what is stuck."""

    _pulse: Pulse
    _tell: Callable[[], None]
    _environ: Mapping[str, str] = os.environ
    _is_ready: bool = False
    _is_heard: bool = True
    """Whether READY=1 was taken: a manager that is busy for long may not have."""
    _stuck: Stuck | None = None

    async def run(self) -> NoReturn:
        """Look until cancelled."""
        period = sd_notify.watchdog_period(self._environ)
        interval = LOOK_INTERVAL if period is None else min(period / LOOKS, LOOK_INTERVAL)
        while True:
            self._look()
            await trio.sleep(interval)

    def ready(self) -> None:
        """The service is ready; it may be told so more than once."""
        self._is_ready = True
        self._is_heard = sd_notify.notify(sd_notify.READY, environ=self._environ)

    def _look(self) -> None:
        stuck = self._pulse.stuck()
        if not self._is_heard:
            self.ready()  # else it would be taken for a start that never ends
        if stuck is None:
            line = sd_notify.WATCHDOG if self._is_ready else sd_notify.extend_timeout(EXTENSION)
            sd_notify.notify(line, environ=self._environ)
            if self._stuck is not None:
                logger.warning("it goes on after all: %s was stuck", self._stuck.part)
        elif self._stuck is None:
            logger.error(
                "stuck: %s; the service manager is not told any more that the service is alive, "
                "and starts it again",
                stuck,
                extra=MessageId.STUCK.extra,
            )
        self._stuck = stuck
        self._tell()
