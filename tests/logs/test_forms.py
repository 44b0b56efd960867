from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator

import pytest
from attrs import evolve

from lambda_matrix.logs import forms
from lambda_matrix.logs.entry import Entry
from lambda_matrix.logs.fields import NOTHING, Fields

ENTRY = Entry(
    at=1_800_000_000.25,
    level=logging.WARNING,
    logger="lambda_matrix.x",
    message="Ждёт",
    fields=Fields(room="!r", user="@u"),
    file="/x.py",
    line=7,
    function="f",
)
FAILED = evolve(ENTRY, traceback=("  Traceback:", "  ValueError"), message_id="00ff")


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_terminal_gets_the_time_of_day() -> None:
    assert forms.on_terminal(ENTRY) == "08:00:00 WARNING Ждёт [room !r]"


def test_a_file_gets_the_day_too() -> None:
    assert forms.in_file(FAILED).splitlines() == [
        "2027-01-15 08:00:00 WARNING Ждёт [room !r]",
        "  Traceback:",
        "  ValueError",
    ]


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.CRITICAL, 2),
        (logging.ERROR, 3),
        (logging.WARNING, 4),
        (logging.INFO, 6),
        (logging.DEBUG, 7),
        (1, 7),
    ],
)
def test_each_line_for_the_journal_has_its_priority(level: int, priority: int) -> None:
    assert forms.with_priority(evolve(FAILED, level=level)).splitlines() == [
        f"<{priority}>Ждёт [room !r]",
        f"<{priority}>  Traceback:",
        f"<{priority}>  ValueError",
    ]


def test_json_is_one_line_with_all_that_is_known() -> None:
    line = forms.as_json(FAILED)
    assert "\n" not in line
    assert json.loads(line) == {
        "time": "2027-01-15T08:00:00.250Z",
        "level": "warning",
        "logger": "lambda_matrix.x",
        "message": "Ждёт",
        "room": "!r",
        "user": "@u",
        "message_id": "00ff",
        "exception": "  Traceback:\n  ValueError",
    }
    assert "Ждёт" in line


def test_json_has_no_keys_for_what_is_unknown() -> None:
    assert json.loads(forms.as_json(evolve(ENTRY, fields=NOTHING))).keys() == {
        "time",
        "level",
        "logger",
        "message",
    }


def test_json_in_the_journal_has_its_priority() -> None:
    assert forms.json_with_priority(ENTRY) == f"<4>{forms.as_json(ENTRY)}"
