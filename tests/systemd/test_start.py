"""Installed as README.md says, started, and talked with."""

from __future__ import annotations

import trio

from lambda_matrix.demo.person import open_person
from lambda_matrix.service.watchdog import EXTENSION
from tests.lab.chatting import Talk, fresh_account, meet
from tests.systemd.site import Site

START = 30.0
"""Seconds that a test gives a start instead of the unit's (TimeoutStartSec=)."""


async def test_a_question_is_answered_once(talk: Talk, site: Site) -> None:
    question = await talk.say("Hello?")
    answer = await talk.answer(question)
    assert answer.text.startswith("You said: Hello?")
    assert answer.doubled == ()
    assert (await site.unit.state()).restarts == 0


async def test_it_is_ready_only_when_the_homeserver_is_there(site: Site) -> None:
    site.shut()
    await site.unit.systemctl("start", "--no-block")
    waiting = await site.unit.until(
        lambda state: "waiting for the homeserver" in state.status_text, "word of the waiting"
    )
    assert waiting.active == "activating"
    asked = await site.machine.attempt("systemctl", "is-active", site.unit.name)
    assert asked.output == "activating\n"
    await site.open()
    ready = await site.unit.until_active()
    assert ready.invocation == waiting.invocation
    account = await fresh_account(site.homeserver, "anna")
    async with open_person(site.homeserver.url, account) as person:
        talk = await meet(person, site.bot.user_id)
        assert (await talk.ask("Are you there?")).is_final


async def test_a_start_that_waits_for_longer_than_it_may_take_is_not_ended(site: Site) -> None:
    await site.unit.start()  # so that nothing has to be unpacked
    await site.unit.stop()
    await site.installed.drop_in("start", f"TimeoutStartSec={START:g}s")
    site.shut()
    await site.unit.systemctl("start", "--no-block")
    waiting = await site.unit.until(
        lambda state: "waiting for the homeserver" in state.status_text, "word of the waiting"
    )
    # Longer than the unit allows, and longer than the first word of the service prolongs that.
    await trio.sleep(START + EXTENSION)
    await site.open()
    ready = await site.unit.until_active(within=90)
    assert (ready.invocation, ready.restarts) == (waiting.invocation, waiting.restarts)
