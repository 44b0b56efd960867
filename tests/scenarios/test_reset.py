"""`lambda-matrix reset`: a fresh start, from the operator's side and from the people's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import trio

from lambda_matrix.ids import RoomId
from tests.lab.chatting import Chatting, Stack, onboard
from tests.lab.commands import Command, state_files
from tests.lab.proxy import Hold, rate_limited

pytestmark = pytest.mark.long

CHANGES = r"^(PUT|POST|DELETE) "
LEAVE = r"^POST .*/leave$"


async def reset(stack: Stack, *arguments: str, status: int = 0) -> str:
    """Reset; return what was said, once it has ended with this exit status."""
    ended, said = await Command(stack, "reset", *arguments).end()
    assert ended == status, said
    assert "Traceback" not in said
    return said


async def context_number(chatting: Chatting) -> int:
    said = (await chatting.ask("!context")).text
    (number,) = re.findall(r"Context number: (\d+)", said)
    return int(number)


def database(stack: Stack) -> Path:
    return stack.settings.directory / "state" / "lambda-matrix.db"


async def bot_is_in(chatting: Chatting, room: RoomId) -> bool:
    members = await chatting.person.call("GET", "rooms", room, "joined_members")
    joined = members["joined"]
    assert isinstance(joined, dict)
    return chatting.bot in joined


async def test_after_leaving_and_forgetting_an_invite_begins_from_the_beginning(
    chatting: Chatting,
) -> None:
    stack = chatting.stack
    second = await chatting.new_chat()
    await chatting.ask("!set tools off")
    assert "`tools`: **off**" in (await chatting.ask("!settings")).text
    await chatting.ask("remember me")
    await chatting.ask("!save for later")
    number = await context_number(chatting)
    await stack.service.stop()
    said = await reset(stack, "--server-leave-forget", "--yes")
    assert not database(stack).exists()
    for told in ("2  unbound, left", "Spaces", "settings and saved conversations", "emptied"):
        assert told in said
    for room in (chatting.direct, chatting.space, chatting.chat, second):
        assert not await bot_is_in(chatting, room)
    assert "nothing to reset" in await reset(stack, "--server-leave-forget", "--yes")

    old = {chatting.space, chatting.chat, second}
    await stack.service.start()
    anew = await onboard(chatting.person, stack)
    assert old.isdisjoint({anew.space, anew.chat})
    assert (await anew.ask("hello")).text
    # Numbers go on: no agent meets an old one with a new conversation.
    assert await context_number(anew) > number + 1
    assert "Nothing is saved" in (await anew.ask("!context")).text
    assert "`tools`: **on**" in (await anew.ask("!settings")).text
    assert "Traceback" not in stack.service.log


async def test_a_local_reset_asks_nothing_of_the_homeserver(chatting: Chatting) -> None:
    stack = chatting.stack
    await chatting.ask("hello")
    await stack.service.stop()
    session = database(stack).with_name("session.json").read_bytes()
    asked = len(stack.proxy.exchanges)
    await reset(stack, "--local-only", "--dry-run")
    assert database(stack).exists()
    await reset(stack, "--local-only", "--yes")
    assert not database(stack).exists()
    assert database(stack).with_name("session.json").read_bytes() == session
    assert len(stack.proxy.exchanges) == asked
    # The next start restores from the homeserver what it knows.
    await stack.service.start()
    assert "before it you said: hello" in (await chatting.ask("again")).text


async def test_a_dry_run_changes_nothing(chatting: Chatting) -> None:
    stack = chatting.stack
    await stack.service.stop()
    there = state_files(stack)
    asked = len(stack.proxy.made(CHANGES))
    said = await reset(stack, "--server-leave-forget", "--dry-run")
    assert "Nothing was changed" in said
    assert chatting.chat in said
    assert state_files(stack) == there
    assert len(stack.proxy.made(CHANGES)) == asked
    await stack.service.start()
    await chatting.ask("hello")


@pytest.mark.parametrize("reach", ["--local-only", "--server-leave-forget"])
async def test_it_is_refused_while_the_service_runs(chatting: Chatting, reach: str) -> None:
    said = await reset(chatting.stack, reach, "--yes", status=75)
    assert "Another lambda-matrix is running" in said
    await chatting.ask("hello")


async def test_killed_in_the_middle_it_is_given_again_and_goes_on(chatting: Chatting) -> None:
    stack = chatting.stack
    await chatting.ask("hello")
    await stack.service.stop()
    for pattern in (r"^PUT .*/account_data/", LEAVE, r"^POST .*/forget$"):
        for answer in (False, True):  # before the homeserver has done it, and after
            hold = Hold(answer=answer)
            rule = stack.proxy.spoil(pattern, hold, times=1)
            killed = Command(stack, "reset", "--server-leave-forget", "--yes")
            with trio.fail_after(30):
                await hold.caught.wait()
            killed.child.kill()
            await killed.child.wait()
            stack.proxy.mend(rule)
    assert database(stack).exists()
    await reset(stack, "--server-leave-forget", "--yes")
    assert not database(stack).exists()
    for room in (chatting.direct, chatting.space, chatting.chat):
        assert not await bot_is_in(chatting, room)
    assert "nothing to reset" in await reset(stack, "--server-leave-forget", "--yes")


async def test_interrupted_it_says_how_to_go_on(chatting: Chatting) -> None:
    stack = chatting.stack
    await stack.service.stop()
    hold = Hold()
    stack.proxy.spoil(LEAVE, hold, times=1)
    command = Command(stack, "reset", "--server-leave-forget", "--yes")
    with trio.fail_after(30):
        await hold.caught.wait()
    command.child.terminate()
    status, said = await command.end()
    assert status == 130
    assert "Run the command again to go on." in said
    stack.proxy.mend()
    await reset(stack, "--server-leave-forget", "--yes")


async def test_a_rate_limit_is_waited_out_and_told(chatting: Chatting) -> None:
    stack = chatting.stack
    await stack.service.stop()
    stack.proxy.spoil(LEAVE, rate_limited(200), times=2)
    said = await reset(stack, "--server-leave-forget", "--yes")
    assert said.count("limits how fast") == 1
    assert not await bot_is_in(chatting, chatting.chat)


async def test_without_a_terminal_nothing_is_done_unasked(chatting: Chatting) -> None:
    stack = chatting.stack
    await stack.service.stop()
    asked = len(stack.proxy.exchanges)
    said = await reset(stack, "--server-leave-forget", status=2)
    assert "There is no terminal to ask on." in said
    assert database(stack).exists()
    assert len(stack.proxy.exchanges) == asked
