"""A record as it is written, whatever the form: what may not be seen or forged is out of it.

Strangers choose what stands in a record: an agent its error, a homeserver its refusal and its ids.
None of it may pass for a line, a field or a priority of ours, or command a terminal: what is not
printable is escaped, so that a message and a field have one line each, and no lone surrogate is
left that could not be written. Nothing is longer than what a reader bears.
"""

from __future__ import annotations

import logging

from attrs import evolve, frozen

from lambda_matrix.logs.fields import Fields, current
from lambda_matrix.logs.hidden import Hidden

LONGEST_MESSAGE = 16_000
"""Characters of a message; the beginning stays."""
LONGEST_TRACEBACK = 60_000
"""Characters of a traceback; the end stays, which names the error."""
LONGEST_FIELD = 300
"""Characters; Matrix' ids have 255 bytes at most."""
_INDENT = "  "
_PACKAGE = "lambda_matrix/"

_formatter = logging.Formatter()


@frozen(kw_only=True)
class Entry:
    """One record. `at` is in seconds since the epoch, `level` is the standard library's number.

    `message` is one line. The lines of `traceback` are indented, so that none of them looks like
    the first line of a record.
    """

    at: float
    level: int
    logger: str
    message: str
    fields: Fields
    file: str
    line: int
    function: str
    traceback: tuple[str, ...] = ()
    message_id: str | None = None

    @property
    def level_name(self) -> str:
        """The level in a word, such as "warning"."""
        return logging.getLevelName(self.level).lower()

    def told(self) -> str:
        """Return the message and, in brackets, where: what a reader needs and it does not say."""
        fields = self.fields
        names = {
            "room" if fields.room is not None else "user",
            "request" if fields.request is not None else "event",
        }
        places = " ".join(
            f"{name} {value}"
            for name, value in fields.known()
            if name in names and value not in self.message
        )
        return f"{self.message} [{places}]" if places else self.message


def read(record: logging.LogRecord, hidden: Hidden) -> Entry:
    """Return what is to be written of the record, in the fields' context in which it is made."""
    message_id = getattr(record, "message_id", None)
    return Entry(
        at=record.created,
        level=record.levelno,
        logger=record.name,
        message=one_line(hidden.without(_message(record)), LONGEST_MESSAGE),
        fields=_safe(current(), hidden),
        file=_in_package(record.pathname),
        line=record.lineno,
        function=record.funcName or "",
        traceback=_traceback(record, hidden),
        message_id=message_id if isinstance(message_id, str) else None,
    )


def one_line(text: str, most: int) -> str:
    """Return the text with what is not printable escaped; what is longer than `most` is cut."""
    if len(text) > most:
        text = f"{text[:most]}… ({len(text)} characters in all)"
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def _visible(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()


def _in_package(file: str) -> str:
    """Return the path as the sources have it: where a PEX unpacks itself tells nobody anything."""
    _, package, rest = file.rpartition(_PACKAGE)
    return package + rest


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit: a record half said is still one
        return f"{record.msg} (with other arguments than these words have places for)"


def _safe(fields: Fields, hidden: Hidden) -> Fields:
    known = fields.known()
    safe = tuple((name, one_line(hidden.without(value), LONGEST_FIELD)) for name, value in known)
    return fields if safe == known else evolve(fields, **dict(safe))


def _traceback(record: logging.LogRecord, hidden: Hidden) -> tuple[str, ...]:
    if record.exc_info is None or record.exc_info[1] is None:
        return ()
    text = hidden.without(_formatter.formatException(record.exc_info))
    lines = text[-LONGEST_TRACEBACK:].split("\n")
    return tuple(_INDENT + one_line(line, LONGEST_MESSAGE) for line in lines)
