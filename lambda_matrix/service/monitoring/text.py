"""The status as text, for a terminal; the page says the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lambda_matrix.service.monitoring import summary
from lambda_matrix.service.monitoring.report import Report
from lambda_matrix.service.monitoring.summary import Row, Table

_INDENT = "  "


def text(report: Report) -> str:
    """Return all of it, in lines."""
    blocks = [
        [f"lambda-matrix: {summary.headline(report)}"],
        _facts("Service", summary.service(report)),
        _facts("Now", summary.now(report)) or ["Now", f"{_INDENT}The database was not asked."],
        _table(summary.agents(report)),
        _table(summary.runs(report)),
        _table(summary.faults(report)),
        _facts("Versions", report.versions),
    ]
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _facts(title: str, rows: Sequence[Row]) -> list[str]:
    return [title, *_aligned(rows)] if rows else []


def _table(table: Table) -> list[str]:
    if not table.rows:
        return [table.title, _INDENT + table.empty]
    return [table.title, *_aligned((table.columns, *table.rows))]


def _aligned(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in _but_last(rows)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, [*widths, 0], strict=True))
        yield _INDENT + _INDENT.join(cells).rstrip()


def _but_last(rows: Sequence[Sequence[str]]) -> Iterable[tuple[str, ...]]:
    return zip(*(row[:-1] for row in rows), strict=True)
