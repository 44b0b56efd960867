from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from lambda_matrix.logs import TEXTS, Format, Level, Wanted, about, adopt, hide, start_logging
from lambda_matrix.secret import Secret
from tests.lab.journal import FakeJournal, fake_journal

logger = logging.getLogger("lambda_matrix.test_logs")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stderr(tmp_path: Path) -> Iterator[TextIO]:
    """A stderr that systemd has connected with its journal."""
    with (tmp_path / "stderr").open("w+") as stream:
        yield stream


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[FakeJournal]:
    with fake_journal(tmp_path / "socket") as journal:
        yield journal


def environment(stream: TextIO) -> dict[str, str]:
    status = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def written(stream: TextIO) -> str:
    stream.seek(0)
    return stream.read()


def test_a_terminal_gets_the_time_of_day_and_a_file_the_day() -> None:
    for stream, begin in ((Terminal(), 2), (io.StringIO(), 4)):
        start_logging(stream=stream, environment={})
        logger.info("ready")
        assert stream.getvalue()[begin] in ":-"
        assert stream.getvalue().endswith(" INFO    ready\n")


def test_the_journal_gets_records_with_their_fields(stderr: TextIO, journal: FakeJournal) -> None:
    start_logging(stream=stderr, environment=environment(stderr), journal=journal.address)
    with about(room="!r", request="1"):
        logger.debug("taken")
    record = journal.record()
    assert record["MESSAGE"] == "taken [room !r request 1]"
    assert (record["PRIORITY"], record["LAMBDA_REQUEST"]) == ("7", "1")
    assert record["CODE_FUNC"] == "test_the_journal_gets_records_with_their_fields"
    assert written(stderr) == ""


def test_without_the_journals_socket_its_stderr_gets_lines_with_priorities(
    stderr: TextIO, tmp_path: Path
) -> None:
    absent = os.fspath(tmp_path / "absent")
    start_logging(stream=stderr, environment=environment(stderr), journal=absent)
    logger.error("a", exc_info=ValueError("b"))
    assert written(stderr).splitlines() == ["<3>a", "<3>  ValueError: b"]


def test_another_stream_than_the_journals_is_a_plain_one(
    stderr: TextIO, journal: FakeJournal
) -> None:
    start_logging(stream=stderr, environment={"JOURNAL_STREAM": "1:1"}, journal=journal.address)
    logger.info("ready")
    assert written(stderr).endswith("INFO    ready\n")
    assert journal.records() == []


def test_plain_lines_in_the_journal_have_priorities(stderr: TextIO, journal: FakeJournal) -> None:
    log = start_logging(stream=stderr, environment=environment(stderr), journal=journal.address)
    log.adopt(Wanted(format=Format.PLAIN))
    logger.info("ready")
    assert written(stderr) == "<6>ready\n"
    assert journal.records() == []


def test_the_journal_can_be_wanted_from_anywhere(journal: FakeJournal) -> None:
    stream = io.StringIO()
    log = start_logging(stream=stream, environment={}, journal=journal.address)
    log.adopt(Wanted(format=Format.JOURNALD))
    logger.info("ready")
    assert journal.record()["MESSAGE"] == "ready"
    assert stream.getvalue() == ""


def test_json_is_wanted(stderr: TextIO) -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={}).adopt(Wanted(format=Format.JSON))
    logger.info("ready")
    assert json.loads(stream.getvalue())["message"] == "ready"
    start_logging(stream=stderr, environment=environment(stderr)).adopt(Wanted(format=Format.JSON))
    logger.info("ready")
    assert written(stderr).startswith('<6>{"time"')


@pytest.mark.parametrize(
    ("level", "verbose", "heard"),
    [
        (Level.AUTO, False, ["info", "warning", "error"]),
        (Level.AUTO, True, ["debug", "info", "warning", "error"]),
        (Level.DEBUG, False, ["debug", "info", "warning", "error"]),
        (Level.INFO, False, ["info", "warning", "error"]),
        (Level.WARNING, False, ["warning", "error"]),
        (Level.ERROR, False, ["error"]),
        (Level.ERROR, True, ["debug", "info", "warning", "error"]),
    ],
)
def test_only_what_was_asked_for(level: Level, verbose: bool, heard: list[str]) -> None:  # noqa: FBT001 - a parameter
    stream = io.StringIO()
    start_logging(stream=stream, environment={}, verbose=verbose).adopt(Wanted(level=level))
    for name in ("debug", "info", "warning", "error"):
        logger.log(logging.getLevelNamesMapping()[name.upper()], name)
    assert stream.getvalue().split()[3::4] == heard


def test_of_others_only_what_tells_something() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={}, verbose=True)
    logging.getLogger("httpx").info("each request")
    logging.getLogger("another").debug("each step")
    logging.getLogger("another").info("heard")
    assert stream.getvalue().count("\n") == 1


def test_texts_are_told_only_if_they_are_wanted() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={}, verbose=True)
    logging.getLogger(TEXTS).debug("asked: %s", "canary")
    assert stream.getvalue() == ""
    adopt(Wanted(texts=True))
    logging.getLogger(TEXTS).debug("asked: %s", "canary")
    assert stream.getvalue().endswith("asked: canary\n")
    adopt(Wanted())
    logging.getLogger(TEXTS).critical("asked: %s", "canary")
    assert stream.getvalue().count("\n") == 1


def test_a_stranger_writes_no_line_of_the_log_and_commands_no_terminal() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={})
    said = "over\n12:00:00 INFO    ready\r\x1b[2J\u2028\u202e, Привет"
    logger.warning("run %s failed, it says: %s", 7, said)
    logger.info("next")
    first, second = stream.getvalue().splitlines()
    expected = r"over\n12:00:00 INFO    ready\r\x1b[2J\u2028\u202e, Привет"
    assert first.endswith(f"run 7 failed, it says: {expected}")
    assert second.endswith("next")


def test_a_stranger_writes_no_field_of_the_journal(stderr: TextIO, journal: FakeJournal) -> None:
    start_logging(stream=stderr, environment=environment(stderr), journal=journal.address)
    forged = "no\nPRIORITY=0\nLAMBDA_USER=@admin:x\n\x00\udcff"
    with about(room=forged):
        logger.warning("it says: %s", forged, exc_info=ValueError(forged))
    record = journal.record()
    assert record["PRIORITY"] == "4"
    assert "LAMBDA_USER" not in record
    assert "\n" not in record["LAMBDA_ROOM"]
    assert record["MESSAGE"].startswith(r"it says: no\nPRIORITY=0\n")


def test_secrets_are_hidden_in_messages_arguments_and_tracebacks() -> None:
    stream = io.StringIO()
    log = start_logging(stream=stream, environment={})
    log.hide([Secret("hunter2"), Secret("hunter2hunter3")])
    hide(Secret("syt_token"))
    logger.warning("hunter2 and %s", "hunter2hunter3")
    logger.error("at syt_token", exc_info=ValueError("syt_token"))
    assert "hunter" not in stream.getvalue()
    assert "syt_token" not in stream.getvalue()
    assert "*** and ***\n" in stream.getvalue()
    assert "ValueError: ***" in stream.getvalue()


def test_a_secret_of_three_letters_does_not_blot_out_the_log() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={}).hide([Secret("ead")])
    logger.info("ready")
    assert "ready" in stream.getvalue()


def test_handlers_of_others_are_passed_over(caplog: pytest.LogCaptureFixture) -> None:
    hide(Secret("hunter2"))
    adopt(Wanted(level=Level.ERROR))
    logger.warning("hunter2")
    assert "hunter2" in caplog.text


def test_a_stream_that_fails_is_no_fault_of_whoever_logs() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={})
    stream.close()
    logger.info("ready")
    with Path("/dev/full").open("w") as full, Path(os.devnull).open("w") as nothing:
        start_logging(stream=full, environment={})
        logger.info("ready")
        os.dup2(nothing.fileno(), full.fileno())  # what is left in its buffer cannot be written
