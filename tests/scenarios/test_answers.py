"""How questions are answered: streamed, formatted, in order, once, in their own room."""

from __future__ import annotations

import json

from lambda_matrix.demo.view import find_answer, fold_messages
from tests.lab.chatting import Chatting
from tests.lab.proxy import Hold

SENDS = r"^PUT .*/send/m\.room\.message/"


async def test_a_short_answer_is_one_event_and_one_receipt(chatting: Chatting) -> None:
    await chatting.ask("warm up")
    before = len(chatting.proxy.exchanges)
    answer = await chatting.ask("hello")
    await chatting.person.wait_for(
        chatting.chat, lambda view: view.receipts.get(chatting.bot) is not None
    )
    await chatting.ask("!status")
    made = [
        f"{one.method} {one.target}"
        for one in chatting.proxy.exchanges[before:]
        if "/sync" not in one.target
    ]
    until_status = [one for one in made if "/send/" in one or "/receipt/" in one]
    assert answer.text.startswith("You said: hello")
    assert answer.previews == 0
    assert len([one for one in until_status if "/send/" in one]) == 2, made
    assert not [one for one in made if "/typing/" in one], made


async def test_a_slow_answer_grows_with_typing_and_ends_formatted(chatting: Chatting) -> None:
    question = await chatting.say("slow 4 please show me how it grows")
    await chatting.person.wait_for(
        chatting.chat, lambda view: chatting.bot in view.typing, what="typing"
    )
    await chatting.growing(question)
    answer = await chatting.answer(question)
    assert len(answer.parts) == 1
    assert answer.previews >= 2
    versions = answer.parts[0].versions
    assert [len(version) for version in versions[:-1]] == sorted(map(len, versions[:-1]))
    await chatting.person.wait_for(
        chatting.chat, lambda view: chatting.bot not in view.typing, what="typing to end"
    )
    receipt = chatting.view.receipts[chatting.bot]
    assert receipt == question


async def test_the_question_waits_its_turn_and_all_are_answered_in_order(
    chatting: Chatting,
) -> None:
    texts = ["slow 2 first", *(f"number {n}" for n in range(6))]
    questions = [await chatting.say(text) for text in texts]
    for question in questions:
        await chatting.answer(question)
    messages = fold_messages(await chatting.person.history(chatting.chat))
    places = []
    for question, text in zip(questions, texts, strict=True):
        answer = find_answer(messages, question, chatting.bot)
        assert answer is not None
        assert answer.doubled == ()
        assert answer.text.startswith(f"You said: {text}")
        places.append(messages.index(answer.parts[0]))
    assert places == sorted(places)


async def test_rooms_do_not_wait_for_one_another(chatting: Chatting) -> None:
    second = await chatting.new_chat()
    hanging = await chatting.say("hang")
    quick = await chatting.ask("hello", second)
    assert quick.text.startswith("You said: hello")
    await chatting.say("!stop")
    await chatting.answer(hanging)


async def test_markdown_becomes_what_matrix_allows(chatting: Chatting) -> None:
    table = await chatting.ask("table")
    assert "<table>" in (table.parts[0].html or "")
    code = await chatting.ask("code")
    assert '<pre><code class="language-python">' in (code.parts[0].html or "")
    assert "&lt;b&gt;" in (code.parts[0].html or "")
    formulas = await chatting.ask("math")
    assert "data-mx-maths=" in (formulas.parts[0].html or "")


async def test_a_tool_shows_while_it_lasts_and_leaves_nothing(chatting: Chatting) -> None:
    question = await chatting.say("tool 3")
    await chatting.person.wait_for(
        chatting.chat,
        lambda view: (
            (answer := view.answer(question, chatting.bot)) and "count_words" in answer.text
        ),
        what="the tool's line",
    )
    answer = await chatting.answer(question)
    assert "The tool `count_words` has counted" in answer.text
    assert "Using" not in answer.text


async def test_a_long_answer_comes_in_parts_that_fit(chatting: Chatting) -> None:
    answer = await chatting.ask("long 100", within=60)
    assert len(answer.parts) > 2
    events = await chatting.person.history(chatting.chat)
    assert (
        max(
            len(json.dumps(event["content"], ensure_ascii=False, separators=(",", ":")).encode())
            for event in events
        )
        < 65_536
    )
    assert answer.text.count("## Section 1\n") <= 1
    fences = [part.body.count("```") % 2 for part in answer.parts]
    assert not any(fences)


async def test_a_lone_surrogate_of_the_agent_is_cleaned(chatting: Chatting) -> None:
    answer = await chatting.ask("surrogate")
    assert answer.text.startswith("Half of a smiling face: ")
    await chatting.ask("and on it goes")


async def test_messages_sent_while_it_was_down_are_answered_in_order_once(
    chatting: Chatting,
) -> None:
    await chatting.service.stop()
    questions = [await chatting.say(f"number {n}") for n in range(70)]
    await chatting.service.start()
    for question in questions:
        await chatting.answer(question, within=60)
    messages = fold_messages(await chatting.person.history(chatting.chat))
    answers = [find_answer(messages, question, chatting.bot) for question in questions]
    assert all(answer is not None and answer.doubled == () for answer in answers)
    places = [messages.index(answer.parts[0]) for answer in answers if answer]
    assert places == sorted(places)


async def test_a_stop_of_the_service_in_the_middle_of_an_answer_loses_nothing(
    chatting: Chatting,
) -> None:
    question = await chatting.say("slow 6 in two lives")
    preview = await chatting.growing(question)
    assert await chatting.service.stop() == 0
    await chatting.service.start()
    answer = await chatting.answer(question)
    assert answer.parts[0].event_id == preview.event_id
    assert answer.doubled == ()


async def test_a_stop_lets_an_answer_be_finished_and_leaves_what_waits(chatting: Chatting) -> None:
    await chatting.stack.restart_with(service={"stop_seconds": 8})
    question = await chatting.say("slow 3 before the stop")
    behind = await chatting.say("words 5")
    await chatting.growing(question)
    assert await chatting.service.stop() == 0
    answer = await chatting.answer(question)
    assert answer.is_final
    assert chatting.person.rooms[chatting.chat].answer(behind, chatting.bot) is None
    await chatting.service.start()
    assert (await chatting.answer(behind)).doubled == ()
    assert (await chatting.answer(question)).doubled == ()


async def test_no_preview_overtakes_the_final(chatting: Chatting) -> None:
    question = await chatting.say("slow 3 with a slow wire")
    await chatting.growing(question)
    hold = Hold(answer=True)
    rule = chatting.proxy.spoil(SENDS, hold, times=1, containing=b'"open"')
    await hold.caught.wait()
    chatting.proxy.mend(rule)
    answer = await chatting.answer(question)
    again = chatting.person.rooms[chatting.chat].answer(question, chatting.bot)
    assert again == answer


async def test_notices_and_the_bots_own_words_are_no_questions(chatting: Chatting) -> None:
    notice = await chatting.person.send(
        chatting.chat, {"msgtype": "m.notice", "body": "a notice of some other bot"}
    )
    await chatting.ask("a question")
    assert chatting.view.answer(notice, chatting.bot) is None


async def test_an_edit_of_an_answered_question_does_nothing(chatting: Chatting) -> None:
    question = await chatting.say("before")
    await chatting.answer(question)
    edit = await chatting.person.edit(chatting.chat, question, "after")
    await chatting.ask("another")
    answer = chatting.view.answer(question, chatting.bot)
    assert answer is not None
    assert answer.text.startswith("You said: before")
    assert chatting.view.answer(edit, chatting.bot) is None
