"""Rooms as people change them: named, archived, ended, bound, upgraded, left and come back to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.person import Person, open_person
from lambda_matrix.demo.view import RoomView, text_at
from lambda_matrix.ids import RoomId, UserId
from tests.lab.chatting import Chatting, fresh_account, open_chatting, open_stack
from tests.lab.homeserver_process import homeserver_process

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def older_synapse(
    synapse_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Homeserver]:
    """A Synapse whose rooms are of version 10, which their owners may upgrade. Unlimited."""
    directory = tmp_path_factory.mktemp("older")
    with homeserver_process(synapse_python, directory, room_version="10") as homeserver:
        yield homeserver


@pytest.fixture
async def older(older_synapse: Homeserver, tmp_path: Path) -> AsyncIterator[Chatting]:
    """A person in the first chat of a running service, in rooms of version 10."""
    async with open_stack(older_synapse, tmp_path) as stack:
        await stack.service.start()
        async with open_chatting(stack) as opened:
            yield opened


def membership_of(user: UserId, view: RoomView) -> str | None:
    return text_at(view.state.get(("m.room.member", user), {}), "membership")


def thread(answer: str) -> str:
    """The context that the rehearsing agent says it was asked in."""
    return answer.split("(thread ")[1].split(")", maxsplit=1)[0]


async def said(chatting: Chatting, room: RoomId, words: str) -> None:
    """Wait until the bot says something with these words."""
    await chatting.person.wait_for(
        room,
        lambda view: [one for one in view.said_by(chatting.bot) if words in one.body],
        what=f"the bot saying {words!r}",
    )


async def put_state(
    person: Person, room: RoomId, kind: str, content: dict[str, object], key: str = ""
) -> None:
    """Set state as a person's client does."""
    await person.call("PUT", "rooms", room, "state", kind, key, body=content)


async def upgrade(person: Person, room: RoomId, bot: UserId, version: str = "12") -> RoomId:
    """What "upgrade this room" does in a client: a new room, and invitations to it."""
    made = await person.call("POST", "rooms", room, "upgrade", body={"new_version": version})
    new = RoomId(str(made["replacement_room"]))
    await person.invite(new, bot)
    return new


async def is_gone(chatting: Chatting, room: RoomId) -> None:
    await chatting.person.wait_for(
        room,
        lambda view: membership_of(chatting.bot, view) == "leave",
        what="the bot to leave",
    )


# -- names --


async def test_a_chat_is_called_after_its_first_question(chatting: Chatting) -> None:
    await chatting.ask("Why is the **sky** blue?")
    await chatting.person.wait_for(
        chatting.chat, lambda view: view.name == "Why is the sky blue?", what="a name"
    )
    assert "Garden" in (await chatting.ask("!rename Garden")).text
    await chatting.person.wait_for(chatting.chat, lambda view: view.name == "Garden")
    await chatting.ask("And the sea?")
    assert chatting.view.name == "Garden"


async def test_a_name_that_a_person_gave_stays(chatting: Chatting) -> None:
    await put_state(chatting.person, chatting.chat, "m.room.name", {"name": "Mine"})
    await chatting.ask("Why is the sky blue?")
    await chatting.ask("And the sea?")
    assert chatting.view.name == "Mine"


# -- the archive --


async def test_an_archived_chat_leaves_the_space_and_comes_back(chatting: Chatting) -> None:
    person, space, chat = chatting.person, chatting.space, chatting.chat
    assert "archived" in (await chatting.ask("!archive")).text
    await person.wait_for(space, lambda view: chat not in view.children)
    assert "archived" in (await chatting.ask("Hello?")).text
    assert "archived" in (await chatting.ask("!chats", chatting.direct)).text
    assert "Welcome back" in (await chatting.ask("!unarchive")).text
    await person.wait_for(space, lambda view: chat in view.children)
    assert (await chatting.ask("Hello?")).text.startswith("You said: Hello?")


async def test_the_users_hand_wins(chatting: Chatting) -> None:
    person, space, chat = chatting.person, chatting.space, chatting.chat
    await put_state(person, space, "m.space.child", {}, chat)
    await said(chatting, chat, "archived")
    await chatting.service.kill()
    await chatting.service.start()
    assert "archived" in (await chatting.ask("Hello?")).text
    assert chat not in person.rooms[space].children
    await put_state(person, space, "m.space.child", {"via": ["lambda.test"]}, chat)
    await said(chatting, chat, "Welcome back")
    assert (await chatting.ask("Hello?")).text.startswith("You said: Hello?")


# -- the end --


async def test_a_deleted_chat_is_left_for_good(chatting: Chatting) -> None:
    person, chat = chatting.person, chatting.chat
    running = await chatting.say("slow 300 far too long")
    await chatting.growing(running)
    await chatting.ask("!delete")
    farewell = await chatting.answer(await chatting.say("!yes"))
    await is_gone(chatting, chat)
    await person.wait_for(chatting.space, lambda view: chat not in view.children)
    assert person.rooms[chat].said_by(chatting.bot)[-1].body == farewell.text
    assert chat not in (await chatting.ask("!chats", chatting.direct)).text


async def test_a_kill_while_a_chat_ends_ends_it_all_the_same(chatting: Chatting) -> None:
    await chatting.ask("!delete")
    already = len(chatting.proxy.made("^(PUT|POST) "))
    await chatting.say("!yes")
    await chatting.proxy.wait_made("^(PUT|POST) ", already + 3)
    await chatting.service.kill()
    await chatting.service.start()
    await is_gone(chatting, chatting.chat)
    over = [one for one in chatting.view.said_by(chatting.bot) if "is over" in one.body]
    assert len(over) == 1


# -- rooms of others --


@pytest.mark.parametrize("version", ["10", "11", "12"])
async def test_bind_makes_a_chat_of_a_room_of_ones_own(chatting: Chatting, version: str) -> None:
    person, bot = chatting.person, chatting.bot
    third = await fresh_account(chatting.stack.homeserver, "boris")
    room = await person.create_room(bot, third.user_id, name="Ours", room_version=version)
    async with open_person(chatting.stack.homeserver.url, third) as boris:
        await boris.join(room)
        await person.wait_for(room, lambda view: membership_of(bot, view) == "join")
        refused = await boris.say(room, "!bind")
        answer = await boris.wait_for_answer(room, refused, bot)
        assert "right to change its name" in answer.text
        assert "is a chat now" in (await chatting.ask("!bind", room)).text
        await person.wait_for(chatting.space, lambda view: room in view.children)
        await boris.say(room, "Among ourselves")
        mention: dict[str, object] = {"user_ids": [bot]}
        asked = await boris.say(room, "Who are you?", **{"m.mentions": mention})
        answer = await boris.wait_for_answer(room, asked, bot)
        assert answer.text.startswith("You said: Who are you?")
        reply = {"m.in_reply_to": {"event_id": answer.parts[0].event_id}}
        replied = await boris.say(room, "Really?", **{"m.relates_to": reply})
        assert (await boris.wait_for_answer(room, replied, bot)).is_final
        assert len([m for m in boris.rooms[room].said_by(bot) if "Among" in m.body]) == 0
        for command in ("!archive", "!rename Theirs", "!delete", "!clear"):
            refused = await boris.say(room, command)
            answer = await boris.wait_for_answer(room, refused, bot)
            assert answer.text == "Only the owner of this chat can do that."


async def test_a_denied_inviter_gets_one_sentence(chatting: Chatting) -> None:
    account = await fresh_account(chatting.stack.homeserver, "eve")
    await chatting.stack.restart_with(access={"deny": [account.user_id]})
    async with open_person(chatting.stack.homeserver.url, account) as eve:
        room = await eve.direct_chat(chatting.bot)
        await eve.wait_for(
            room, lambda view: membership_of(chatting.bot, view) == "leave", what="a refusal"
        )
        member = eve.rooms[room].state["m.room.member", chatting.bot]
        assert "not been allowed" in (text_at(member, "reason") or "")


# -- upgrades --


async def test_an_upgraded_chat_goes_on_in_the_new_room(older: Chatting) -> None:
    person, chat = older.person, older.chat
    before = thread((await older.ask("the word is kingfisher")).text)
    question = await older.say("slow 40 and on")
    await older.growing(question)
    new = await upgrade(person, chat, older.bot)
    answer = await person.wait_for_answer(new, question, older.bot, within=60)
    assert answer.text.startswith("You")
    assert "kingfisher" in (await older.ask("recall", new)).text
    assert thread((await older.ask("a", new)).text) == before
    await person.wait_for(
        older.space, lambda view: new in view.children and chat not in view.children
    )
    assert new in ((await older.ask("!chats", older.direct)).parts[0].html or "").replace(
        "%21", "!"
    )
    final = person.rooms[chat].answer(question, older.bot)
    assert final is None or not final.is_final
    assert new in ((await older.ask("Still here?")).parts[0].html or "").replace("%21", "!")


async def test_a_kill_during_an_upgrade_loses_nothing(older: Chatting) -> None:
    person, chat = older.person, older.chat
    before = thread((await older.ask("a")).text)
    already = len(older.proxy.made("^(PUT|POST) "))
    new = await upgrade(person, chat, older.bot)
    await older.proxy.wait_made("^(PUT|POST) ", already + 2)
    await older.service.kill()
    await older.service.start()
    await said(older, new, "moved here")
    assert thread((await older.ask("b", new)).text) == before
    assert len([m for m in person.rooms[new].said_by(older.bot) if "moved here" in m.body]) == 1


async def test_an_upgraded_space_is_followed(older: Chatting) -> None:
    person, space, chat = older.person, older.space, older.chat
    new = await upgrade(person, space, older.bot)
    await person.wait_for(
        chat, lambda view: ("m.space.parent", new) in view.state, what="another parent"
    )
    second = await older.new_chat("!new Birds")
    await person.wait_for(new, lambda view: {chat, second} <= view.children)
    assert (await older.ask("Hello?")).text.startswith("You said: Hello?")


async def test_an_upgrade_by_the_creator_of_a_bound_room(chatting: Chatting) -> None:
    person, bot = chatting.person, chatting.bot
    room = await person.create_room(bot, name="Ours")
    await person.wait_for(room, lambda view: membership_of(bot, view) == "join")
    await chatting.ask("!bind", room)
    before = thread((await chatting.ask("a", room)).text)
    new = await upgrade(person, room, bot)
    await said(chatting, new, "moved here")
    assert thread((await chatting.ask("b", new)).text) == before


async def test_a_tombstone_that_lies_archives_the_chat(older: Chatting) -> None:
    person, chat = older.person, older.chat
    other = await person.create_room(older.bot, name="Another")
    tombstone: dict[str, object] = {"body": "Gone", "replacement_room": other}
    await put_state(person, chat, "m.room.tombstone", tombstone)
    await said(older, chat, "could not make sure")
    assert "archived" in (await older.ask("Hello?")).text


# -- people and the bot, leaving and coming back --


async def test_who_leaves_a_chat_is_not_answered_there(chatting: Chatting) -> None:
    question = await chatting.say("slow 300 far too long")
    await chatting.growing(question)
    second = await chatting.new_chat()
    await chatting.person.leave(chatting.chat)
    assert (await chatting.ask("Hello?", second)).text.startswith("You said: Hello?")
    status = (await chatting.ask("!status", second)).text
    assert "0 being answered, 0 waiting" in status


async def test_leaving_the_space_stops_all_and_new_invites_again(chatting: Chatting) -> None:
    person, space = chatting.person, chatting.space
    question = await chatting.say("slow 300 far too long")
    await chatting.growing(question)
    await person.leave(space)
    assert "topped" in (await chatting.answer(question)).text
    await chatting.say("!new", chatting.direct)
    await person.wait_for(space, lambda view: view.membership == "invite", what="a new invite")


async def test_a_bot_that_was_kicked_comes_back_to_the_same_chat(chatting: Chatting) -> None:
    person, bot = chatting.person, chatting.bot
    room = await person.create_room(bot, name="Ours")
    await person.wait_for(room, lambda view: membership_of(bot, view) == "join")
    await chatting.ask("!bind", room)
    before = thread((await chatting.ask("a", room)).text)
    await chatting.say("hang", room)
    await person.call("POST", "rooms", room, "kick", body={"user_id": bot})
    chats = (await chatting.ask("!chats", chatting.direct)).parts[0].html or ""
    assert "Ours" not in chats
    await person.invite(room, bot)
    await person.wait_for(room, lambda view: membership_of(bot, view) == "join")
    assert thread((await chatting.ask("b", room)).text) == before
    assert "Ours" in ((await chatting.ask("!chats", chatting.direct)).parts[0].html or "")


# -- looks --


async def test_rooms_have_a_picture_and_describe_their_commands(chatting: Chatting) -> None:
    person, bot, view = chatting.person, chatting.bot, chatting.view
    profile = await person.call("GET", "profile", bot)
    picture = str(profile["avatar_url"])
    assert picture.startswith("mxc://lambda.test/")
    for room in (chatting.space, chatting.chat):
        assert person.rooms[room].state["m.room.avatar", ""] == {"url": picture}
    described = [
        text_at(content, "command")
        for (kind, _), content in view.state.items()
        if kind == "org.matrix.msc4391.command_description"
    ]
    assert {"stop", "new", "archive"} <= set(described)
    invoked: dict[str, object] = {"command": "rename", "arguments": {"name": "Garden"}}
    said = await person.say(
        chatting.chat, "!rename Garden", **{"org.matrix.msc4391.command": invoked}
    )
    assert "Garden" in (await chatting.answer(said)).text
    await chatting.stack.restart_with()
    await chatting.ask("Hello?")
    assert len(chatting.proxy.made("POST .*/media/v3/upload")) == 1
