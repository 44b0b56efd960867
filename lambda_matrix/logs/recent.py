"""The newest warnings and errors, kept in memory for whoever looks at the service."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lambda_matrix.logs.entry import Entry, read
from lambda_matrix.logs.hidden import Hidden
from lambda_matrix.logs.starting import Log


class Recent(logging.Handler):
    """Keeps so many of them, as they are written elsewhere; `count` is told the level of each."""

    def __init__(self, most: int, hidden: Hidden, count: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._entries: deque[Entry] = deque(maxlen=most)
        self._hidden = hidden
        self._count = count

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record in place of the oldest."""
        entry = read(record, self._hidden)
        self._entries.append(entry)
        self._count(entry.level_name)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is kept, the oldest first."""
        return tuple(self._entries)


@contextmanager
def remember(most: int, count: Callable[[str], None]) -> Iterator[Recent]:
    """Keep the newest records within this block; what the log hides is hidden here, too."""
    root = logging.getLogger()
    logs = [handler for handler in root.handlers if isinstance(handler, Log)]
    recent = Recent(most, logs[0].hidden if logs else Hidden(), count)
    root.addHandler(recent)
    try:
        yield recent
    finally:
        root.removeHandler(recent)
