"""The newest warnings and errors, kept for whoever looks."""

from __future__ import annotations

import io
import logging

from lambda_matrix.logs import about, remember, start_logging
from lambda_matrix.secret import Secret

logger = logging.getLogger("lambda_matrix.anything")


def test_the_newest_are_kept_and_all_are_counted() -> None:
    counted: list[str] = []
    with remember(2, counted.append) as recent:
        logger.info("all is well")
        for number in range(3):
            logger.warning("fault %d", number)
        logger.error("worse")
        assert [(entry.message, entry.level_name) for entry in recent.entries] == [
            ("fault 2", "warning"),
            ("worse", "error"),
        ]
    assert counted == ["warning", "warning", "warning", "error"]
    logger.warning("nobody looks any more")
    assert len(counted) == 4


def test_a_record_has_its_fields() -> None:
    with remember(1, lambda _: None) as recent, about(room="!room"):
        logger.warning("fault")
        assert recent.entries[0].fields.room == "!room"


def test_what_the_log_hides_is_hidden_here() -> None:
    log = start_logging(stream=io.StringIO(), environment={})
    log.hide([Secret("hunter2")])
    with remember(2, lambda _: None) as recent:
        logger.warning("the password is hunter2")
        log.hide([Secret("new-token")])
        logger.warning("and the token new-token")
        assert [entry.message for entry in recent.entries] == [
            "the password is ***",
            "and the token ***",
        ]
