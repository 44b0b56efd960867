"""A disk that refuses: what of it passes by itself, and how it is waited for.

Theory (ADR 0013). A disk that is full, read-only or failing is nobody's wrong setting: somebody
makes room, mounts it again or mends it, and then the same write succeeds. So whoever writes waits
and tries again, as for a homeserver that is away. Nothing is lost meanwhile: what could not be
written did not happen.
"""

import errno
import logging
from collections.abc import Callable

import trio
from attrs import define, field, frozen

from lambda_matrix.message_ids import MessageId
from lambda_matrix.pulse import Part, part_of_nobody

logger = logging.getLogger(__name__)

FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
"""Seconds from one try to the next, doubled each time."""

_PASSING = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EFBIG,  # over the limit of the process (RLIMIT_FSIZE), or of the file system
        errno.EROFS,
        errno.EIO,
    }
)


def passes_by_itself(error: OSError) -> bool:
    """Return whether a later try of the same may succeed without a change of settings."""
    return error.errno in _PASSING


@frozen
class DiskRefuses:
    """The disk does not take what is to be written; `why` is one line."""

    why: str


@frozen
class DiskObeys:
    """The disk takes it again, after `seconds`."""

    seconds: float


DiskHealth = DiskRefuses | DiskObeys
DiskObserver = Callable[[DiskHealth], None]


def watch_nothing(_health: DiskHealth) -> None:
    """Let nobody know."""


@define(eq=False)
class DiskPatience:
    """How long to wait after each refusal in a row, in seconds; a success starts over.

    Says once that the disk refuses and once that it obeys again: one log line each, and `watch` for
    whoever shows it. `part` hears of each refusal.
    """

    watch: DiskObserver = watch_nothing
    _clock: Callable[[], float] = trio.current_time
    part: Part = field(factory=part_of_nobody, kw_only=True)
    _refusals: int = 0
    _since: float = 0.0

    def refused(self, why: str) -> float:
        """Count a refusal and return the seconds to wait."""
        if not self._refusals:
            self._since = self._clock()
            logger.error(
                "%s; waiting for the disk, nothing is lost meanwhile",
                why,
                extra=MessageId.DISK_REFUSES.extra,
            )
            self.watch(DiskRefuses(why))
        self._refusals += 1
        wait = float(min(FIRST_WAIT * 2 ** (self._refusals - 1), LONGEST_WAIT))
        self.part.wait("waiting for the disk", wait)
        return wait

    def obeyed(self) -> None:
        """Note that the disk took something."""
        if self._refusals:
            seconds = self._clock() - self._since
            self._refusals = 0
            self.part.over()
            logger.info(
                "the disk takes what is written again, after %.0f s",
                seconds,
                extra=MessageId.DISK_OBEYS.extra,
            )
            self.watch(DiskObeys(seconds))
