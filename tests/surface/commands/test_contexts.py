"""`!clear`, `!context`: the contexts of chats and of threads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.ids import EventId, PlatformChatId, RoomId
from lambda_matrix.store import people
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.people import Pick
from lambda_matrix.store.questions import confirmations
from lambda_matrix.store.records import Confirmation, Context, Room
from lambda_matrix.store.topology.rooms import room
from tests.lab.proxy import Answer
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import TEXTS, Lab, Service, open_lab, say_nothing

BINDING = "ru.coredump.lambda.binding"
SAYS = TEXTS.contexts


async def room_of(service: Service, room_id: RoomId | None = None) -> Room:
    found = await service.store.transact(room, room_id or service.room)
    assert found is not None
    return found


async def context_of(service: Service) -> Context:
    number = (await room_of(service)).platform_chat_id
    assert number is not None
    found = await service.store.transact(contexts.context, number)
    assert found is not None
    return found


def threads(lab: Lab) -> list[int]:
    """The contexts of the agent's runs so far."""
    return [int(run.input["threadId"]) for run in lab.agent.runs]


def in_thread(root: EventId) -> dict[str, Any]:
    return {"m.relates_to": {"rel_type": "m.thread", "event_id": root}}


async def test_clear_gives_this_room_a_number_that_was_never_used(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        await service.ask("Hello?")
        before, others = await context_of(service), await room_of(service, other)
        clear = lab.homeserver.say(service.room, ANNA, "!clear")
        assert await lab.homeserver.answer(service.room, clear) == SAYS.cleared
        after = await context_of(service)
        assert after.platform_chat_id != before.platform_chat_id
        assert (after.since_event, after.loaded, after.message_count) == (clear, (), 0)
        kept = lab.homeserver.room_account_data[service.room, BINDING]
        assert (kept["platform_chat_id"], kept["since_event"]) == (after.platform_chat_id, clear)
        assert (await room_of(service, other)) == others
        await service.ask("!clear")
        await service.ask("Hello again?")
        last = (await context_of(service)).platform_chat_id
        assert threads(lab) == [before.platform_chat_id, last]
        assert len({before.platform_chat_id, after.platform_chat_id, last}) == 3


async def test_a_question_said_right_after_clear_is_of_the_new_context(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.homeserver.say(service.room, ANNA, "!clear")
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        await lab.homeserver.answer(service.room, question)
        assert threads(lab) == [(await context_of(service)).platform_chat_id]


async def test_clear_stops_what_runs_and_leaves_what_waits_its_context(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        old = (await context_of(service)).platform_chat_id
        lab.agent.behave = say_nothing
        first = lab.homeserver.say(service.room, ANNA, "One")
        run = await lab.agent.run()
        second = lab.homeserver.say(service.room, ANNA, "Two")
        await service.caught_up()
        assert await service.ask("!clear") == SAYS.cleared
        assert await lab.homeserver.answer(service.room, first) == TEXTS.answers.stopped
        with trio.fail_after(60):
            await run.closed.wait()
        await lab.agent.run(2)
        assert await service.ask("!stop") == TEXTS.questions.stopped
        await lab.homeserver.answer(service.room, second)
        assert threads(lab) == [old, old]
        lab.homeserver.say(service.room, ANNA, "Three")
        await lab.agent.run(3)
        assert threads(lab)[2] == (await context_of(service)).platform_chat_id


async def test_clear_ends_what_is_asked_and_listed_in_the_room(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        asked = Confirmation(user_id=BORIS, room_id=service.room, kind="delete", expires_at=9e9)
        elsewhere = evolve(asked, room_id=RoomId("!elsewhere"))
        for each in (asked, elsewhere):
            await service.store.transact(confirmations.ask, each)
        pick = Pick("load", ("a",))
        await service.store.transact(people.offer_pick, BORIS, service.room, pick)
        await service.ask("!clear")
        pending = confirmations.pending
        assert await service.store.transact(pending, BORIS, service.room) is None
        assert await service.store.transact(pending, BORIS, elsewhere.room_id) is not None
        assert await service.store.transact(people.open_pick, BORIS, service.room) is None


async def test_only_the_owner_clears(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        service.room = await service.new_chat(ANNA, BORIS)
        before = await context_of(service)
        for command in ("!clear", "!save", "!load", "!load 1"):
            said = lab.homeserver.say(service.room, BORIS, command)
            reply = await lab.homeserver.answer(service.room, said)
            assert reply == TEXTS.rooms.owner_only
        assert await context_of(service) == before


async def test_a_refusal_of_the_homeserver_leaves_everything_as_it_was(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        before = await context_of(service)
        refusal = Answer(403, b'{"errcode": "M_FORBIDDEN", "error": "no"}')
        lab.proxy.spoil(rf"PUT .*/account_data/{BINDING}", refusal)
        assert await service.ask("!clear") == TEXTS.rooms.refused
        assert await context_of(service) == before
        await service.ask("Hello?")
        assert threads(lab) == [before.platform_chat_id]


async def test_context_tells_what_is_remembered(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history="client")
        async with lab.chat() as service:
            number = (await context_of(service)).platform_chat_id
            text = await service.ask("!context")
            assert lab.entry.name in text
            assert str(number) in text
            assert "200 messages" in text


async def test_threads_have_the_chats_context_unless_it_is_set_so(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        root = lab.homeserver.say(service.room, ANNA, "Root")
        await lab.homeserver.answer(service.room, root)

        async def ask_in_thread(text: str, of: EventId = root) -> str:
            question = lab.homeserver.say(service.room, ANNA, text, **in_thread(of))
            return await lab.homeserver.answer(service.room, question)

        await ask_in_thread("Shared?")
        chats = (await context_of(service)).platform_chat_id
        await service.ask("!set threads own")
        await ask_in_thread("Own?")
        await ask_in_thread("Still?")
        await service.ask("Outside?")
        first = threads(lab)
        own = PlatformChatId(first[2])
        assert first == [chats, chats, own, own, chats]
        assert own != chats
        kept = lab.homeserver.room_account_data[service.room, BINDING]
        assert kept["threads"] == {root: own}
        assert f"{own}" in await ask_in_thread("!context")
        assert f"{chats}" in await ask_in_thread("!context", EventId("$another"))

        assert await ask_in_thread("!clear") == SAYS.cleared
        await ask_in_thread("Fresh?")
        await service.ask("Outside again?")
        *_, fresh, outside = threads(lab)
        assert fresh not in first
        assert outside == chats
        kept = lab.homeserver.room_account_data[service.room, BINDING]
        assert kept["threads"] == {root: fresh}
        assert kept["platform_chat_id"] == chats


async def test_what_was_restored_is_counted_before_it_is_told(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("Hello?")
        for command in ("!context", "!settings"):
            await service.change("DELETE FROM messages")
            await service.change("UPDATE contexts SET is_whole = 0, message_count = 0")
            assert "2 messages" in await service.ask(command)
            # Counted once: what is asked again is not read again.
            assert (await context_of(service)).is_whole
