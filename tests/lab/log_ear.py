"""Waiting for a line of the log, instead of sleeping."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import trio


class LogEar(logging.Handler):
    """Hears lines that are logged in Trio's thread."""

    def __init__(self) -> None:
        super().__init__()
        self._send, self._receive = trio.open_memory_channel[str](1000)

    def emit(self, record: logging.LogRecord) -> None:
        self._send.send_nowait(record.getMessage())

    async def wait_for(self, part: str) -> str:
        """Return the next line with `part` in it."""
        async for line in self._receive:
            if part in line:
                return line
        raise AssertionError(part)


@contextmanager
def hearing(logger: str, level: int = logging.DEBUG) -> Iterator[LogEar]:
    """Hear what this logger, and those below it, say from now on."""
    ear, heard = LogEar(), logging.getLogger(logger)
    before = heard.level
    heard.addHandler(ear)
    heard.setLevel(level)
    try:
        yield ear
    finally:
        heard.setLevel(before)
        heard.removeHandler(ear)
