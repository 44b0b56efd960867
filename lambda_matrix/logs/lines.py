"""The journal: plain lines on stderr, in which no secret is ever seen.

Under systemd stderr is the journal: each line begins with its priority (sd-daemon(3)) and carries
no time, for the journal keeps both. Elsewhere each line begins with the time.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from typing import TextIO

from lambda_matrix.secret import Secret

_MIN_HIDDEN = 4
"""A shorter secret is not hidden: blotting out every "a" would hide the log and show the secret."""
_PRIORITIES = (
    (logging.CRITICAL, 2),
    (logging.ERROR, 3),
    (logging.WARNING, 4),
    (logging.INFO, 6),
)
_DEBUG_PRIORITY = 7


class Lines(logging.Formatter):
    """A record as lines of text, secrets replaced: in the message, its arguments, its traceback."""

    def __init__(self, *, journald: bool) -> None:
        layout = "%(message)s" if journald else "%(asctime)s %(levelname)-7s %(message)s"
        super().__init__(layout, datefmt="%H:%M:%S")
        self._journald = journald
        self._hidden: tuple[str, ...] = ()

    def hide(self, secrets: Iterable[Secret]) -> None:
        """Replace these from now on too."""
        new = {secret.reveal() for secret in secrets}
        # The longest first: a secret may be part of another.
        self._hidden = tuple(sorted({*self._hidden, *new}, key=len, reverse=True))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the record's first line.

        What strangers say of themselves (an agent its error, a homeserver its refusal) must neither
        pass for a line of ours nor command the terminal: what is not printable is escaped.
        """
        record.message = "".join(
            letter if letter.isprintable() else letter.encode("unicode_escape").decode()
            for letter in self._without_secrets(record.message)
        )
        return super().formatMessage(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the record's text; each of its lines has the priority where journald reads it."""
        text = self._without_secrets(super().format(record))
        if not self._journald:
            return text
        prefix = f"<{_priority(record.levelno)}>"
        return "\n".join(prefix + line for line in text.splitlines())

    def _without_secrets(self, text: str) -> str:
        for secret in self._hidden:
            if len(secret) >= _MIN_HIDDEN:
                text = text.replace(secret, "***")
        return text


def start_logging(
    *, verbose: bool = False, stream: TextIO | None = None, environment: Mapping[str, str]
) -> Lines:
    """Send every record of the process to `stream` (stderr); return the place to name secrets."""
    stream = sys.stderr if stream is None else stream
    lines = Lines(journald=_is_journal(stream, environment))
    handler = logging.StreamHandler(stream)
    handler.setFormatter(lines)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    logging.getLogger("lambda_matrix").setLevel(logging.DEBUG if verbose else logging.INFO)
    # One line per request, with its URL: too much, and URLs hold room ids.
    for noisy in ("httpx", "httpcore", "trio-websocket"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return lines


def hide(*secrets: Secret) -> None:
    """Keep secrets that were learned after the start (a session's token) out of the journal too."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Lines):
            handler.formatter.hide(secrets)


def _is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether `stream` is the very one that systemd connected with its journal."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:  # a stream without a file, as tests have
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"


def _priority(level: int) -> int:
    return next((number for floor, number in _PRIORITIES if level >= floor), _DEBUG_PRIORITY)
