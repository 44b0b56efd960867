"""The report: a Markdown table of what became of the persons' questions, by fault."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import fields

from tests.faults.count import Tally
from tests.faults.plan import Plan

_ALL = "in all"


def table(tallies: Mapping[Plan, Tally]) -> str:
    """The counts by fault and in all."""
    rows: dict[str, Tally] = {}
    for plan, tally in tallies.items():
        for name in (plan.name, _ALL):
            rows.setdefault(name, Tally()).add(tally)
    columns = [each.name for each in fields(Tally)]
    lines = [
        "| fault | " + " | ".join(column.replace("_", " ") for column in columns) + " |",
        "| --- " * (len(columns) + 1) + "|",
    ]
    for name, tally in sorted(rows.items(), key=lambda row: row[0] == _ALL):
        numbers = " | ".join(str(getattr(tally, column)) for column in columns)
        lines.append(f"| {name} | {numbers} |")
    return "\n".join(lines)
