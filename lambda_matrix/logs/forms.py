"""Records as lines of text: for people, for systemd's journal on stderr, and as JSON."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from lambda_matrix.logs.entry import Entry

Lines = Callable[[Entry], str]
"""Makes the lines of an entry, without the last line's end."""

_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
_DEBUG_PRIORITY = 7


def priority(level: int) -> int:
    """Return syslog's number for a level (RFC 5424, 6.2.1): 7 is debug, 2 is critical."""
    return next((number for floor, number in _PRIORITIES if level >= floor), _DEBUG_PRIORITY)


def on_terminal(entry: Entry) -> str:
    """Return lines for somebody who looks on: the time of day, the level, the message."""
    return _plain(entry, "%H:%M:%S")


def in_file(entry: Entry) -> str:
    """Return lines for somebody who reads them later."""
    return _plain(entry, "%Y-%m-%d %H:%M:%S")


def with_priority(entry: Entry) -> str:
    """Return lines for a stderr that the journal reads: each has its priority (sd-daemon(3)).

    They have no time: the journal keeps its own.
    """
    prefix = f"<{priority(entry.level)}>"
    return "\n".join(prefix + line for line in (entry.told(), *entry.traceback))


def as_json(entry: Entry) -> str:
    """Return one JSON object on one line; the time is RFC 3339's, in UTC."""
    at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="milliseconds")
    said = {
        "time": at.replace("+00:00", "Z"),
        "level": logging.getLevelName(entry.level).lower(),
        "logger": entry.logger,
        "message": entry.message,
        **dict(entry.fields.known()),
    }
    if entry.message_id is not None:
        said["message_id"] = entry.message_id
    if entry.traceback:
        said["exception"] = "\n".join(entry.traceback)
    return json.dumps(said, ensure_ascii=False)


def json_with_priority(entry: Entry) -> str:
    """Return the JSON for a stderr that the journal reads; it takes the priority off."""
    return f"<{priority(entry.level)}>{as_json(entry)}"


def _plain(entry: Entry, time_format: str) -> str:
    at = time.strftime(time_format, time.localtime(entry.at))
    first = f"{at} {logging.getLevelName(entry.level):7} {entry.told()}"
    return "\n".join((first, *entry.traceback))
