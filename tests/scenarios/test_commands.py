"""What the commands do, as a person sees it."""

from __future__ import annotations

import pytest
import trio

from tests.lab.chatting import Chatting


async def test_help_lists_the_commands_one_line_each(chatting: Chatting) -> None:
    answer = await chatting.ask("!help")
    assert answer.parts[0].msgtype == "m.notice"
    for command in ("!help", "!new", "!chats", "!stop", "!status"):
        assert command in answer.text


async def test_the_names_work_in_russian(chatting: Chatting) -> None:
    assert (await chatting.ask("!помощь")).text


async def test_an_unknown_command_is_told_the_nearest(chatting: Chatting) -> None:
    assert "!help" in (await chatting.ask("!hlep")).text


async def test_a_doubled_prefix_is_text(chatting: Chatting) -> None:
    assert (await chatting.ask("!!help me")).text.startswith("You said: !help me")


async def test_new_makes_a_chat_with_a_context_of_its_own(chatting: Chatting) -> None:
    await chatting.ask("the word is kingfisher")
    second = await chatting.new_chat("!new Birds")
    assert chatting.person.rooms[second].name == "Birds"
    await chatting.person.wait_for(chatting.space, lambda view: second in view.children)
    assert "kingfisher" not in (await chatting.ask("recall", second)).text
    assert "kingfisher" in (await chatting.ask("recall")).text
    first_thread = (await chatting.ask("a")).text.split("(thread ")[1].split(")")[0]
    other_thread = (await chatting.ask("a", second)).text.split("(thread ")[1].split(")")[0]
    assert first_thread != other_thread


async def test_new_works_in_the_direct_chat_too(chatting: Chatting) -> None:
    known = set(chatting.person.rooms)
    await chatting.say("!new", chatting.direct)
    await chatting.person.wait_until(
        lambda: set(chatting.person.rooms) - known, what="another chat"
    )


async def test_chats_lists_all_with_links(chatting: Chatting) -> None:
    second = await chatting.new_chat()
    html = (await chatting.ask("!chats")).parts[0].html or ""
    for room in (chatting.chat, second):
        assert f"https://matrix.to/#/{room}".replace("!", "%21") in html.replace("#/!", "#/%21")


async def test_stop_ends_the_answer_and_keeps_what_was_there(chatting: Chatting) -> None:
    question = await chatting.say("slow 300 far too long")
    await chatting.growing(question)
    began = trio.current_time()
    await chatting.say("!stop")
    answer = await chatting.answer(question)
    assert trio.current_time() - began < 5
    assert "Stopped" in answer.text
    assert answer.text.startswith("You")
    assert (await chatting.ask("next")).text.startswith("You said: next")


async def test_stop_goes_past_what_waits_and_all_takes_it_off(chatting: Chatting) -> None:
    first = await chatting.say("slow 300 first")
    waiting = [await chatting.say(f"number {n}") for n in range(2)]
    await chatting.growing(first)
    await chatting.say("!stop all")
    for question in (first, *waiting):
        assert "Stopped" in (await chatting.answer(question)).text


async def test_stop_alone_lets_the_next_one_run(chatting: Chatting) -> None:
    first = await chatting.say("hang")
    second = await chatting.say("after it")
    await chatting.say("!stop")
    await chatting.answer(first)
    assert (await chatting.answer(second)).text.startswith("You said: after it")


async def test_stop_with_nothing_to_stop_says_so(chatting: Chatting) -> None:
    assert "nothing to stop" in (await chatting.ask("!stop")).text


async def test_status_tells_of_the_agent_and_when_it_is_gone(chatting: Chatting) -> None:
    assert "reachable" in (await chatting.ask("!status")).text
    await chatting.stack.agent.program.stop()
    assert "cannot reach the agent" in (await chatting.ask("!status")).text


@pytest.mark.parametrize("command", ["!new Birds", "!help", "!chats", "!status"])
async def test_a_command_is_answered_once_across_a_kill(chatting: Chatting, command: str) -> None:
    rooms = set(chatting.person.rooms)
    asked = await chatting.say(command)
    await chatting.service.kill()
    await chatting.service.start()
    answer = await chatting.answer(asked)
    assert answer.doubled == ()
    await chatting.ask("fence")
    new = [
        room
        for room in set(chatting.person.rooms) - rooms
        if chatting.person.rooms[room].inviter == chatting.bot
    ]
    assert len(new) == (1 if command.startswith("!new") else 0)
