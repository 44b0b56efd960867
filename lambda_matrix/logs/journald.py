"""systemd's journal, spoken to directly, so that a record keeps its fields.

The protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL/): a record is one datagram of fields,
`NAME=value` a line, or, for a value of several lines, the name, its length in 8 bytes, and the
value. One that is too large for a datagram goes as a sealed file in memory, by its descriptor.

Nothing waits long for a journal that hangs: a record that is not taken soon is dropped and counted,
and while it hangs none is waited for. Where there is no journal, records go to stderr.
"""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Callable, Iterator

from attrs import define, evolve, field

from lambda_matrix.logs.entry import Entry
from lambda_matrix.logs.fields import NOTHING
from lambda_matrix.logs.forms import priority

ADDRESS = "/run/systemd/journal/socket"
IDENTIFIER = "lambda-matrix"
"""The same as the unit's SyslogIdentifier=, so that `journalctl -t` finds all of it."""
WAIT = 0.1
"""Seconds that a record waits for a journal that is busy."""

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
_TOO_LARGE = (errno.EMSGSIZE, errno.ENOBUFS)


@define
class Journald:
    """Sends entries to the journal at `address`, or writes them `otherwise` if there is none."""

    _otherwise: Callable[[Entry], None]
    _address: str = ADDRESS
    _socket: socket.socket | None = None
    _lost: int = field(default=0, init=False)

    def write(self, entry: Entry) -> None:
        """Have the journal take the entry; it never fails.

        Raises:
            OSError: there is no journal, and it cannot be written otherwise either.
        """
        try:
            if self._lost:
                self._send(datagram(_confession(entry, self._lost)))
                self._lost = 0
            self._send(datagram(entry))
        except (TimeoutError, BlockingIOError):
            self._lost += 1
        except OSError:
            self.close()
            self._otherwise(entry)

    def close(self) -> None:
        """Let go of the journal; the next entry looks for it anew."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, data: bytes) -> None:
        """Send one record; a journal that was restarted is found again."""
        if self._socket is not None:
            try:
                return self._send_by(self._socket, data)
            except (ConnectionError, FileNotFoundError):
                self.close()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.connect(self._address)
        return self._send_by(self._socket, data)

    def _send_by(self, journal: socket.socket, data: bytes) -> None:
        journal.settimeout(0.0 if self._lost else WAIT)
        try:
            journal.send(data)
        except OSError as error:
            if error.errno not in _TOO_LARGE:
                raise
            _send_as_file(journal, data)


def datagram(entry: Entry) -> bytes:
    """Return the record's fields as the journal reads them."""
    return b"".join(_field(name, value) for name, value in _fields(entry))


def _fields(entry: Entry) -> Iterator[tuple[str, str]]:
    # The traceback belongs to the message: journalctl shows all lines of that, and no other field.
    yield "MESSAGE", "\n".join((entry.told(), *entry.traceback))
    yield "PRIORITY", str(priority(entry.level))
    yield "SYSLOG_IDENTIFIER", IDENTIFIER
    yield "LOGGER", entry.logger
    yield "CODE_FILE", entry.file
    yield "CODE_LINE", str(entry.line)
    yield "CODE_FUNC", entry.function
    if entry.message_id is not None:
        yield "MESSAGE_ID", entry.message_id
    for name, value in entry.fields.known():
        yield f"LAMBDA_{name.upper()}", value


def _field(name: str, value: str) -> bytes:
    content = value.encode(errors="backslashreplace")  # a file may have a name that is no text
    if b"\n" not in content:
        return b"%b=%b\n" % (name.encode(), content)
    return b"%b\n%b%b\n" % (name.encode(), len(content).to_bytes(8, "little"), content)


def _send_as_file(journal: socket.socket, data: bytes) -> None:
    """Send what no datagram holds: a file in memory that nobody can change any more."""
    with open(  # noqa: PTH123 - a descriptor has no path
        os.memfd_create(IDENTIFIER, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), "wb"
    ) as file:
        file.write(data)
        file.flush()
        fcntl.fcntl(file.fileno(), fcntl.F_ADD_SEALS, _SEALS)
        socket.send_fds(journal, [b""], [file.fileno()])


def _confession(entry: Entry, lost: int) -> Entry:
    return evolve(
        entry,
        level=logging.WARNING,
        logger=__name__,
        message=f"{lost} records are missing here: the journal did not take them in time",
        fields=NOTHING,
        traceback=(),
        message_id=None,
    )
