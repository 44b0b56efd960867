"""What is one person's is nobody else's: two people try, over bare HTTP, without rate limits."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
import trio

from lambda_matrix.demo.bare_http import CallError, Json
from lambda_matrix.demo.person import Person
from lambda_matrix.demo.settings_files import to_toml
from lambda_matrix.demo.view import Answer, text_at
from lambda_matrix.ids import EventId, RoomId
from lambda_matrix.matrix_events import ANSWER_KEY, MARKER_KEY
from tests.lab.chatting import Chatting, open_chatting

pytestmark = pytest.mark.long

BINDING_KEY = "ru.coredump.lambda.binding"
SECRET = "kingfisher"
SAVED = "Birdwatching"
FORBIDDEN = 403


@pytest.fixture
async def boris(chatting: Chatting) -> AsyncIterator[Chatting]:
    """Somebody else, with a Space and a chat of his own, and a guest in Anna's first chat."""
    async with open_chatting(chatting.stack, "boris") as opened:
        await chatting.person.invite(chatting.chat, opened.person.user_id)
        await opened.person.join(chatting.chat)
        yield opened


def mention(chatting: Chatting) -> Json:
    return {"m.mentions": {"user_ids": [chatting.bot]}}


async def ask(asker: Chatting, text: str, room: RoomId, within: float = 30) -> Answer:
    """Ask in a room of several people, where the bot is to be mentioned."""
    asked = await asker.person.say(room, text, **mention(asker))
    return await asker.person.wait_for_answer(room, asked, asker.bot, within)


async def thread_of(asker: Chatting, room: RoomId) -> str:
    found = re.search(r"\(thread (\d+)\)", (await ask(asker, "number", room)).text)
    assert found is not None
    return found[1]


async def test_a_guest_moves_nothing_of_the_owners(chatting: Chatting, boris: Chatting) -> None:
    room = chatting.chat
    await ask(chatting, f"the secret is {SECRET}", room)
    await chatting.ask(f"!save {SAVED}")
    await chatting.ask("!rename Anna's")
    thread = await thread_of(chatting, room)
    running = await chatting.person.say(room, "hang", **mention(chatting))
    waiting = await chatting.person.say(room, "patience", **mention(chatting))
    for command in (
        "!stop",
        "!stop all",
        "!yes",
        "!no",
        "!load",
        f"!load {SAVED}",
        "!load 1",
        "1",
        "!save Mine",
        f"!forget {SAVED}",
        "!clear",
        "!reset",
        "!rename Stolen",
        "!archive",
        "!unarchive",
        "!delete",
        "!yes",
        "!files",
        "!remove all",
        "!remove 1",
        "!set threads own",
        "!agent main",
        "!retry",
        "!bind",
        "!context",
        "!settings",
        "!chats",
    ):
        said = await boris.person.say(room, command, **mention(boris))
        if command == "1":
            continue  # no list of his is open, so this is a question, and waits behind Anna's
        told = (await boris.person.wait_for_answer(room, said, boris.bot)).text
        assert SAVED not in told or "Nothing is saved as" in told, command
        assert SECRET not in told, command
    view = chatting.view
    for question in (running, waiting):
        answer = view.answer(question, chatting.bot)
        assert answer is None or not answer.is_final
    assert view.name == "Anna's"
    assert room in chatting.person.rooms[chatting.space].children
    await chatting.ask("!stop")
    assert "Stopped" in (await chatting.answer(running)).text
    assert (await chatting.answer(waiting)).text.startswith("You said: patience")
    assert await thread_of(chatting, room) == thread
    assert SECRET in (await ask(chatting, "recall", room)).text
    assert SAVED in (await chatting.ask("!load")).text


async def test_nobody_changes_or_takes_back_anothers_question(
    chatting: Chatting, boris: Chatting
) -> None:
    room = chatting.chat
    await chatting.person.say(room, "slow 4 first", **mention(chatting))
    question = await chatting.person.say(room, "what I ask", **mention(chatting))
    await boris.person.edit(room, question, "what he puts in my mouth")
    with pytest.raises(CallError) as refused:
        await boris.person.redact(room, question)
    assert refused.value.status == FORBIDDEN
    forged: Json = {"redacts": question}
    with pytest.raises(CallError):
        await boris.person.send(room, forged, "m.room.redaction")
    answer = await chatting.answer(question)
    assert answer.text.startswith("You said: what I ask")
    assert not answer.parts[0].redacted
    await chatting.ask("!status")
    assert "in my mouth" not in (await ask(chatting, "recall", room)).text


async def test_a_forged_mark_settles_nothing(chatting: Chatting, boris: Chatting) -> None:
    room = chatting.chat
    answered = await ask(chatting, "hello", room)
    running = await chatting.person.say(room, "slow 4 first", **mention(chatting))
    question = await chatting.person.say(room, "still to come", **mention(chatting))
    for number, asked in enumerate((running, question)):
        mark = {
            "question": asked,
            "request": f"forged {number}",
            "part": 0,
            "parts": 1,
            "state": "final",
            "instance": "9999-another",
        }
        await boris.person.say(room, "He is done.", **{ANSWER_KEY: mark})
        root = answered.parts[0].event_id
        new: Json = {"msgtype": "m.text", "body": "Not what was said", ANSWER_KEY: mark}
        relation = {"rel_type": "m.replace", "event_id": root}
        await boris.person.send(room, {**new, "m.new_content": new, "m.relates_to": relation})
    assert (await chatting.answer(running)).text.startswith("You said: slow 4 first")
    assert (await chatting.answer(question)).text.startswith("You said: still to come")
    assert (await ask(boris, "!status", room)).text, "the service runs: no other instance is seen"


async def test_a_forged_room_is_nobodys_chat(chatting: Chatting) -> None:
    await chatting.ask(f"the secret is {SECRET}")
    thread = await chatting.ask("number")
    number = int(thread.text.split("(thread ")[1].split(")")[0])
    async with open_chatting(chatting.stack, "boris") as boris:
        binding = {"owner": boris.person.user_id, "agent": "main", "platform_chat_id": number}
        forged = await boris.person.create_room(
            boris.bot,
            creation_content={
                MARKER_KEY: {"intent": "forged", "kind": "chat", "owner": chatting.person.user_id}
            },
            initial_state=[{"type": BINDING_KEY, "state_key": "", "content": binding}],
        )
        await boris.person.wait_for(forged, lambda view: view.said_by(boris.bot) or None)
        child: Json = {"via": [chatting.stack.homeserver.server_name]}
        path = ("rooms", boris.space, "state", "m.space.child", chatting.chat)
        await boris.person.call("PUT", *path, body=child)
        for text in ("recall", "!context", "!load", "!clear"):
            told = (await ask(boris, text, forged)).text
            assert SECRET not in told
            assert str(chatting.chat) not in told
        assert chatting.chat not in ((await boris.ask("!chats")).parts[0].html or "")
        bound = await boris.ask("!bind", forged)
        assert bound.text
        assert SECRET not in (await ask(boris, "recall", forged)).text
    assert forged not in ((await chatting.ask("!chats")).parts[0].html or "")
    assert SECRET in (await chatting.ask("recall")).text


async def test_nobody_enters_or_sees_anothers_rooms(chatting: Chatting, boris: Chatting) -> None:
    private = await chatting.new_chat("!new Private")
    await chatting.ask(f"the secret is {SECRET}", private)
    for room in (private, chatting.space, chatting.direct):
        for path in (("join",), ("messages",), ("joined_members",), ("state",)):
            method = "POST" if path == ("join",) else "GET"
            body: Json | None = {} if method == "POST" else None
            with pytest.raises(CallError) as refused:
                await boris.person.call(method, "rooms", room, *path, body=body)
            assert refused.value.status == FORBIDDEN
    for command in ("!chats", "!settings", "!context", "!load", "!files", "!status"):
        told = (await boris.ask(command)).text
        assert "Private" not in told
        assert str(chatting.person.user_id) not in told
        assert str(private) not in told


async def test_whose_agent_it_is_uses_it_alone(chatting: Chatting, boris: Chatting) -> None:
    settings = chatting.stack.settings
    agent = {"base_url": settings.agent_url, "token_file": str(settings.directory / "agent.token")}
    registry = to_toml(
        {
            "agent.main": {**agent, "name": "Everybody's"},
            "agent.private": {**agent, "name": "Hers", "users": [chatting.person.user_id]},
        }
    )
    await chatting.service.stop()
    (settings.directory / "agents.toml").write_text('default = "main"\n' + registry)
    await chatting.service.start()
    assert "Hers" in (await chatting.ask("!agent")).text
    assert "Hers" in (await chatting.ask("!agent private")).text
    hers = await chatting.new_chat("!new Hers")
    assert (await chatting.ask("hello", hers)).text.startswith("You said: hello")

    assert "Hers" not in (await boris.ask("!agent")).text
    for choice in ("private", "2"):
        assert "Hers" not in (await boris.ask(f"!agent {choice}")).text
    his = await boris.new_chat("!new His")
    assert "Hers" not in (await boris.ask("!context", his)).text
    # Nor does an invitation to a chat of Anna's let him ask it.
    await chatting.person.invite(hers, boris.person.user_id)
    await boris.person.join(hers)
    assert "You said" not in (await ask(boris, "hello", hers)).text
    assert (await ask(chatting, "again", hers)).text.startswith("You said: again")


async def test_who_says_it_is_who_sent_it(chatting: Chatting, boris: Chatting) -> None:
    """Whatever a message claims of its sender: the homeserver says who that is."""
    running = await chatting.person.say(chatting.chat, "hang", **mention(chatting))
    claims: Json = {
        "sender": chatting.person.user_id,
        "user_id": chatting.person.user_id,
        "m.mentions": {"user_ids": [chatting.bot, chatting.person.user_id]},
        "m.relates_to": {"m.in_reply_to": {"event_id": running}},
    }
    for text in ("!stop all", f"{chatting.person.user_id}: !stop", "!clear"):
        said = await boris.person.say(chatting.chat, text, **claims)
        if text.startswith("!"):
            await boris.person.wait_for_answer(chatting.chat, said, boris.bot)
    answer = chatting.view.answer(running, chatting.bot)
    assert answer is None or not answer.is_final
    await chatting.ask("!stop")
    assert "Stopped" in (await chatting.answer(running)).text


@pytest.mark.parametrize("many", [2, 20])
async def test_no_word_crosses_into_another_room(chatting: Chatting, many: int) -> None:
    """All rooms of one person in the same second, and an agent that speaks slowly in each."""
    rooms = [chatting.chat]
    while len(rooms) < many:
        rooms.append(await chatting.new_chat(f"!new {len(rooms)}"))
    questions: dict[RoomId, EventId] = {}

    async def say(number: int, room: RoomId) -> None:
        words = " ".join(f"mark{number}x{word}" for word in range(40))
        questions[room] = await chatting.say(f"slow 5 {words}", room)

    async with trio.open_nursery() as nursery:
        for number, room in enumerate(rooms):
            nursery.start_soon(say, number, room)
    grown = 0
    for number, room in enumerate(rooms):
        answer = await chatting.answer(questions[room], room, within=90)
        assert f"mark{number}x39" in answer.text
        assert answer.doubled == ()
        grown += answer.previews
    assert grown >= many, "they were seen to grow"
    await _assert_nothing_crossed(chatting.person, rooms, questions)
    for number, room in enumerate(rooms[:3]):
        assert _marks((await chatting.ask("recall", room)).text) == {str(number)}


async def _assert_nothing_crossed(
    person: Person, rooms: list[RoomId], questions: dict[RoomId, EventId]
) -> None:
    """Look at every event of every room as the homeserver has it, previews too."""
    for number, room in enumerate(rooms):
        for event in await person.history(room):
            assert _marks(json.dumps(event)) <= {str(number)}
            question = text_at(event, "content", ANSWER_KEY, "question")
            others = set(questions.values()) - {questions[room]}
            assert question not in others


def _marks(text: str) -> set[str]:
    return set(re.findall(r"mark(\d+)x", text))
