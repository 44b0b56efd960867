"""Installed as README.md says, started, and talked with."""

from __future__ import annotations

from lambda_matrix.demo.person import open_person
from tests.lab.chatting import Talk, fresh_account, meet
from tests.systemd.site import Site


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
