"""Second thoughts about questions, as a person sees them: edits, redactions, `!retry`."""

from __future__ import annotations

from typing import Any

from lambda_matrix.ids import EventId
from tests.lab.chatting import Chatting


async def said_at_all(chatting: Chatting, question: EventId) -> list[dict[str, Any]]:
    """The contents of all events that answer a question, as the homeserver still has them."""
    events = await chatting.person.history(chatting.chat)
    contents: list[dict[str, Any]] = [
        event["content"]  # type: ignore[misc]  # a homeserver's JSON
        for event in events
        if event.get("type") == "m.room.message" and event.get("sender") == chatting.bot
    ]
    key = "ru.coredump.lambda.answer"
    return [each for each in contents if each.get(key, {}).get("question") == question]


# -- edits --


async def test_an_edit_of_what_waits_is_what_is_asked(chatting: Chatting) -> None:
    first = await chatting.say("slow 3")
    second = await chatting.say("the old text")
    await chatting.growing(first)
    await chatting.person.edit(chatting.chat, second, "the new text")
    answer = await chatting.answer(second)
    assert "the new text" in answer.text
    assert "old" not in (await chatting.ask("recall")).text


async def test_an_edit_of_what_is_being_answered_has_it_asked_anew(chatting: Chatting) -> None:
    question = await chatting.say("slow 20 the old text")
    preview = await chatting.growing(question)
    await chatting.person.edit(chatting.chat, question, "the new text")
    answer = await chatting.answer(question, within=15)
    assert "the new text" in answer.text
    assert "old" not in answer.text
    assert answer.parts[0].event_id == preview.event_id, "in the event that was there"


async def test_an_edit_of_what_is_answered_does_nothing(chatting: Chatting) -> None:
    question = await chatting.say("the old text")
    before = await chatting.answer(question)
    await chatting.person.edit(chatting.chat, question, "!new")
    await chatting.ask("fence")
    assert chatting.view.answer(question, chatting.bot) == before


# -- redactions --


async def test_what_is_taken_back_while_it_waits_is_not_answered(chatting: Chatting) -> None:
    first = await chatting.say("slow 3")
    second = await chatting.say("a secret")
    await chatting.growing(first)
    await chatting.person.redact(chatting.chat, second)
    await chatting.answer(first)
    assert "a secret" not in (await chatting.ask("recall")).text
    assert await said_at_all(chatting, second) == []


async def test_what_is_taken_back_while_it_is_answered_leaves_nothing(
    chatting: Chatting,
) -> None:
    question = await chatting.say("slow 20 a secret of many words, so that it grows for a while")
    first = await chatting.growing(question)
    await chatting.person.wait_for(
        chatting.chat,
        lambda view: next(
            (m for m in view.messages if m.event_id == first.event_id and len(m.versions) > 1), None
        ),
    )
    await chatting.person.redact(chatting.chat, question)
    await chatting.person.wait_for(
        chatting.chat,
        lambda view: next(
            (m for m in view.messages if m.event_id == first.event_id and m.redacted), None
        ),
    )
    await chatting.ask("fence")
    assert await said_at_all(chatting, question) == [], "nor the edits by which it grew"


async def test_an_answer_goes_with_its_question_in_all_its_parts(chatting: Chatting) -> None:
    question = await chatting.say("long 150")
    answer = await chatting.answer(question)
    assert len(answer.parts) > 1
    await chatting.person.redact(chatting.chat, question)
    parts = {part.event_id for part in answer.parts}
    await chatting.person.wait_for(
        chatting.chat,
        lambda view: {m.event_id for m in view.messages if m.redacted} >= parts,
    )
    await chatting.ask("fence")
    assert await said_at_all(chatting, question) == []


async def test_a_redaction_while_the_service_is_away(chatting: Chatting) -> None:
    question = await chatting.say("Hello?")
    answer = await chatting.answer(question)
    await chatting.service.kill()
    await chatting.person.redact(chatting.chat, question)
    await chatting.service.start()
    gone = answer.parts[0].event_id
    await chatting.person.wait_for(
        chatting.chat,
        lambda view: next((m for m in view.messages if m.event_id == gone and m.redacted), None),
    )


# -- !retry --


async def test_retry_asks_again_what_had_failed(chatting: Chatting) -> None:
    failed = await chatting.say("break")
    broken = await chatting.answer(failed)
    assert "!retry" in broken.text
    again = await chatting.say("!retry")
    second = await chatting.answer(again)
    assert second.text.startswith("This sentence breaks")
    assert second.parts[0].event_id != broken.parts[0].event_id
    assert "There is no question" not in second.text


async def test_retry_without_anything_to_ask_again(chatting: Chatting) -> None:
    assert "no question of yours" in (await chatting.ask("!retry")).text


async def test_retry_of_what_is_still_being_answered(chatting: Chatting) -> None:
    question = await chatting.say("slow 5")
    await chatting.growing(question)
    assert "still being answered" in (await chatting.ask("!retry")).text
    await chatting.answer(question)
