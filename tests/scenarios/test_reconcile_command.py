"""`lambda-matrix reconcile`: what differs is shown and repaired, without going live."""

from __future__ import annotations

import pytest
import trio

from tests.lab.chatting import Chatting, Stack
from tests.lab.commands import Command, state_files
from tests.lab.proxy import Answer, Hold, Rewrite

pytestmark = pytest.mark.long

CHANGES = r"^(PUT|POST|DELETE) "
FILTER = r"^POST .*/filter$"
BINDING = r"^PUT .*/account_data/ru\.coredump\.lambda\.binding$"
AGREE = "Both agree: there is nothing to repair."


async def reconcile(stack: Stack, *arguments: str, status: int = 0) -> list[str]:
    """Reconcile; return the lines that were said, once it has ended with this exit status."""
    ended, said = await Command(stack, "reconcile", *arguments).end()
    assert ended == status, said
    assert "Traceback" not in said
    return [" ".join(line.split()) for line in said.splitlines()]


def delete_database(stack: Stack) -> None:
    for path in state_files(stack):
        if path.name.startswith("lambda-matrix.db"):
            path.unlink()


async def test_both_agree_whatever_happened_at_once(chatting: Chatting) -> None:
    # The chat was put into the Space while its owner joined it: neither event knows of the other.
    await chatting.stack.service.stop()
    for manner in (["--dry-run"], [], ["--dry-run"]):
        assert AGREE in await reconcile(chatting.stack, *manner)


async def test_a_deleted_database_is_restored_without_going_live(chatting: Chatting) -> None:
    stack = chatting.stack
    second = await chatting.new_chat()
    await chatting.ask("remember me")
    await chatting.ask("!save for later")
    await chatting.ask("!archive", second)
    await stack.service.stop()
    assert AGREE in await reconcile(stack)
    delete_database(stack)
    question = await chatting.say("are you there?")

    said = await reconcile(stack)
    for line in (
        "chats 2 0",
        "archived chats 1 0",
        "saved conversations 1 0",
        "Spaces restored 1 0",
        "chats restored 2 0",
    ):
        assert line in said
    assert AGREE in await reconcile(stack)
    assert not stack.proxy.made(r"^PUT .*/send/m\.room\.message/")[-1].body.count(b"are you there")
    assert chatting.view.answer(question, chatting.bot) is None

    await stack.service.start()
    assert "remember me" in (await chatting.answer(question)).text
    assert "archived" in (await chatting.ask("!chats")).text
    assert "for later" in (await chatting.ask("!context")).text


async def test_a_dry_run_writes_nothing_anywhere(chatting: Chatting) -> None:
    stack = chatting.stack
    await chatting.ask("hello")
    await stack.service.stop()
    delete_database(stack)
    before, asked = state_files(stack), len(stack.proxy.exchanges)
    said = await reconcile(stack, "--dry-run")
    assert "chats restored 1" in said
    assert "Nothing was changed (--dry-run)." in said
    assert state_files(stack) == before
    made = stack.proxy.exchanges[asked:]
    assert made
    assert [one for one in made if one.matches(CHANGES) and not one.matches(FILTER)] == []
    await stack.service.start()
    await chatting.ask("hello again")


async def test_a_refused_repair_is_told_and_tried_again(chatting: Chatting) -> None:
    stack = chatting.stack
    await chatting.ask("hello")
    await stack.service.stop()
    # As if the homeserver had lost the binding, and takes no other.
    hidden = Rewrite(rb"ru\.coredump\.lambda\.binding", b"ru.coredump.lambda.nothing")
    stack.proxy.spoil("^GET .*/sync", hidden)
    refusal = stack.proxy.spoil(
        BINDING, Answer(403, b'{"errcode": "M_FORBIDDEN", "error": "not now"}')
    )
    said = await reconcile(stack, status=77)
    assert "bindings put on the homeserver again 0 1" in said
    assert any("not now" in line for line in said)
    stack.proxy.mend(refusal)
    assert "bindings put on the homeserver again 1 0" in await reconcile(stack)
    stack.proxy.mend()
    said = await reconcile(stack)
    assert AGREE in said, "\n".join(said)


async def test_killed_at_any_request_it_is_given_again(chatting: Chatting) -> None:
    stack = chatting.stack
    await chatting.ask("hello")
    await stack.service.stop()
    delete_database(stack)
    for pattern in ("^POST .*/filter$", "^GET .*/sync", "^GET .*/joined_rooms"):
        hold = Hold(answer=True)
        rule = stack.proxy.spoil(pattern, hold, times=1)
        killed = Command(stack, "reconcile")
        with trio.fail_after(30):
            await hold.caught.wait()
        killed.child.kill()
        await killed.child.wait()
        stack.proxy.mend(rule)
    assert "chats restored 1 0" in await reconcile(stack)
    await stack.service.start()
    await chatting.ask("hello again")


async def test_it_is_refused_while_the_service_runs(chatting: Chatting) -> None:
    for manner in ([], ["--dry-run"]):
        said = await reconcile(chatting.stack, *manner, status=75)
        assert any("Another lambda-matrix is running" in line for line in said)
    await chatting.ask("hello")
