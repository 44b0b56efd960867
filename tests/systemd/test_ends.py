"""However it ends, it ends as systemd expects it to, and nobody's question is lost or doubled."""

from __future__ import annotations

import pytest
import trio

from lambda_matrix.exits import Exit
from tests.lab.chatting import Talk
from tests.systemd.installed import PASSWORD
from tests.systemd.site import Site

STOP_WITHIN = 20.0
"""Seconds that the unit gives it (TimeoutStopSec=)."""


async def test_killed_in_the_middle_of_an_answer(talk: Talk, site: Site) -> None:
    before = await site.unit.state()
    question = await talk.say("slow 4 and killed meanwhile")
    await talk.growing(question)
    await site.unit.signal("KILL")
    answer = await talk.answer(question, within=60)
    assert answer.doubled == ()
    assert "killed meanwhile" in answer.text
    after = await site.unit.until_active()
    assert after.restarts == before.restarts + 1


async def test_stopped_while_answers_are_made(talk: Talk, site: Site) -> None:
    question = await talk.say("slow 60 and stopped meanwhile")
    await talk.growing(question)
    waiting = await talk.say("Who waits?")
    with trio.fail_after(STOP_WITHIN + 5):
        await site.unit.stop()
    ended = await site.unit.state()
    assert (ended.active, ended.result, ended.exit_status) == ("inactive", "success", 0)
    await site.unit.start()
    await talk.growing(question)
    await talk.say("!stop")  # or it would take a minute
    for asked in (question, waiting):
        assert (await talk.answer(asked)).doubled == ()


async def test_an_answer_is_finished_for_longer_than_the_unit_lets_a_stop_take(
    talk: Talk, site: Site
) -> None:
    await site.installed.drop_in("hurry", "TimeoutStopSec=2s")
    site.installed.edit({"stop_seconds": "30"})
    await site.unit.reload()
    question = await talk.say("slow 6 and stopped meanwhile")
    await talk.growing(question)
    await site.unit.stop()
    ended = await site.unit.state()
    assert (ended.active, ended.result, ended.exit_status) == ("inactive", "success", 0)
    answer = await talk.answer(question, within=5)
    assert answer.doubled == ()
    assert "stopped meanwhile" in answer.text


async def test_a_missing_password_is_said_and_does_not_restart(site: Site) -> None:
    journal = await site.installed.journal()
    site.machine.path(PASSWORD).unlink()
    begun = await site.machine.attempt("systemctl", "start", site.unit.name)
    assert begun.status != 0
    ended = await site.unit.until_ended()
    assert (ended.active, ended.restarts) == ("failed", 0)
    assert "password" in await journal.text(f"--unit={site.unit.name}")


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("user_id", '"nobody"', r"\[homeserver\] user_id"),
        ("language", '"fr"', r"\[service\] language"),
    ],
)
async def test_a_wrong_setting_is_said_and_does_not_restart(
    site: Site, key: str, value: str, named: str
) -> None:
    journal = await site.installed.journal()
    site.installed.edit({key: value})
    await site.machine.attempt("systemctl", "start", site.unit.name)
    ended = await site.unit.until_ended()
    assert (ended.active, ended.exit_status) == ("failed", Exit.CONFIGURATION)
    assert ended.restarts == 0
    await journal.wait(named, f"--unit={site.unit.name}", within=5)


async def test_a_deactivated_account_ends_it_for_good(talk: Talk, site: Site) -> None:
    journal = await site.installed.journal()
    await site.deactivate_bot()
    ended = await site.unit.until_ended()
    assert (ended.active, ended.exit_status) == ("failed", Exit.SESSION_DEAD)
    assert ended.restarts == 0
    await journal.wait("The session has ended", f"--unit={site.unit.name}", within=5)
    assert site.machine.path("/var/lib/private/lambda-matrix/lambda-matrix.db").exists()
