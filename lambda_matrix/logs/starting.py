"""Where records go: settled at the start, by what stderr is and what the operator wants."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from enum import Enum
from typing import TextIO, assert_never

from attrs import frozen

from lambda_matrix.logs import forms
from lambda_matrix.logs.entry import Entry, read
from lambda_matrix.logs.hidden import Hidden
from lambda_matrix.logs.journald import ADDRESS, Journald
from lambda_matrix.secret import Secret

TEXTS = "lambda_matrix.texts"
"""The logger for what people and agents say: silent unless the operator wants it (`texts`)."""
LONGEST_TEXT = 1_000
"""Characters of a question or an answer that are told."""
_NEVER = logging.CRITICAL + 1
OURS = "lambda_matrix"
_NOISY = ("httpx", "httpcore", "trio-websocket")
"""One line per request, with its URL: too much, and URLs hold room ids."""


class Format(Enum):
    """The form of records. AUTO: the journal's own where stderr is connected to it, else PLAIN."""

    AUTO = "auto"
    PLAIN = "plain"
    JSON = "json"
    JOURNALD = "journald"


class Level(Enum):
    """The least that is told. AUTO: everything in the journal, which can filter; else INFO."""

    AUTO = "auto"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@frozen(kw_only=True)
class Wanted:
    """What the operator wants of the log: `texts` is for what people and agents say."""

    format: Format = Format.AUTO
    level: Level = Level.AUTO
    texts: bool = False


class Log(logging.Handler):
    """Writes all records of the process, in the form that is wanted."""

    def __init__(
        self, stream: TextIO, environment: Mapping[str, str], journal: str, *, verbose: bool
    ) -> None:
        super().__init__()
        self._stream = stream
        self._is_journal = _is_journal(stream, environment)
        self._verbose = verbose
        self._hidden = Hidden()
        self._journald = Journald(self._lines(forms.with_priority), journal)
        self.adopt(Wanted())

    def adopt(self, wanted: Wanted) -> None:
        """Write in that form and tell that much from now on."""
        self._write = self._writer(wanted.format)
        logging.getLogger(OURS).setLevel(self._least(wanted.level))
        logging.getLogger(TEXTS).setLevel(logging.DEBUG if wanted.texts else _NEVER)

    def hide(self, secrets: Iterable[Secret]) -> None:
        """Replace these from now on, in whatever is written."""
        self._hidden.add(secrets)

    @property
    def hidden(self) -> Hidden:
        """What is replaced: for others who keep records."""
        return self._hidden

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record; where it cannot be written nobody is left to be told so."""
        with suppress(OSError, ValueError):  # a full disk, a closed stream
            self._write(read(record, self._hidden))

    def close(self) -> None:
        """Let go of the journal."""
        self._journald.close()
        super().close()

    def _writer(self, form: Format) -> Callable[[Entry], None]:
        match form:
            case Format.AUTO if self._is_journal:
                return self._journald.write
            case Format.JOURNALD:
                return self._journald.write
            case Format.JSON:
                return self._lines(forms.json_with_priority if self._is_journal else forms.as_json)
            case Format.AUTO | Format.PLAIN:
                return self._lines(self._plain_form())
            case _:
                assert_never(form)

    def _plain_form(self) -> forms.Lines:
        if self._is_journal:
            return forms.with_priority
        return forms.on_terminal if self._stream.isatty() else forms.in_file

    def _lines(self, form: forms.Lines) -> Callable[[Entry], None]:
        def write(entry: Entry) -> None:
            self._stream.write(form(entry) + "\n")
            self._stream.flush()

        return write

    def _least(self, level: Level) -> int:
        if self._verbose:
            return logging.DEBUG
        if level is Level.AUTO:
            return logging.DEBUG if self._is_journal else logging.INFO
        return logging.getLevelNamesMapping()[level.name]


def start_logging(
    *,
    verbose: bool = False,
    stream: TextIO | None = None,
    environment: Mapping[str, str],
    journal: str = ADDRESS,
) -> Log:
    """Send every record of the process to `stream` (stderr) or the journal that it is connected to.

    Returns the place to name secrets and wishes. `verbose` is stronger than any wished level.
    """
    log = Log(sys.stderr if stream is None else stream, environment, journal, verbose=verbose)
    root = logging.getLogger()
    root.handlers[:] = [log]
    root.setLevel(logging.INFO)
    for noisy in _NOISY:
        logging.getLogger(noisy).setLevel(logging.WARNING)
    return log


def hide(*secrets: Secret) -> None:
    """Keep secrets that were learned after the start (a session's token) out of the log too."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Log):
            handler.hide(secrets)


def adopt(wanted: Wanted) -> None:
    """Log as is wanted from now on."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Log):
            handler.adopt(wanted)


def _is_journal(stream: TextIO, environment: Mapping[str, str]) -> bool:
    """Tell whether `stream` is the very one that systemd connected with its journal."""
    try:
        status = os.fstat(stream.fileno())
    except OSError:  # a stream without a file, as tests have
        return False
    return environment.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
