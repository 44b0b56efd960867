"""The service comes back to something else than it left: without its database, or after others.

Everything stands where it stood: in the database or not, nobody can tell the difference.
"""

from __future__ import annotations

import re

import pytest

from lambda_matrix.demo.person import open_person
from lambda_matrix.demo.view import Message
from lambda_matrix.ids import RoomId
from tests.lab.chatting import Chatting, fresh_account, invited
from tests.lab.proxy import bad_gateway
from tests.scenarios.test_contexts import recalled, thread_of
from tests.scenarios.test_rooms import membership_of, older, older_synapse, put_state, said, upgrade

__all__ = ["older", "older_synapse"]  # fixtures

CHILD = "m.space.child"
VIA: dict[str, object] = {"via": ["lambda.test"]}


def lose_database(chatting: Chatting) -> None:
    """All that the service knows is gone, but for the session."""
    lost = list((chatting.stack.settings.directory / "state").glob("lambda-matrix.db*"))
    assert lost
    for file in lost:
        file.unlink()


def repairs(chatting: Chatting) -> list[str]:
    """What was repaired since the service was started first."""
    return re.findall(r"reconciled: (.*)", chatting.service.log)


def seen(chatting: Chatting, room: RoomId) -> list[Message]:
    """All that stands in the room, each message as its edits have made it."""
    view = chatting.person.rooms[room]
    return list(view.messages)


async def again(chatting: Chatting, *, lost: bool = True) -> list[str]:
    """Start the service, without its database if that is `lost`; return what was repaired."""
    before = len(repairs(chatting))
    await chatting.service.kill()
    if lost:
        lose_database(chatting)
    await chatting.service.start()
    return repairs(chatting)[before:]


async def test_a_conversation_goes_on_though_the_database_is_gone(chatting: Chatting) -> None:
    person, direct = chatting.person, chatting.direct
    await chatting.ask("the word is heron")
    assert "Birds" in (await chatting.ask("!save Birds")).text
    second = await chatting.new_chat("!new Second")
    await chatting.ask("the word is wren", second)
    await chatting.ask("!clear", second)
    await chatting.ask("the word is rook", second)
    third = await chatting.new_chat("!new Third")
    await chatting.ask("!archive", third)
    await chatting.ask("!set streaming off")
    numbers = [await thread_of(chatting), await thread_of(chatting, second)]
    assert str(numbers[1]) in (await chatting.ask("!context", second)).text
    chats = (await chatting.ask("!chats", direct)).text
    before = {room: seen(chatting, room) for room in person.rooms}

    await chatting.service.stop()
    unanswered = await chatting.say("number")
    lose_database(chatting)
    await chatting.service.start()
    first = repairs(chatting)
    assert len(first) == 7, first  # settings, what is saved, the Space, the chats, the direct room
    answer = (await chatting.answer(unanswered)).text
    assert f"(thread {numbers[0]})" in answer

    assert await thread_of(chatting, second) == numbers[1]
    assert "heron" in await recalled(chatting)
    remembered = await recalled(chatting, second)
    assert "rook" in remembered
    assert "wren" not in remembered
    assert str(numbers[1]) in (await chatting.ask("!context", second)).text
    assert (await chatting.ask("!chats", direct)).text == chats
    assert "off" in (await chatting.ask("!set")).text
    assert "Birds" in (await chatting.ask("!load")).text
    assert "archived" in (await chatting.ask("Hello?", third)).text
    after = {room: seen(chatting, room) for room in person.rooms}
    assert after.keys() == before.keys()
    assert {room: after[room][: len(before[room])] for room in before} == before

    assert await again(chatting, lost=False) == []
    newest = await chatting.new_chat("!new Fourth")
    assert await thread_of(chatting, newest) > max(numbers)


@pytest.mark.long
async def test_the_users_hands_win_while_nobody_looks(chatting: Chatting) -> None:
    person, space, chat = chatting.person, chatting.space, chatting.chat
    number = await thread_of(chatting)
    await chatting.service.stop()
    await put_state(person, space, CHILD, {}, chat)
    await put_state(person, chat, "m.room.name", {"name": "By hand"})
    levels = dict(person.rooms[chat].state["m.room.power_levels", ""])
    other = await fresh_account(chatting.stack.homeserver, "boris")
    users = levels["users"]
    assert isinstance(users, dict)
    levels["users"] = {**users, other.user_id: 100}
    await put_state(person, chat, "m.room.power_levels", levels)
    assert len(await again(chatting)) == 4
    await said(chatting, chat, "archived")
    assert "By hand" in (await chatting.ask("!chats", chatting.direct)).text
    assert chat not in person.rooms[space].children
    await put_state(person, space, CHILD, VIA, chat)
    await said(chatting, chat, "Welcome back")
    assert await thread_of(chatting) == number
    assert await again(chatting, lost=False) == []


@pytest.mark.long
async def test_who_left_is_not_invited_again_but_when_they_ask(chatting: Chatting) -> None:
    person, space, chat = chatting.person, chatting.space, chatting.chat
    number = await thread_of(chatting)
    await chatting.service.stop()
    for room in (chat, space):  # "delete" in a client
        await person.leave(room)
        await person.call("POST", "rooms", room, "forget", body={})
    await again(chatting)
    assert "nothing to stop" in (await chatting.ask("!stop", chatting.direct)).text
    assert person.rooms[space].membership == person.rooms[chat].membership == "leave"
    await person.direct_chat(chatting.bot)
    for room in (space, chat):
        await person.wait_for(room, lambda view: view.membership == "invite", what="an invite")
        await person.join(room)
    assert await thread_of(chatting) == number


@pytest.mark.long
async def test_a_bot_that_was_kicked_meanwhile_knows(chatting: Chatting) -> None:
    person, bot = chatting.person, chatting.bot
    room = await person.create_room(bot, name="Ours")
    await person.wait_for(room, lambda view: membership_of(bot, view) == "join")
    await chatting.ask("!bind", room)
    number = await thread_of(chatting, room)
    await chatting.service.stop()
    await person.call("POST", "rooms", room, "kick", body={"user_id": bot})
    await chatting.service.start()
    assert "Ours" not in (await chatting.ask("!chats", chatting.direct)).text
    await person.invite(room, bot)
    await person.wait_for(room, lambda view: membership_of(bot, view) == "join")
    assert await thread_of(chatting, room) == number
    await again(chatting)
    assert await thread_of(chatting, room) == number


@pytest.mark.long
async def test_a_tree_that_was_half_built_is_completed(chatting: Chatting) -> None:
    """Killed within the first chat's making, and the database lost with it."""
    stack = chatting.stack
    account = await fresh_account(stack.homeserver, "vera")
    rule = stack.proxy.spoil(f"PUT .*{CHILD}", bad_gateway())
    async with open_person(stack.homeserver.url, account) as vera:
        direct = await vera.direct_chat(stack.bot)
        space = await invited(vera, stack.bot, set(), is_space=True)
        chat = await invited(vera, stack.bot, set(), is_space=False)
        await again(chatting)
        stack.proxy.mend(rule)
        await vera.join(space)
        await vera.join(chat)
        theirs = Chatting(vera, stack.bot, direct, space, chat, stack)
        await vera.wait_for(space, lambda view: chat in view.children, what="the link")
        assert (await theirs.ask("Hello?")).text.startswith("You said: Hello?")
        await said(theirs, direct, "matrix")
        greetings = [
            m
            for m in vera.rooms[chat].said_by(stack.bot)
            if m.mark is None or m.mark.question is None
        ]
        assert len(greetings) == 1
        made = [v for v in vera.rooms.values() if v.membership in {"join", "invite"}]
        assert len(made) == 3


@pytest.mark.long
async def test_an_upgrade_while_nobody_looked_is_followed(older: Chatting) -> None:
    person, chat = older.person, older.chat
    number = await thread_of(older)
    await older.ask("the word is kingfisher")
    await older.service.stop()
    new = await upgrade(person, chat, older.bot)
    asked = await person.say(new, "number")
    await again(older)
    await said(older, new, "moved here")
    assert await thread_of(older, new) == number
    assert "kingfisher" in await recalled(older, new)
    assert asked is not None
    assert len(await again(older)) >= 4
    assert await thread_of(older, new) == number
    assert len([m for m in person.rooms[new].said_by(older.bot) if "moved here" in m.body]) == 1
