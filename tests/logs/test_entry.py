from __future__ import annotations

import logging
import sys

import pytest

from lambda_matrix.logs.entry import (
    LONGEST_FIELD,
    LONGEST_MESSAGE,
    LONGEST_TRACEBACK,
    Entry,
    one_line,
    read,
)
from lambda_matrix.logs.fields import Fields, only_about
from lambda_matrix.logs.hidden import Hidden
from lambda_matrix.secret import Secret


def record(message: object, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "args": args, "levelno": logging.INFO, **extra})
    made.name = "lambda_matrix.x"
    return made


def entry(message: object, *args: object, fields: Fields | None = None, **extra: object) -> Entry:
    with only_about(fields or Fields()):
        return read(record(message, *args, **extra), Hidden())


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Привет, 世界 🙂", "Привет, 世界 🙂"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[2J\x00\x7f", r"\x1b[2J\x00\x7f"),
        ("\u2028\u202e\ufeff", r"\u2028\u202e\ufeff"),
        ("lone \ud83d", r"lone \ud83d"),
    ],
)
def test_nothing_that_is_not_printable_is_written(said: str, written: str) -> None:
    made = entry("it says: %s", said, fields=Fields(user=said))
    assert made.message == f"it says: {written}"
    assert made.fields == Fields(user=written)


def test_a_million_characters_are_cut() -> None:
    text = "\n" * 1_000_000
    made = entry("%s", text, fields=Fields(room=text))
    assert made.message == r"\n" * LONGEST_MESSAGE + "… (1000000 characters in all)"
    assert made.fields.room == r"\n" * LONGEST_FIELD + "… (1000000 characters in all)"


def test_one_line_as_long_as_may_be_stays() -> None:
    assert one_line("abc", 3) == "abc"
    assert one_line("abcd", 3) == "abc… (4 characters in all)"


def test_a_traceback_is_indented_and_forges_no_line() -> None:
    try:
        raise ValueError("no\n12:00:00 INFO    ready\x1b[2J")  # noqa: TRY301 - for its traceback
    except ValueError:
        made = entry("failed", exc_info=sys.exc_info())
    assert made.traceback[0] == "  Traceback (most recent call last):"
    assert made.traceback[-2:] == ("  ValueError: no", r"  12:00:00 INFO    ready\x1b[2J")
    assert all(line.startswith("  ") for line in made.traceback)


def test_of_a_long_traceback_the_end_stays() -> None:
    error = ValueError("x" * 2 * LONGEST_TRACEBACK + "end")
    made = entry("failed", exc_info=(type(error), error, None))
    assert len(made.traceback) == 1
    assert made.traceback[0].startswith("  xxx")
    assert made.traceback[0].endswith("characters in all)")


def test_no_error_is_no_traceback() -> None:
    assert entry("fine", exc_info=(None, None, None)).traceback == ()


def test_arguments_that_do_not_fit_are_no_second_fault() -> None:
    assert entry("%d rooms", "x").message.startswith("%d rooms (with other arguments")
    assert entry("%s and %s", "x").message.startswith("%s and %s (with other arguments")


def test_secrets_are_hidden_before_anything_is_cut_or_escaped() -> None:
    hidden = Hidden()
    hidden.add([Secret("hunter\u00a02"), Secret("hunter"), Secret("abc")])
    text = "x" * (LONGEST_MESSAGE - 3) + "hunter\u00a02"
    error = ValueError("hunter\u00a02")
    with only_about(Fields(user="@hunter:x")):
        made = read(record("%s", text, exc_info=(ValueError, error, None)), hidden)
    assert made.message == "x" * (LONGEST_MESSAGE - 3) + "***"
    assert made.traceback == ("  ValueError: ***",)
    assert made.fields == Fields(user="@***:x")
    assert hidden.without("abc") == "abc"


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("/cache/pex/lib/lambda_matrix/store/store.py", "lambda_matrix/store/store.py"),
        ("/work/lambda_matrix/lambda_matrix/cli.py", "lambda_matrix/cli.py"),
        ("/lib/trio/_core/_run.py", "/lib/trio/_core/_run.py"),
    ],
)
def test_a_file_has_its_name_of_the_sources(path: str, file: str) -> None:
    assert entry("ready", pathname=path).file == file


def test_a_message_id_is_a_text() -> None:
    assert entry("ready", message_id="00").message_id == "00"
    assert entry("ready", message_id=7).message_id is None


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        (Fields(), "taken"),
        (Fields(room="!r"), "taken [room !r]"),
        (Fields(room="!r", event="$e"), "taken [room !r event $e]"),
        (Fields(room="!r", event="$e", user="@u"), "taken [room !r event $e]"),
        (Fields(room="!r", event="$e", request="1"), "taken [room !r request 1]"),
        (Fields(user="@u"), "taken [user @u]"),
        (Fields(run="1.1", agent="main"), "taken"),
    ],
)
def test_a_reader_is_told_where(fields: Fields, told: str) -> None:
    assert entry("taken", fields=fields).told() == told


def test_what_a_message_says_itself_is_not_told_twice() -> None:
    fields = Fields(room="!r", request="1234")
    assert entry("request %s taken", "1234", fields=fields).told() == (
        "request 1234 taken [room !r]"
    )
