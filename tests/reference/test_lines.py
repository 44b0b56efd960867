from __future__ import annotations

import io
import logging
import os
from pathlib import Path
from typing import TextIO

from lambda_matrix.reference.lines import start_logging

logger = logging.getLogger("lambda_matrix.reference.test_lines")


def in_journal(stream: TextIO) -> dict[str, str]:
    status = os.fstat(stream.fileno())
    return {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}


def test_the_journal_gets_priorities_on_every_line(tmp_path: Path) -> None:
    with (tmp_path / "journal").open("w+") as stream:
        start_logging(stream, in_journal(stream))
        for level in (logging.CRITICAL, logging.ERROR, logging.WARNING, logging.INFO, 25):
            logger.log(level, "a", exc_info=ValueError("b"))
        stream.seek(0)
        assert stream.read().splitlines() == [
            f"<{priority}>{line}"
            for priority in (2, 3, 4, 6, 7)
            for line in ("a", "  ValueError: b")
        ]


def test_others_get_plain_lines_and_nobody_forges_one(tmp_path: Path) -> None:
    stream = io.StringIO()
    start_logging(stream, {"JOURNAL_STREAM": "1:1"})
    logger.debug("each step")
    logger.info("it says: %s", "no\n<0>ready\x1b", exc_info=ValueError("x\n<0>y\x1b"))
    assert stream.getvalue().splitlines() == [
        r"it says: no\n<0>ready\x1b",
        "  ValueError: x",
        r"  <0>y\x1b",
    ]
    with (tmp_path / "file").open("w+") as file:
        start_logging(file, {"JOURNAL_STREAM": "1:1"})
        logger.info("ready")
        file.seek(0)
        assert file.read() == "ready\n"
