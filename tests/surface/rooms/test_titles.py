"""Chats that nobody has named are named after their first question."""

from __future__ import annotations

from pathlib import Path

from trio.testing import MockClock

from lambda_matrix.ids import RoomId
from lambda_matrix.store.topology import chats, rooms
from lambda_matrix.store.topology.chats import LOOKED_AT_FOR_A_NAME
from tests.lab.proxy import Hold, bad_gateway
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import TEXTS, Lab, open_lab
from tests.surface.commands.test_archive import FORBIDDEN
from tests.surface.rooms.test_onboarding import onboarded

NAME = r"PUT .*/state/m\.room\.name/"


def name(lab: Lab, room_id: RoomId) -> str:
    """What the room is called."""
    (event,) = (e for e in lab.homeserver.rooms[room_id].state() if e["type"] == "m.room.name")
    text: str = event["content"]["name"]
    return text


async def test_the_first_question_that_has_a_title_gives_it(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, _, chat = await onboarded(lab)
        assert name(lab, chat) == TEXTS.rooms.chat_name(1)
        await service.ask("?!", chat)
        await service.ask("Why is the **sky** blue?", chat)
        await lab.homeserver.wait(lambda: name(lab, chat) == "Why is the sky blue?")
        await service.ask("And the sea?", chat)
        await service.caught_up()
        assert "Why is the sky blue?" in await service.ask("!chats", lobby)
        assert len(lab.proxy.made(NAME)) == 1


async def test_a_chat_of_pictures_keeps_its_name(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        for number in range(LOOKED_AT_FOR_A_NAME):
            room = await service.store.transact(rooms.room, chat)
            assert room is not None
            assert room.untitled, number
            await service.ask("?!", chat)
        await service.ask("Why is the sky blue?", chat)
        await service.caught_up()
        assert name(lab, chat) == TEXTS.rooms.chat_name(1)
        assert await service.store.transact(chats.to_be_named) == ()


async def test_who_named_it_meanwhile_is_right(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        lab.homeserver.add(chat, "m.room.name", {"name": "Mine"}, ANNA, state_key="")
        await service.ask("Why is the sky blue?", chat)
        await service.caught_up()
        assert name(lab, chat) == "Mine"
        assert lab.proxy.made(NAME) == []


async def test_a_name_that_was_asked_for_stays(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        await service.ask("!new Garden", chat)
        (garden,) = {*lab.homeserver.rooms_of_kind(ANNA, "chat")} - {chat}
        await service.ask("Why is the sky blue?", garden)
        assert await service.ask("!rename Sky", chat) == TEXTS.rooms.renamed("Sky")
        await service.ask("Why is the sky blue?", chat)
        await service.caught_up()
        assert (name(lab, garden), name(lab, chat)) == ("Garden", "Sky")


async def test_a_refused_name_is_let_go(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        lab.proxy.spoil(NAME, FORBIDDEN)
        await service.ask("Why is the sky blue?", chat)
        await service.ask("And the sea?", chat)
        await service.caught_up()
        room = await service.store.transact(rooms.room, chat)
        assert room is not None
        assert not room.untitled
        assert len(lab.proxy.made(NAME)) == 1
        assert await service.ask("!rename Sky", chat) == TEXTS.rooms.rename_refused


async def test_a_homeserver_that_is_away_is_waited_for(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        lab.proxy.spoil(NAME, bad_gateway(), times=3)
        await service.ask("Why is the sky blue?", chat)
        await lab.homeserver.wait(lambda: name(lab, chat) == "Why is the sky blue?")


async def test_a_crash_in_between_names_it_all_the_same(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold()
        async with lab.service() as service:
            _, _, chat = await onboarded(lab)
            rule = lab.proxy.spoil(NAME, hold)
            await service.ask("Why is the sky blue?", chat)
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            await lab.homeserver.wait(lambda: name(lab, chat) == "Why is the sky blue?")
