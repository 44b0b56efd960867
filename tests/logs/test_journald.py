from __future__ import annotations

import errno
import fcntl
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from lambda_matrix.logs.entry import Entry
from lambda_matrix.logs.fields import NOTHING, Fields
from lambda_matrix.logs.journald import WAIT, Journald, datagram
from tests.lab.journal import FakeJournal, fake_journal, parsed

ENTRY = Entry(
    at=0.0,
    level=logging.WARNING,
    logger="lambda_matrix.somewhere",
    message="run failed",
    fields=NOTHING,
    file="/lib/somewhere.py",
    line=7,
    function="run",
)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FakeJournal]:
    with fake_journal(tmp_path / "socket") as journal:
        yield journal


@pytest.fixture
def elsewhere() -> list[Entry]:
    return []


@pytest.fixture
def journald(journal: FakeJournal, elsewhere: list[Entry]) -> Iterator[Journald]:
    journald = Journald(elsewhere.append, journal.address)
    yield journald
    journald.close()


def test_a_record_has_its_fields(journald: Journald, journal: FakeJournal) -> None:
    fields = Fields(room="!r", event="$e", request="1", run="1.2", agent="main", user="@u:x")
    journald.write(evolve(ENTRY, fields=fields, message_id="0123456789abcdef0123456789abcdef"))
    assert journal.record() == {
        "MESSAGE": "run failed [room !r request 1]",
        "PRIORITY": "4",
        "SYSLOG_IDENTIFIER": "lambda-matrix",
        "LOGGER": "lambda_matrix.somewhere",
        "CODE_FILE": "/lib/somewhere.py",
        "CODE_LINE": "7",
        "CODE_FUNC": "run",
        "MESSAGE_ID": "0123456789abcdef0123456789abcdef",
        "LAMBDA_ROOM": "!r",
        "LAMBDA_EVENT": "$e",
        "LAMBDA_REQUEST": "1",
        "LAMBDA_RUN": "1.2",
        "LAMBDA_AGENT": "main",
        "LAMBDA_USER": "@u:x",
    }


def test_what_is_not_known_is_no_field() -> None:
    names = parsed(datagram(ENTRY))
    assert "MESSAGE_ID" not in names
    assert not [name for name in names if name.startswith("LAMBDA_")]


def test_a_traceback_belongs_to_the_message(journald: Journald, journal: FakeJournal) -> None:
    journald.write(evolve(ENTRY, traceback=("  Traceback:", "  ValueError: no")))
    record = journal.record()
    assert record["MESSAGE"] == "run failed\n  Traceback:\n  ValueError: no"
    assert record["PRIORITY"] == "4"  # what comes after a value of several lines is read, too


def test_a_value_of_several_lines_is_no_field_more() -> None:
    forged = evolve(ENTRY, traceback=("PRIORITY=0", "LAMBDA_USER=@admin:x"))
    fields = parsed(datagram(forged))
    assert fields["PRIORITY"] == "4"
    assert "LAMBDA_USER" not in fields


def test_a_path_that_is_no_text_is_written_all_the_same() -> None:
    assert parsed(datagram(evolve(ENTRY, file="/\udcff.py")))["CODE_FILE"] == r"/\udcff.py"


def test_what_no_datagram_holds_goes_as_a_sealed_file(
    journald: Journald, journal: FakeJournal
) -> None:
    text = "x" * 1_000_000
    journald.write(evolve(ENTRY, message=text))
    record, descriptor = journal.sealed()
    assert record["MESSAGE"] == text
    seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
    os.close(descriptor)
    assert seals == (
        fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
    )


def test_a_journal_that_was_restarted_is_found_again(
    tmp_path: Path, elsewhere: list[Entry]
) -> None:
    journald = Journald(elsewhere.append, os.fspath(tmp_path / "socket"))
    for message in ("before", "after"):
        with fake_journal(tmp_path / "socket") as journal:
            journald.write(evolve(ENTRY, message=message))
            assert journal.record()["MESSAGE"] == message
    journald.close()
    assert elsewhere == []


def test_without_a_journal_records_go_elsewhere_until_there_is_one(
    tmp_path: Path, elsewhere: list[Entry]
) -> None:
    journald = Journald(elsewhere.append, os.fspath(tmp_path / "socket"))
    journald.write(ENTRY)
    assert elsewhere == [ENTRY]
    with fake_journal(tmp_path / "socket") as journal:
        journald.write(ENTRY)
        assert journal.record()["MESSAGE"] == "run failed"
    journald.write(ENTRY)
    journald.close()
    assert elsewhere == [ENTRY, ENTRY]


def test_a_journal_that_hangs_keeps_nobody_waiting_and_is_told_what_it_missed(
    tmp_path: Path, elsewhere: list[Entry]
) -> None:
    with fake_journal(tmp_path / "socket") as journal:
        journald = Journald(elsewhere.append, journal.address)
        fill(journal.address)
        begun = time.monotonic()
        for _ in range(100):
            journald.write(ENTRY)
        took = time.monotonic() - begun
        assert WAIT <= took < 10 * WAIT  # the first has waited, the others have not
        journal.records()
        journald.write(evolve(ENTRY, message="again", fields=Fields(room="!r")))
        journald.write(ENTRY)
        journald.close()
        confession, again, next_one = journal.records()
    assert again["MESSAGE"] == "again [room !r]"
    assert confession["MESSAGE"].startswith("100 records are missing here")
    assert confession["PRIORITY"] == "4"
    assert "LAMBDA_ROOM" not in confession
    assert next_one["MESSAGE"] == "run failed"
    assert elsewhere == []


def fill(address: str) -> None:
    """Have a hanging journal's socket take nothing more."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0)
        sender.connect(address)
        with pytest.raises(OSError) as full:  # noqa: PT012, PT011 - until it is full; its errno is looked at
            while True:
                sender.send(b"MESSAGE=x\n")
    assert full.value.errno == errno.EAGAIN
