from __future__ import annotations

import json

import pytest
import trio

from lambda_matrix.doctor.examination import TIME_LIMIT, Check, Examined, Findings, examine
from lambda_matrix.doctor.findings import Failed, Finding, Passed, Skipped, Warned, status_of
from lambda_matrix.doctor.report import as_json, as_lines
from lambda_matrix.exits import Exit
from lambda_matrix.secret import Secret


@pytest.mark.parametrize(
    ("findings", "status"),
    [
        ([], 0),
        ([Passed("a"), Warned("b", "c"), Skipped("d")], 0),
        ([Failed("a", "b")], 78),
        ([Failed("a", "b", Exit.HOMESERVER_AWAY), Failed("a", "b")], 78),
        ([Failed("a", "b", Exit.HOMESERVER_AWAY), Failed("a", "b", Exit.SESSION_DEAD)], 70),
        ([Failed("a", "b", Exit.HOMESERVER_AWAY)], 69),
        ([Failed("a", "b", Exit.FAULT)], 1),
    ],
)
def test_the_exit_status_names_what_no_waiting_mends(findings: list[Finding], status: int) -> None:
    assert status_of(findings) == status


EXAMINED = (
    Examined("files", "secrets", (Warned("others can read it", "chmod 600"), Passed("fine"))),
    Examined("agents", "agent main", (Failed("says hunter2\x1b[31m", "mend it"), Skipped("no"))),
)


def test_a_line_for_each_finding_without_secrets_or_escapes() -> None:
    assert as_lines(EXAMINED, [Secret("hunter2")]).splitlines() == [
        "files",
        "  warning  others can read it  -> chmod 600",
        "  ok       fine",
        "",
        "agents",
        "  fault    says ***\N{REPLACEMENT CHARACTER}[31m  -> mend it",
        "  skipped  no",
        "",
        "1 fault, 1 warning, 1 skipped, 1 ok",
    ]


def test_the_same_as_json() -> None:
    rows = json.loads(as_json(EXAMINED, [Secret("hunter2")]))
    assert rows[0] == {
        "group": "files",
        "check": "secrets",
        "outcome": "warning",
        "what": "others can read it",
        "advice": "chmod 600",
    }
    assert [row["outcome"] for row in rows] == ["warning", "ok", "fault", "skipped"]
    assert "hunter2" not in str(rows)


async def test_the_order_is_the_checks_and_one_that_fails_hides_no_other(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def late() -> Findings:
        await trio.sleep(TIME_LIMIT / 2)
        return (Passed("late"),)

    async def wrong() -> Findings:
        raise ZeroDivisionError("at work")

    async def soon() -> Findings:
        return (Passed("soon"),)

    checks = [
        Check("late", late),
        Check("wrong", wrong),
        Check("for ever", trio.sleep_forever),
        Check("soon", soon),
    ]
    examined = await examine("group", checks)
    assert [each.check for each in examined] == ["late", "wrong", "for ever", "soon"]
    assert [each.findings[0] for each in examined] == [
        Passed("late"),
        Failed(
            "wrong: the check itself failed (ZeroDivisionError: at work)",
            "this is a fault of lambda-matrix: please report it",
            Exit.FAULT,
        ),
        Skipped("for ever: not known within 10 s", "try again later"),
        Passed("soon"),
    ]
    assert trio.current_time() <= TIME_LIMIT + 1
