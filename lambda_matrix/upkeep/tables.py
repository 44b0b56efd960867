"""Plain aligned tables, for terminals and for files. Names in them are strangers' texts.

What cannot be printed is replaced: a room's name must not move the cursor or colour the screen.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

WIDEST = 44
"""Columns of the widest cell, unless it is the last of its row; what is longer is cut."""
ROWS_SHOWN = 20
"""Rows of details that are shown unless all are asked for."""

Cell = str | int
Row = Sequence[Cell]


def table(header: Row, rows: Sequence[Row], *, all_rows: bool = True) -> str:
    """Return the table as text without an end of line; numbers are on the right of their column.

    Unless `all_rows`, what is beyond `ROWS_SHOWN` is told as a number.
    """
    shown = rows if all_rows or len(rows) <= ROWS_SHOWN + 1 else rows[:ROWS_SHOWN]
    cells = [[*map(_cut, row[:-1]), _text(row[-1])] for row in (header, *shown)]
    widths = [max(map(width, column)) for column in zip(*cells, strict=True)]
    numeric = [all(isinstance(cell, int) for cell in column) for column in zip(*shown, strict=True)]
    lines = [_line(row, widths, numeric or [False] * len(widths)) for row in cells]
    if len(shown) < len(rows):
        lines.append(f"  and {len(rows) - len(shown):,} more (--verbose shows all)")
    return "\n".join(lines)


def outcome(
    title: str, rows: Sequence[Row], reasons: Sequence[str], *, all_rows: bool = True
) -> str:
    """Return what was done and refused of each kind, and below it why something was refused."""
    told = f"{title}\n\n{table(('what', 'done', 'refused'), rows)}"
    if not reasons:
        return told
    why = table(("refused",), [(reason,) for reason in reasons], all_rows=all_rows)
    return f"{told}\n\n{why}"


def width(text: str) -> int:
    """Return how many columns of a terminal the text takes."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def printable(text: str) -> str:
    """Return the text on one line, with a replacement character for each that is none to see."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def size(count: int) -> str:
    """Return a number of bytes as people write it."""
    if count < 1000:  # noqa: PLR2004 - where the next unit begins
        return f"{count} B"
    value, units = count / 1000, ["kB", "MB", "GB"]
    while value >= 999.95 and len(units) > 1:  # noqa: PLR2004 - what would be shown as 1000.0
        value, units = value / 1000, units[1:]
    return f"{value:.1f} {units[0]}"


def _text(cell: Cell) -> str:
    return f"{cell:,}" if isinstance(cell, int) else printable(cell)


def _cut(cell: Cell) -> str:
    text = _text(cell)
    if width(text) <= WIDEST:
        return text
    while width(text) >= WIDEST:
        text = text[:-1]
    return f"{text}…"


def _line(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> str:
    padded = [
        " " * (wide - width(text)) + text if right else text + " " * (wide - width(text))
        for text, wide, right in zip(cells, widths, numeric, strict=True)
    ]
    return ("  " + "  ".join(padded)).rstrip()
