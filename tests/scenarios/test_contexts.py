"""What each chat remembers, saves and goes on from, as people see it."""

from __future__ import annotations

import re
import shutil

import pytest

from lambda_matrix.ids import RoomId
from tests.lab.chatting import Chatting, Stack, open_chatting

ACCOUNT_DATA = r"PUT .*/account_data/ru\.coredump\.lambda\."


async def thread_of(chatting: Chatting, room: RoomId | None = None) -> int:
    """The context's number, as the agent knows it."""
    answer = (await chatting.ask("number", room)).text
    found = re.search(r"\(thread (\d+)\)", answer)
    assert found is not None, answer
    return int(found[1])


async def recalled(chatting: Chatting, room: RoomId | None = None) -> str:
    """What the agent remembers."""
    return (await chatting.ask("recall", room)).text


async def test_clear_rotates_only_its_room_and_reuses_no_number(chatting: Chatting) -> None:
    other = await chatting.new_chat()
    for room, word in ((chatting.chat, "heron"), (other, "wren")):
        await chatting.ask(f"the word is {word}", room)
    numbers = [await thread_of(chatting), await thread_of(chatting, other)]
    assert "afresh" in (await chatting.ask("!clear")).text
    assert "heron" not in await recalled(chatting)
    assert "wren" in await recalled(chatting, other)
    assert await thread_of(chatting, other) == numbers[1]
    numbers.append(await thread_of(chatting))
    await chatting.service.kill()
    await chatting.service.start()
    await chatting.ask("!reset")
    numbers += [await thread_of(chatting), await thread_of(chatting, await chatting.new_chat())]
    assert len(set(numbers)) == len(numbers)
    assert numbers[2] > max(numbers[:2])


async def test_what_was_saved_goes_on_in_another_room(chatting: Chatting) -> None:
    typo = await chatting.say("the bird is a hreon")
    await chatting.answer(typo)
    secret = await chatting.say("the secret is wren")
    await chatting.answer(secret)
    await chatting.ask("!chats")
    assert "nothing to stop" in (await chatting.ask("!stop")).text
    assert "Birds" in (await chatting.ask("!save Birds")).text
    await chatting.ask("the later word is rook")
    await chatting.person.edit(chatting.chat, typo, "the bird is a heron")
    await chatting.person.redact(chatting.chat, secret)
    await chatting.person.wait_for(
        chatting.chat,
        lambda view: (gone := view.answer(secret, chatting.bot)) is None or gone.parts[0].redacted,
    )
    other = await chatting.new_chat()
    await chatting.ask("the unrelated word is finch", other)
    reply = (await chatting.ask("!load birds", other)).text
    assert "2 messages" in reply
    assert "left out" in reply
    known = await recalled(chatting, other)
    assert "the bird is a heron" in known
    assert "You said: the bird is a hreon" in known
    for unknown in ("wren", "rook", "finch", "!chats", "!save", "stop"):
        assert unknown not in known
    told = (await chatting.ask("history", other)).text
    assert f"`{typo}`" in told
    assert "Goes on from “Birds”" in (await chatting.ask("!context", other)).text


async def test_a_bare_number_picks_and_any_other_text_cancels(chatting: Chatting) -> None:
    assert "not saved" in (await chatting.ask("!load")).text
    for bird in ("heron", "wren"):
        await chatting.ask(f"the bird is a {bird}")
        await chatting.ask(f"!save {bird}")
        await chatting.ask("!clear")
    listed = (await chatting.ask("!load")).text
    assert listed.index("1. “heron”") < listed.index("2. “wren”")
    assert (await chatting.ask("wait")).text.startswith("You said: wait")
    assert (await chatting.ask("2")).text.startswith("You said: 2")
    await chatting.ask("!load")
    assert "2" in (await chatting.ask("7")).text
    await chatting.service.kill()
    await chatting.service.start()
    assert "“wren”" in (await chatting.ask("2")).text
    known = await recalled(chatting)
    assert "wren" in known
    assert "heron" not in known


async def test_nobody_lists_loads_or_forgets_what_is_anothers(chatting: Chatting) -> None:
    await chatting.ask("the secret is heron")
    await chatting.ask("!save Secret")
    async with open_chatting(chatting.stack, "boris") as boris:
        for command in ("!load", "!load Secret", "!load 1", "!forget Secret", "!context"):
            reply = (await boris.ask(command)).text
            assert "“Secret”" not in reply
        assert "heron" not in await recalled(boris)
    # In a room of Anna's that he is in, too, he neither saves, loads nor clears.
    async with open_chatting(chatting.stack, "carol") as carol:
        await chatting.person.invite(chatting.chat, carol.person.user_id)
        await carol.person.join(chatting.chat)
        for command in ("!save Mine", "!load", "!clear"):
            said = await carol.person.say(chatting.chat, command)
            answer = await carol.person.wait_for_answer(chatting.chat, said, chatting.bot)
            assert "owner" in answer.text
    mention = {"m.mentions": {"user_ids": [chatting.bot]}}
    asked = await chatting.person.say(chatting.chat, "recall", **mention)
    assert "heron" in (await chatting.answer(asked)).text
    assert "Secret" in (await chatting.ask("!forget secret")).text
    assert "not saved" in (await chatting.ask("!load")).text


async def test_context_tells_of_the_chat_and_of_what_is_saved(chatting: Chatting) -> None:
    await chatting.ask("usage 12 34")
    await chatting.ask("!save Use")
    told = (await chatting.ask("!context")).text
    for part in (str(await thread_of(chatting)), "2 messages", "12 tokens", "34", "Use"):
        assert part in told


async def test_a_thread_has_its_own_context_only_if_it_is_set_so(chatting: Chatting) -> None:
    root = await chatting.say("the word is heron")
    await chatting.answer(root)

    async def ask_in_thread(text: str) -> str:
        relation = {"rel_type": "m.thread", "event_id": root}
        said = await chatting.person.say(chatting.chat, text, **{"m.relates_to": relation})
        return (await chatting.answer(said)).text

    assert "heron" in await ask_in_thread("recall")
    await chatting.ask("!set threads own")
    assert "heron" not in await ask_in_thread("recall")
    await ask_in_thread("the word is wren")
    assert "wren" not in await recalled(chatting)
    assert "wren" in await ask_in_thread("recall")
    await ask_in_thread("!clear")
    assert "wren" not in await ask_in_thread("recall")
    assert "heron" in await recalled(chatting)


async def test_what_a_question_replies_to_goes_along(chatting: Chatting) -> None:
    first = await chatting.say("the word is heron")
    answer = await chatting.answer(first)
    for replied_to, quoted in (
        (first, "the word is heron"),
        (answer.parts[0].event_id, "You said:"),
    ):
        relation = {"m.in_reply_to": {"event_id": replied_to}}
        said = await chatting.person.say(chatting.chat, "why?", **{"m.relates_to": relation})
        assert f"> {quoted}" in (await chatting.answer(said)).text


@pytest.mark.parametrize("command", ["!clear", "!save Birds", "!load Old", "!forget Old"])
async def test_a_command_is_done_once_across_a_kill(chatting: Chatting, command: str) -> None:
    await chatting.ask("the word is heron")
    await chatting.ask("!save Old")
    asked = await chatting.say(command)
    await chatting.proxy.wait_made(ACCOUNT_DATA, 1, within=10)
    await chatting.service.kill()
    await chatting.service.start()
    answer = await chatting.answer(asked)
    assert answer.doubled == ()
    known = await recalled(chatting)
    assert ("heron" in known) is (command != "!clear")
    listed = (await chatting.ask("!load")).text
    assert ("“Birds”" in listed) is (command == "!save Birds")
    assert ("“Old”" in listed) is (command != "!forget Old")


async def test_an_agent_without_a_memory_is_told_all_of_it(stack: Stack) -> None:
    registry = stack.settings.directory / "agents.toml"
    registry.write_text(registry.read_text().replace("name =", 'history = "client"\nname =', 1))
    await stack.service.start()
    async with open_chatting(stack) as chatting:
        await chatting.ask("the word is heron")
        await chatting.ask("!help")
        await stack.agent.program.stop()
        shutil.rmtree(stack.settings.directory.with_name("agent") / "state")
        await stack.agent.program.start()
        told = await recalled(chatting)
        assert "1. user: the word is heron" in told
        assert "2. assistant: You said: the word is heron" in told
        assert "!help" not in told
        assert "newest 200 messages" in (await chatting.ask("!context")).text
