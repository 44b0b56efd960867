"""What was found, as lines for people or as JSON for programs. No secret is ever among it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence

from lambda_matrix.doctor.examination import Examined
from lambda_matrix.doctor.findings import Finding, Passed, advice_of, outcome_of
from lambda_matrix.secret import Secret
from lambda_matrix.upkeep.tables import printable

_WORDS = ("fault", "warning", "skipped", "ok")
_WIDEST_WORD = 7


def as_lines(examined: Sequence[Examined], secrets: Iterable[Secret]) -> str:
    """Return a line for each finding, group by group, and one that counts them."""
    lines: list[str] = []
    for group in dict.fromkeys(each.group for each in examined):
        lines += [group, *(_line(finding) for finding in _findings(examined, group)), ""]
    counted = Counter(outcome_of(finding) for each in examined for finding in each.findings)
    lines.append(", ".join(f"{counted[word]} {_plural(word, counted[word])}" for word in _WORDS))
    return _hidden("\n".join(lines), secrets)


def as_json(examined: Sequence[Examined], secrets: Iterable[Secret]) -> str:
    """Return an array of objects: group, check, outcome, what, advice."""
    rows = [
        {
            "group": each.group,
            "check": each.check,
            "outcome": outcome_of(finding),
            "what": finding.what,
            "advice": advice_of(finding),
        }
        for each in examined
        for finding in each.findings
    ]
    return _hidden(json.dumps(rows, indent=1, ensure_ascii=False), secrets)


def _findings(examined: Sequence[Examined], group: str) -> list[Finding]:
    return [finding for each in examined if each.group == group for finding in each.findings]


def _line(finding: Finding) -> str:
    told = finding.what
    if not isinstance(finding, Passed) and finding.advice:
        told += f"  -> {finding.advice}"
    return printable(f"  {outcome_of(finding):<{_WIDEST_WORD}}  {told}")


def _plural(word: str, count: int) -> str:
    return word if count == 1 or word not in {"fault", "warning"} else f"{word}s"


def _hidden(text: str, secrets: Iterable[Secret]) -> str:
    """Blot out what never belongs here: strangers may repeat what they were sent."""
    for secret in sorted((each.reveal() for each in secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
