from __future__ import annotations

import io
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import pytest

from lambda_matrix.logs import hide, start_logging
from lambda_matrix.secret import Secret

logger = logging.getLogger("lambda_matrix.test_logs")


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Give pytest its handlers back."""
    root, ours = logging.getLogger(), logging.getLogger("lambda_matrix")
    before = (root.handlers[:], root.level, ours.level)
    yield
    root.handlers[:], level, our_level = before
    root.setLevel(level)
    ours.setLevel(our_level)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[TextIO]:
    with (tmp_path / "journal").open("w+") as stream:
        yield stream


def journal_environment(stream: TextIO) -> dict[str, str]:
    status = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def written(stream: TextIO) -> str:
    stream.seek(0)
    return stream.read()


def test_a_terminal_gets_the_time() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={})
    logger.info("ready")
    assert stream.getvalue()[2:3] == ":"
    assert stream.getvalue().endswith(" INFO    ready\n")


def test_the_journal_gets_priorities_on_every_line(journal: TextIO) -> None:
    start_logging(stream=journal, environment=journal_environment(journal), verbose=True)
    for level in (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, logging.DEBUG):
        logger.log(level, "a", exc_info=ValueError("b"))
    assert written(journal).splitlines() == [
        f"<{priority}>{line}" for priority in (2, 3, 4, 6, 7) for line in ("a", "ValueError: b")
    ]


def test_a_stranger_writes_no_line_of_the_journal_and_commands_no_terminal() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={})
    said = "over\n12:00:00 INFO    ready\r\x1b[2J\u2028\u202e, Привет"
    logger.warning("run %s failed, it says: %s", 7, said)
    logger.info("next")
    first, second = stream.getvalue().splitlines()
    expected = r"over\n12:00:00 INFO    ready\r\x1b[2J\u2028\u202e, Привет"
    assert first.endswith(f"run 7 failed, it says: {expected}")
    assert second.endswith("next")


def test_another_stream_than_the_journals_is_a_plain_one(journal: TextIO) -> None:
    start_logging(stream=journal, environment={"JOURNAL_STREAM": "1:1"})
    logger.info("ready")
    assert "<6>" not in written(journal)


def test_secrets_are_hidden_in_messages_arguments_and_tracebacks() -> None:
    stream = io.StringIO()
    lines = start_logging(stream=stream, environment={})
    lines.hide([Secret("hunter2"), Secret("hunter2hunter3")])
    hide(Secret("syt_token"))
    logger.warning("hunter2 and %s", "hunter2hunter3")
    logger.error("at syt_token", exc_info=ValueError("syt_token"))
    assert "hunter" not in stream.getvalue()
    assert "syt_token" not in stream.getvalue()
    assert "*** and ***\n" in stream.getvalue()
    assert "ValueError: ***" in stream.getvalue()


def test_a_secret_is_hidden_whatever_its_letters() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={}).hide([Secret("hunter\u00a02")])
    logger.warning("tried %s", "hunter\u00a02")
    assert stream.getvalue().endswith("tried ***\n")


def test_a_secret_of_three_letters_does_not_blot_out_the_log() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={}).hide([Secret("ead")])
    logger.info("ready")
    assert "ready" in stream.getvalue()


def test_hiding_passes_over_handlers_of_others(caplog: pytest.LogCaptureFixture) -> None:
    hide(Secret("hunter2"))
    logger.warning("hunter2")
    assert "hunter2" in caplog.text


def test_only_what_was_asked_for() -> None:
    stream = io.StringIO()
    start_logging(stream=stream, environment={})
    logger.debug("each message")
    logging.getLogger("httpx").info("each request")
    logging.getLogger("another").info("heard")
    assert stream.getvalue().count("\n") == 1
