"""Tables are aligned, whatever stands in them, and do nothing to a terminal but write."""

from __future__ import annotations

import pytest

from lambda_matrix.upkeep.tables import ROWS_SHOWN, WIDEST, Row, printable, size, table, width


def test_columns_are_aligned_and_numbers_on_the_right() -> None:
    rows: list[Row] = [("chats", 1204, "left"), ("Чаты", 7, "left, too")]
    assert table(("what", "number", "will be"), rows).split("\n") == [
        "  what   number  will be",
        "  chats   1,204  left",
        "  Чаты        7  left, too",
    ]


def test_no_rows() -> None:
    assert table(("what", "number"), []) == "  what  number"


def test_wide_and_combining_characters_are_counted_as_terminals_do() -> None:
    rows: list[Row] = [("日本", "x"), ("e\N{COMBINING ACUTE ACCENT}", "x"), ("abcd", "x")]
    ends = [line.rindex("x") for line in table(("a", "b"), rows).split("\n")[1:]]
    assert [width("日本"), width("e\N{COMBINING ACUTE ACCENT}")] == [4, 1]
    assert ends == [6, 9, 8]  # two characters of four columns; two of one; four of four


def test_a_strangers_name_moves_no_cursor() -> None:
    told = table(("name", "room"), [("\x1b[2J\r\nboo\u202e", "!a:x")])
    assert printable("a\tb") == "a\N{REPLACEMENT CHARACTER}b"
    assert all(line.isprintable() for line in told.split("\n"))
    assert "boo" in told


def test_what_is_too_wide_is_cut_but_for_the_last_column() -> None:
    long = "ж" * 200
    line = table(("name", "room"), [(long, long)]).split("\n")[1]
    assert line == f"  {'ж' * (WIDEST - 1)}…  {long}"


@pytest.mark.parametrize(("count", "more"), [(1, None), (ROWS_SHOWN + 1, None), (1000, 980)])
def test_long_tables_end_with_how_many_more(count: int, more: int | None) -> None:
    rows: list[Row] = [(number, "x") for number in range(count)]
    lines = table(("n", "x"), rows, all_rows=False).split("\n")
    assert lines[-1].endswith(" x" if more is None else f"and {more} more (--verbose shows all)")
    assert len(table(("n", "x"), rows).split("\n")) == count + 1


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (2_500_000_000, "2.5 GB"),
        (5_000_000_000_000, "5000.0 GB"),
    ],
)
def test_sizes(count: int, said: str) -> None:
    assert size(count) == said
