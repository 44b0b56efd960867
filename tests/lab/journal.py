"""A journal for tests: journald's socket, its native protocol, and what was received."""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

LARGEST = 16_000_000


@frozen
class FakeJournal:
    """Receives at `address`."""

    address: str
    _socket: socket.socket

    def record(self) -> dict[str, str]:
        """Return the oldest record that has not been returned; it must be there."""
        return parsed(self._received()[0])

    def records(self) -> list[dict[str, str]]:
        """Return all records that are there."""
        found = []
        while True:
            try:
                found.append(self.record())
            except BlockingIOError:
                return found

    def sealed(self) -> tuple[dict[str, str], int]:
        """Return the oldest record, which must have come as a file, and its file's descriptor."""
        data, descriptor = self._received()
        assert descriptor is not None
        return parsed(data), descriptor

    def _received(self) -> tuple[bytes, int | None]:
        data, descriptors, _, _ = socket.recv_fds(self._socket, LARGEST, 1)
        if not descriptors:
            return data, None
        assert data == b""
        (descriptor,) = descriptors
        return os.pread(descriptor, LARGEST, 0), descriptor


@contextmanager
def fake_journal(address: Path, *, buffer: int = 4_000_000) -> Iterator[FakeJournal]:
    """Have a journal at `address`, whose socket holds `buffer` bytes that nobody has read."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        listening.settimeout(0)
        listening.bind(os.fspath(address))
        yield FakeJournal(os.fspath(address), listening)
    address.unlink()


def parsed(data: bytes) -> dict[str, str]:
    """Return the fields of one record, strictly as the protocol's page describes them."""
    fields: dict[str, str] = {}
    while data:
        line, _, data = data.partition(b"\n")
        name, is_short, value = line.partition(b"=")
        if not is_short:
            (size,) = struct.unpack("<Q", data[:8])
            value, data = data[8 : 8 + size], data[8 + size :]
            assert data[:1] == b"\n"
            data = data[1:]
        assert name.replace(b"_", b"").isalnum()
        assert name.isupper()
        assert not name.startswith(b"_")
        key = name.decode()
        assert key not in fields
        fields[key] = value.decode()
    return fields
