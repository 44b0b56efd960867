"""The report: a Markdown table of what became of the persons' questions, by fault."""

from __future__ import annotations

from collections.abc import Mapping

from tests.faults.count import NUMBERS, Tally
from tests.faults.plan import Plan

_ALL = "in all"


def table(tallies: Mapping[Plan, Tally]) -> str:
    """The counts by fault and in all."""
    rows: dict[str, Tally] = {}
    for plan, tally in tallies.items():
        for name in (plan.name, _ALL):
            rows.setdefault(name, Tally()).add(tally)
    lines = [
        "| fault | " + " | ".join(column.replace("_", " ") for column in NUMBERS) + " |",
        "| --- " * (len(NUMBERS) + 1) + "|",
    ]
    for name, tally in sorted(rows.items(), key=lambda row: row[0] == _ALL):
        numbers = " | ".join(str(getattr(tally, column)) for column in NUMBERS)
        lines.append(f"| {name} | {numbers} |")
    return "\n".join(lines)
