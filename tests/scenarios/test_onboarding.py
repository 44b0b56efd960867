"""A person invites the bot: a Space, a first chat, a greeting; whatever happens in between."""

from __future__ import annotations

import pytest
import trio

from lambda_matrix.demo.person import NotSeenError, Person, open_person
from lambda_matrix.demo.view import RoomView, text_at
from lambda_matrix.ids import UserId
from tests.lab.chatting import Chatting, Stack, fresh_account, invited, onboard, open_chatting
from tests.lab.proxy import Loss


def made_by(bot: UserId, person: Person) -> list[RoomView]:
    return [view for view in person.rooms.values() if view.inviter == bot]


def membership_of(user: UserId, view: RoomView) -> str | None:
    return text_at(view.state.get(("m.room.member", user), {}), "membership")


async def test_an_invite_makes_a_space_with_a_chat_and_greets(chatting: Chatting) -> None:
    person, bot = chatting.person, chatting.bot
    await person.wait_for(chatting.space, lambda view: chatting.chat in view.children)
    chat = person.rooms[chatting.chat]
    parent = chat.state["m.space.parent", chatting.space]
    assert parent["via"] == ["lambda.test"]
    assert chat.name
    assert person.rooms[chatting.space].name
    for room in (chatting.direct, chatting.chat):
        await person.wait_for(room, lambda view: view.said_by(bot), what="a greeting")
    greeting = chat.said_by(bot)[0]
    assert greeting.msgtype == "m.notice"
    lobby = await person.wait_for(
        chatting.direct,
        lambda view: [one for one in view.said_by(bot) if chatting.space in (one.html or "")],
        what="the way to the Space",
    )
    assert chatting.chat in (lobby[-1].html or "")


async def test_the_owner_has_the_power_and_the_bot_the_space(chatting: Chatting) -> None:
    for room in (chatting.space, chatting.chat):
        view = chatting.person.rooms[room]
        levels = view.state["m.room.power_levels", ""]
        users, events = levels["users"], levels["events"]
        assert isinstance(users, dict)
        assert isinstance(events, dict)
        assert users[chatting.person.user_id] == 100
        assert events["m.room.encryption"] > 100
        assert view.state["m.room.join_rules", ""]["join_rule"] == "invite"


async def test_a_second_invite_joins_and_points_to_what_is_there(chatting: Chatting) -> None:
    person, bot = chatting.person, chatting.bot
    again = await person.direct_chat(bot)
    shown = await person.wait_for(
        again,
        lambda view: [one for one in view.said_by(bot) if chatting.space in (one.html or "")],
        what="the way to the Space",
    )
    assert shown
    assert len(made_by(bot, person)) == 2


async def test_two_people_have_two_spaces(chatting: Chatting) -> None:
    async with open_chatting(chatting.stack, "boris") as other:
        assert other.space != chatting.space
        assert other.chat not in chatting.person.rooms


async def test_who_left_the_space_is_invited_again_by_an_invite_of_theirs(
    chatting: Chatting,
) -> None:
    await chatting.person.leave(chatting.space)
    await chatting.person.wait_for(chatting.space, lambda view: view.membership == "leave")
    await chatting.person.direct_chat(chatting.bot)
    await chatting.person.wait_for(
        chatting.space, lambda view: view.membership == "invite", what="a new invite"
    )


@pytest.mark.parametrize("nth", range(1, 9))
async def test_a_kill_at_any_step_of_it_leaves_one_space_and_one_chat(
    stack: Stack, nth: int
) -> None:
    account = await fresh_account(stack.homeserver, "anna")
    await stack.service.start()
    already = len(stack.proxy.made("^(PUT|POST) "))
    async with open_person(stack.homeserver.url, account) as person:
        await person.direct_chat(stack.bot)
        await stack.proxy.wait_made("^(PUT|POST) ", already + nth)
        await stack.service.kill()
        await stack.service.start()
        space = await invited(person, stack.bot, set(), is_space=True)
        chat = await invited(person, stack.bot, set(), is_space=False)
        await person.join(space)
        await person.join(chat)
        await person.wait_for(space, lambda view: chat in view.children)
        question = await person.say(chat, "hello")
        await person.wait_for_answer(chat, question, stack.bot)
        assert len(made_by(stack.bot, person)) == 2


async def test_a_lost_answer_of_create_room_makes_no_second_room(stack: Stack) -> None:
    await stack.service.start()
    stack.proxy.spoil("^POST .*/createRoom", Loss.ANSWER, times=2)
    account = await fresh_account(stack.homeserver, "anna")
    async with open_person(stack.homeserver.url, account) as person:
        chatting = await onboard(person, stack, within=60)
        await chatting.ask("hello")
        assert len(made_by(stack.bot, person)) == 2


async def test_somebody_who_is_not_allowed_is_turned_away(stack: Stack) -> None:
    account = await fresh_account(stack.homeserver, "eve")
    await stack.restart_with(access={"deny": [account.user_id]})
    async with open_person(stack.homeserver.url, account) as eve:
        room = await eve.direct_chat(stack.bot)
        await eve.wait_for(
            room,
            lambda view: membership_of(stack.bot, view) == "leave",
            what="the invite to be rejected",
        )
        assert made_by(stack.bot, eve) == []


async def test_an_encrypted_room_is_told_once_where_to_talk(chatting: Chatting) -> None:
    person, bot = chatting.person, chatting.bot
    encryption = {
        "type": "m.room.encryption",
        "state_key": "",
        "content": {"algorithm": "m.megolm.v1.aes-sha2"},
    }
    secret = await person.create_room(bot, is_direct=True, initial_state=[encryption])
    await person.wait_for(secret, lambda view: view.said_by(bot), what="a word about encryption")
    cipher: dict[str, object] = {
        "algorithm": "m.megolm.v1.aes-sha2",
        "ciphertext": "AwgAEnACgAkLmt6q",
        "session_id": "session",
        "sender_key": "key",
        "device_id": "DEVICE",
    }
    for _ in range(3):
        await person.send(secret, cipher, "m.room.encrypted")
    await chatting.ask("still there?")
    said = person.rooms[secret].said_by(bot)
    assert "encrypted" in said[0].body
    assert len([one for one in said if "encrypted" in one.body]) == 1


async def test_a_room_that_is_no_chat_is_told_so_once(chatting: Chatting) -> None:
    person, bot = chatting.person, chatting.bot
    room = await person.create_room(bot, name="A room of mine")
    third = await fresh_account(chatting.stack.homeserver, "boris")
    await person.invite(room, third.user_id)
    async with open_person(chatting.stack.homeserver.url, third) as boris:
        await boris.join(room)
        for text in ("one", "two"):
            await person.say(room, text)
        await chatting.ask("a question in the chat")
    told = [said for said in person.rooms[room].said_by(bot) if "not one of my chats" in said.body]
    assert len(told) <= 1


async def test_messages_from_before_the_bot_joined_are_no_questions(stack: Stack) -> None:
    account = await fresh_account(stack.homeserver, "anna")
    async with open_person(stack.homeserver.url, account) as person:
        room = await person.create_room()
        await person.say(room, "said before anybody was there")
        await person.invite(room, stack.bot)
        await stack.service.start()
        await invited(person, stack.bot, set(), is_space=True)
        with trio.move_on_after(2), pytest.raises(NotSeenError):
            await person.wait_for(
                room, lambda view: [m for m in view.messages if "You said" in m.body], within=1
            )
