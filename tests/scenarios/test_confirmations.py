"""What an agent does only with a person's word, as that person sees it (no rate limits)."""

from __future__ import annotations

import pytest

from lambda_matrix.demo.person import open_person
from tests.lab.chatting import Chatting, fresh_account

PROMPT = "Shall I pretend to delete report-{}.txt?"


async def test_all_that_is_asked_is_listed_and_decided_together(chatting: Chatting) -> None:
    asked = await chatting.ask("confirm 3")
    assert asked.text.startswith("I may do this only with your word.")
    for number in (1, 2, 3):
        assert f"{number}. {PROMPT.format(number)}" in asked.text
    assert "!yes" in asked.text
    decided = await chatting.ask("!yes")
    assert decided.text.count("done") == 3
    assert decided.parts[0].msgtype == "m.text"


@pytest.mark.parametrize("kind", ["3", "3 plain"], ids=["by schema", "as LangGraph does"])
async def test_some_of_it_with_the_rest_refused(chatting: Chatting, kind: str) -> None:
    await chatting.ask(f"confirm {kind}")
    assert "1" in (await chatting.ask("!yes 7")).text, "there is no seventh; it waits still"
    decided = (await chatting.ask("!yes 1 3")).text
    assert decided.count("done") == 2
    assert decided.count("left alone") == 1
    said = [message.body for message in chatting.view.said_by(chatting.bot)]
    assert "Agreed to 2 of 3; the rest is refused." in said


async def test_a_refusal_goes_with_its_reason(chatting: Chatting) -> None:
    await chatting.ask("confirm")
    assert "left alone (not today)" in (await chatting.ask("!no not today")).text
    assert "Nothing waits" in (await chatting.ask("!yes")).text


async def test_a_text_meanwhile_is_told_what_waits(chatting: Chatting) -> None:
    await chatting.ask("confirm")
    assert PROMPT.format(1) in (await chatting.ask("What is this?")).text
    assert "done" in (await chatting.ask("!да")).text
    assert "What is this?" not in (await chatting.ask("recall")).text, "it went nowhere"


async def test_it_outlives_a_kill_of_the_service(chatting: Chatting) -> None:
    await chatting.ask("confirm 2")
    await chatting.service.kill()
    await chatting.service.start()
    assert (await chatting.ask("!yes 2")).text.count("done") == 1


async def test_a_word_just_before_a_kill_is_taken_once(chatting: Chatting) -> None:
    await chatting.ask("confirm")
    command = await chatting.say("!yes")
    await chatting.service.kill()
    await chatting.service.start()
    answer = await chatting.answer(command)
    assert "done" in answer.text
    assert answer.doubled == ()
    assert "Nothing waits" in (await chatting.ask("!yes")).text


async def test_without_a_word_the_conversation_goes_on(chatting: Chatting) -> None:
    await chatting.ask("confirm")
    assert "Nothing of it" in (await chatting.ask("!stop")).text
    assert (await chatting.ask("And now?")).text.startswith("You said: And now?")


async def test_nobody_else_may_give_the_word(chatting: Chatting) -> None:
    account = await fresh_account(chatting.stack.homeserver, "boris")
    async with open_person(chatting.stack.homeserver.url, account) as boris:
        await chatting.person.invite(chatting.chat, boris.user_id)
        await boris.join(chatting.chat)
        mention = {"m.mentions": {"user_ids": [chatting.bot]}}
        asked = await chatting.person.say(chatting.chat, "confirm", **mention)
        await chatting.answer(asked)
        for word in ("!yes", "!no"):
            command = await boris.say(chatting.chat, word)
            told = await boris.wait_for_answer(chatting.chat, command, chatting.bot)
            assert "somebody else" in told.text
        assert "done" in (await chatting.ask("!yes")).text


async def test_delete_asks_first(chatting: Chatting) -> None:
    prompt = (await chatting.ask("!delete")).text
    assert "no way back" in prompt
    assert "stays" in (await chatting.ask("!no")).text
    assert (await chatting.ask("Still there?")).text.startswith("You said: Still there?")
