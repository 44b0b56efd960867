"""The database is lost, or set back, or its token is refused; a person sees little of it.

No rate limits. What comes back of rooms and settings stands in `tests/reconcile`; here it is what
was said. Whatever happens, no answer is doubled, and none is missing.
"""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from lambda_matrix.demo.view import object_at, read_mark
from lambda_matrix.ids import EventId, RoomId
from tests.lab.chatting import Chatting
from tests.lab.proxy import Answer

LOST = "I have lost part of my memory"


def state(chatting: Chatting) -> Path:
    return chatting.stack.settings.directory / "state"


def lose_database(chatting: Chatting) -> None:
    for file in state(chatting).glob("lambda-matrix.db*"):
        file.unlink()


async def endings(chatting: Chatting, room: RoomId) -> Counter[str]:
    """How often each message in a room has its whole answer: once, however it was sent."""
    questions: Counter[str] = Counter()
    for event in await chatting.person.history(room):
        mark = read_mark(object_at(event, "content"))
        if event.get("sender") == chatting.bot and mark is not None and mark.completes:
            questions[mark.question or ""] += 1
    return questions


def said(chatting: Chatting, room: RoomId) -> list[str]:
    return [message.body for message in chatting.person.rooms[room].said_by(chatting.bot)]


async def told(chatting: Chatting, room: RoomId, words: str) -> None:
    """Wait until the bot has said something with these words."""
    await chatting.person.wait_for(
        room, lambda view: any(words in each.body for each in view.said_by(chatting.bot)) or None
    )


@pytest.mark.parametrize("ends", ["killed", "stopped"])
async def test_everything_that_was_said_is_answered_once(chatting: Chatting, ends: str) -> None:
    """In the middle of an answer, with questions and commands waiting, in several rooms."""
    with_file = await chatting.new_chat("!new Files")
    with_prompt = await chatting.new_chat("!new Prompt")
    with_list = await chatting.new_chat("!new List")
    asked = [await chatting.say("remember the blue heron")]
    await chatting.answer(asked[0])
    await chatting.ask("Hello there", with_list)
    await chatting.ask("!save birds", with_list)
    await chatting.ask("confirm", with_prompt)
    await chatting.ask("!load", with_list)
    await chatting.person.send_file(with_file, "notes.txt", b"Some notes.", "text/plain")
    await chatting.person.wait_for(
        with_file,
        lambda view: any("notes.txt" in m.body for m in view.said_by(chatting.bot)) or None,
    )
    slow = await chatting.say("slow 6 and steady")
    asked += [slow, await chatting.say("the second"), await chatting.say("the third")]
    preview = await chatting.growing(slow)
    await (chatting.service.kill() if ends == "killed" else chatting.service.stop())
    lose_database(chatting)
    asked += [await chatting.say("!help"), await chatting.say("recall")]
    repeated = await chatting.say("!rename Birds")
    number = await chatting.say("2", with_list)
    word = await chatting.say("!yes", with_prompt)
    about_file = await chatting.say("And the file?", with_file)
    await chatting.service.start()

    answers = [await chatting.answer(each) for each in asked]
    assert answers[1].parts[0].event_id == preview.event_id, "in the event that was there"
    assert "heron" in answers[-1].text, "the conversation goes on"
    assert "send it again" in (await chatting.answer(repeated)).text
    assert "I have lost" in (await chatting.answer(word, with_prompt)).text
    assert "You said: 2" in (await chatting.answer(number, with_list)).text
    assert "notes.txt" not in (await chatting.answer(about_file, with_file)).text
    for room in (with_file, with_prompt):
        await told(chatting, room, LOST)

    before = {room: said(chatting, room) for room in chatting.person.rooms}
    await chatting.service.stop()
    lose_database(chatting)
    await chatting.service.start()
    assert "heron" in (await chatting.ask("recall once more")).text
    await chatting.ask("Fence", with_file)
    await chatting.ask("Fence", with_prompt)
    for room, bodies in before.items():
        more = said(chatting, room)[len(bodies) :]
        assert len(more) == (room in {chatting.chat, with_file, with_prompt}), more
    for room in (chatting.chat, with_file, with_prompt, with_list):
        doubled = {q: n for q, n in (await endings(chatting, room)).items() if q and n > 1}
        assert doubled == {}
        assert said(chatting, room).count(LOST) <= 1


async def test_a_database_from_before_answers_nothing_twice(chatting: Chatting) -> None:
    await chatting.ask("One")
    slow = await chatting.say("slow 3 two")
    await chatting.growing(slow)
    await chatting.service.kill()
    old = state(chatting).with_name("old")
    shutil.copytree(state(chatting), old, ignore=shutil.ignore_patterns("*.sock"))
    await chatting.service.start()
    await chatting.answer(slow)
    long = await chatting.say("long 150")
    assert len((await chatting.answer(long)).parts) > 1
    await chatting.ask("!help")
    room = await chatting.new_chat("!new Room")
    await chatting.ask("Elsewhere", room)
    before = [said(chatting, each) for each in (chatting.chat, room)]
    await chatting.service.kill()
    missed = await chatting.say("Three")
    for file in state(chatting).glob("lambda-matrix.db*"):
        file.unlink()
    for file in old.glob("lambda-matrix.db*"):
        shutil.copy(file, state(chatting))
    await chatting.service.start()
    assert (await chatting.answer(missed)).text.startswith("You said: Three")
    await chatting.ask("Fence", room)
    after = [said(chatting, each) for each in (chatting.chat, room)]
    assert [len(each) for each in after] == [len(each) + 1 for each in before]
    for each in (chatting.chat, room):
        assert set((await endings(chatting, each)).values()) <= {1}


@pytest.mark.long
async def test_a_refused_token_loses_and_doubles_nothing(chatting: Chatting) -> None:
    """300 messages were missed in each of three rooms."""
    rooms = [chatting.chat, *[await chatting.new_chat(f"!new {n}") for n in range(2)]]
    for room in rooms:
        await chatting.ask("Before", room)
    await chatting.service.stop()
    missed: dict[RoomId, list[EventId]] = {room: [] for room in rooms}
    for number in range(300):
        for room in rooms:
            missed[room].append(await chatting.say(f"Q{number}", room))
    token = Answer(400, b'{"errcode": "M_INVALID_PARAM", "error": "Invalid token"}')
    chatting.proxy.spoil(r"^GET .*/sync\?.*since=", token, times=4)
    await chatting.service.start(within=60)
    for room in rooms:
        await chatting.answer(missed[room][-1], room, within=400)
        answers = [body for body in said(chatting, room) if body.startswith("You said: Q")]
        assert [body.split()[2].strip() for body in answers] == [f"Q{n}" for n in range(300)]
        assert set((await endings(chatting, room)).values()) <= {1}
