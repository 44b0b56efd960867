"""The agent's log: lines on stderr, with their priorities where that is systemd's journal."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import TextIO

_PRIORITIES = {logging.CRITICAL: 2, logging.ERROR: 3, logging.WARNING: 4, logging.INFO: 6}
_OTHERS = 7


class Lines(logging.Formatter):
    """A record as its message, and its traceback below; nobody's words make a line of their own."""

    def __init__(self, *, is_journal: bool) -> None:
        super().__init__("%(message)s")
        self._is_journal = is_journal

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the record's first line; what is not printable is escaped."""
        return _printable(record.message)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's lines, each with its priority for the journal (sd-daemon(3))."""
        first, *others = super().format(record).split("\n")
        lines = (first, *(f"  {_printable(line)}" for line in others))
        priority = _PRIORITIES.get(record.levelno, _OTHERS)
        return "\n".join(f"<{priority}>{line}" if self._is_journal else line for line in lines)


def start_logging(stream: TextIO, environment: Mapping[str, str]) -> None:
    """Send what the agent has to say to `stream`, from INFO on."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Lines(is_journal=_is_journal(stream, environment)))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)


def _is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    try:
        status = os.fstat(stream.fileno())
    except OSError:  # a stream without a file
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _printable(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in text
    )
