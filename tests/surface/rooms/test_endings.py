"""Chats that their owner ends for good."""

from __future__ import annotations

from pathlib import Path

import trio
from sqlite_utils import Database
from trio.testing import MockClock

from lambda_matrix.ids import RoomId
from lambda_matrix.store.records import RoomKind
from lambda_matrix.store.topology import rooms
from tests.lab.proxy import Answer, Hold, bad_gateway
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import SEND, TEXTS, Lab, Service, in_steps, open_lab
from tests.surface.commands.test_archive import BINDING, FORBIDDEN, children
from tests.surface.rooms.test_onboarding import onboarded


async def is_over(lab: Lab, room_id: RoomId) -> None:
    """Wait until the bot has left the room, and nothing of it is kept."""
    homeserver = lab.homeserver
    await homeserver.wait(lambda: room_id in homeserver.forgotten)
    assert homeserver.rooms[room_id].membership(BOT) == "leave"
    assert homeserver.room_account_data[room_id, BINDING] == {}
    assert homeserver.bodies(room_id)[-1] == TEXTS.rooms.deleted


async def delete(service: Service, room_id: RoomId) -> None:
    """Anna ends the chat."""
    prompt = await service.ask("!delete", room_id)
    assert "delete" in prompt
    service.lab.homeserver.say(room_id, ANNA, "!yes")


def _kept(db: Database) -> tuple[int, int]:
    return db.table("contexts").count, db.table("messages").count


async def test_a_deleted_chat_is_said_goodbye_to_and_left(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        await service.ask("Hello?", chat)
        await delete(service, chat)
        await is_over(lab, chat)
        assert children(lab, space) == []
        assert await service.ask("!chats", lobby) == TEXTS.rooms.chats(())
        room = await service.store.transact(rooms.room, chat)
        assert room is not None
        assert (room.kind, room.owner, room.ended) == (RoomKind.UNREGISTERED, None, False)
        assert await service.store.transact(_kept) == (0, 0)


async def test_nothing_more_is_answered_there(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        lab.agent.behave = in_steps("Half", "Whole", pause=60)
        running, waiting = (lab.homeserver.say(chat, ANNA, text) for text in ("One?", "Two?"))
        await lab.homeserver.wait(lambda: bool(lab.homeserver.about(chat, running)))
        rule = lab.proxy.spoil(SEND, bad_gateway(), times=1000)
        lab.homeserver.say(chat, ANNA, "!delete")
        lab.homeserver.say(chat, ANNA, "!yes")
        await lab.homeserver.wait(lambda: len(lab.proxy.made(r"PUT .*/redact/")) > 0)
        late = lab.homeserver.say(chat, ANNA, "Three?")
        await service.caught_up()
        await trio.sleep(30)
        assert chat not in lab.homeserver.forgotten  # the farewell is still to be said
        lab.proxy.mend(rule)
        await is_over(lab, chat)
        for question in (running, waiting, late):
            assert lab.homeserver.finals(chat, question) == []
        assert "Half" not in lab.homeserver.bodies(chat)
        assert lab.agent.questions == ["One?"]


async def test_nothing_more_is_answered_that_came_all_at_once(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service():
            _, _, chat = await onboarded(lab)
        for command in ("!delete", "!yes"):
            lab.homeserver.say(chat, ANNA, command)
        late = lab.homeserver.say(chat, ANNA, "Three?"), lab.homeserver.say(chat, ANNA, "!context")
        async with lab.service():
            await is_over(lab, chat)
        assert lab.agent.questions == []
        assert [lab.homeserver.about(chat, each) for each in late] == [[], []]


async def test_a_crash_in_between_ends_it_all_the_same(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold(answer=True)
        async with lab.service() as service:
            _, space, chat = await onboarded(lab)
            rule = lab.proxy.spoil("POST .*/leave", hold)
            await delete(service, chat)
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            await is_over(lab, chat)
        assert lab.homeserver.bodies(chat).count(TEXTS.rooms.deleted) == 1
        assert children(lab, space) == []


async def test_what_the_homeserver_refuses_ends_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, _, chat = await onboarded(lab)
        for request in (r"PUT .*/state/m\.space\.child/", "POST .*/leave"):
            lab.proxy.spoil(request, FORBIDDEN, times=2)
        await delete(service, chat)
        await lab.homeserver.wait(lambda: chat in lab.homeserver.forgotten)
        assert await service.ask("!chats", lobby) == TEXTS.rooms.chats(())


async def test_a_homeserver_that_fails_for_long_is_asked_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        rule = lab.proxy.spoil("POST .*/leave", Answer(500, b"{}"))
        await delete(service, chat)
        await trio.sleep(600)
        assert chat not in lab.homeserver.forgotten
        lab.proxy.mend(rule)
        await is_over(lab, chat)


async def test_only_its_owner_ends_a_chat(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room = await service.new_chat(ANNA, BORIS)
        command = lab.homeserver.say(room, BORIS, "!delete")
        assert await lab.homeserver.answer(room, command) == TEXTS.rooms.owner_only
        await service.ask("!delete", room)
        assert await service.ask("!no", room) == TEXTS.rooms.kept


async def test_a_new_chat_follows_a_deleted_one(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        await delete(service, chat)
        await is_over(lab, chat)
        lab.homeserver.say(lobby, ANNA, "!new")
        await lab.homeserver.wait(lambda: len(children(lab, space)) == 1)
        (fresh,) = children(lab, space)
        assert await service.ask("Hello?", RoomId(fresh)) == "Answer to Hello?"
        threads = {run.input["threadId"] for run in lab.agent.runs}
        assert lab.homeserver.room_account_data[RoomId(fresh), BINDING]["platform_chat_id"]
        assert len(threads) == 1
