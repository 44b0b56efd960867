"""The status page: one small document for people, without scripts, on a phone or in the dark.

Everything that comes from elsewhere is escaped, and the policy lets the browser load and run
nothing but this style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from typing import Final

from lambda_matrix.service.monitoring import summary
from lambda_matrix.service.monitoring.report import Report
from lambda_matrix.service.monitoring.summary import Row, Table
from lambda_matrix.service.monitoring.wording import clock

REFRESH: Final = 15
"""Seconds after which the browser asks again."""

_STYLE: Final = """
:root { color-scheme: light dark; --good: #15803d; --bad: #b91c1c; --line: #8884; --dim: #666 }
@media (prefers-color-scheme: dark) {
  :root { --good: #4ade80; --bad: #f87171; --dim: #aaa }
}
* { box-sizing: border-box }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem }
h1 { font-size: 1.3rem; margin: 0 }
h2 { font-size: 1rem; margin: 2rem 0 .5rem }
.state { border-left: .4rem solid var(--bad); margin: .75rem 0 0; padding: .5rem .75rem }
.good { border-color: var(--good) }
.state, dd, td:last-child { overflow-wrap: anywhere }
td { overflow-wrap: break-word }
dl { display: grid; gap: .25rem 1rem; grid-template-columns: minmax(9rem, max-content) 1fr }
dl, .none { margin: 0 }
dt, th, footer, .none { color: var(--dim) }
dt, th { font-weight: normal; text-align: left }
dd { margin: 0 }
table { border-collapse: collapse; width: 100% }
th, td { border-top: 1px solid var(--line); padding: .35rem .75rem .35rem 0; vertical-align: top }
footer { border-top: 1px solid var(--line); font-size: .875rem; margin-top: 2rem; padding: .5rem 0 }
@media (max-width: 40rem) {
  dl { grid-template-columns: 1fr; gap: 0 }
  dd { margin-bottom: .5rem }
  thead { display: none }
  tr { border-top: 1px solid var(--line); display: block; padding: .35rem 0 }
  td { border: 0; display: block; padding: 0 }
  td::before { color: var(--dim); content: attr(data-name) ": " }
}
"""
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def page(report: Report) -> str:
    """Return the whole document."""
    state = "ready" if report.readiness.is_good else "not ready"
    kind = "state good" if report.readiness.is_good else "state"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="refresh" content="{REFRESH}">\n'
        f"<title>lambda-matrix: {state}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<h1>lambda-matrix</h1>\n<p class="{kind}" role="status">'
        f"{escape(summary.headline(report))}</p>\n"
        f"<main>\n{''.join(_sections(report))}</main>\n"
        f"<footer>Seen {clock(report.at)}; seen anew every {REFRESH} seconds. "
        f"{escape(_versions(report))}</footer>\n</body>\n</html>\n"
    )


def _sections(report: Report) -> Iterable[str]:
    yield _facts("Service", summary.service(report))
    figures = summary.now(report)
    yield _facts("Now", figures) if figures else _none("Now", "The database has not been asked.")
    yield _table(summary.agents(report))
    yield _table(summary.runs(report))
    yield _table(summary.faults(report))


def _facts(title: str, rows: Iterable[Row]) -> str:
    said = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>\n" for name, value in rows)
    return f"<section>\n<h2>{escape(title)}</h2>\n<dl>\n{said}</dl>\n</section>\n"


def _table(table: Table) -> str:
    if not table.rows:
        return _none(table.title, table.empty)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in table.columns)
    body = "".join(f"<tr>{_cells(table.columns, row)}</tr>\n" for row in table.rows)
    return (
        f"<section>\n<h2>{escape(table.title)}</h2>\n<table>\n<thead><tr>{head}</tr></thead>\n"
        f"<tbody>\n{body}</tbody>\n</table>\n</section>\n"
    )


def _cells(names: Iterable[str], row: Iterable[str]) -> str:
    return "".join(
        f'<td data-name="{escape(name)}">{escape(value)}</td>'
        for name, value in zip(names, row, strict=True)
    )


def _none(title: str, line: str) -> str:
    return f'<section>\n<h2>{escape(title)}</h2>\n<p class="none">{escape(line)}</p>\n</section>\n'


def _versions(report: Report) -> str:
    return ", ".join(f"{name} {found}" for name, found in report.versions)
