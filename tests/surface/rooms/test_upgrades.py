"""Rooms that were upgraded: followed if everything fits, and nothing lost or said twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.ids import RoomId
from tests.lab.proxy import Answer, Hold, bad_gateway
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import SEND, TEXTS, Lab, Service, in_steps, open_lab
from tests.surface.commands.test_archive import BINDING, FORBIDDEN, children
from tests.surface.commands.test_bind import MENTION
from tests.surface.rooms.test_onboarding import onboarded

STEPS = ("POST .*/join/", r"GET .*/state/m\.room\.create", "GET .*/messages")
"""What is asked of the homeserver on the way."""


def upgrade(lab: Lab, room_id: RoomId) -> RoomId:
    """Anna upgrades the room, and her client invites the bot to the new one."""
    new = lab.homeserver.upgrade(room_id, ANNA)
    lab.homeserver.member(new, BOT, "invite", ANNA)
    return new


async def moved(lab: Lab, new: RoomId) -> None:
    await lab.homeserver.wait(lambda: TEXTS.rooms.moved_here in lab.homeserver.bodies(new))


async def declined(lab: Lab, old: RoomId) -> None:
    await lab.homeserver.wait(lambda: TEXTS.rooms.not_moved in lab.homeserver.bodies(old))


def binding(lab: Lab, room_id: RoomId) -> dict[str, Any]:
    return lab.homeserver.room_account_data[room_id, BINDING]


async def test_a_chat_goes_on_in_the_new_room(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        await service.ask("Hello?", chat)
        before = binding(lab, chat)
        new = upgrade(lab, chat)
        await moved(lab, new)
        assert children(lab, space) == [new]
        assert binding(lab, chat) == {}
        after = binding(lab, new)
        same = ("owner", "agent", "platform_chat_id", "archived", "own_threads")
        assert {key: after[key] for key in same} == {key: before[key] for key in same}
        (stretch,) = after["loaded"]
        assert stretch["room_id"] == chat
        assert await service.ask("Still you?", new) == "Answer to Still you?"
        first, second = (run.input["threadId"] for run in lab.agent.runs)
        assert first == second
        assert new in await service.ask("!chats", lobby)
        assert chat not in await service.ask("!chats", lobby)
        assert new in await service.ask("And here?", chat)
        assert lab.homeserver.rooms[chat].membership(BOT) == "join"


async def test_a_clear_in_between_is_not_undone(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        await service.ask("Hello?", chat)
        hold = Hold()
        rule = lab.proxy.spoil("GET .*/messages", hold)
        new = upgrade(lab, chat)
        await hold.caught.wait()
        assert await service.ask("!clear", chat) == TEXTS.contexts.cleared
        cleared = binding(lab, chat)["platform_chat_id"]
        lab.proxy.mend(rule)
        await moved(lab, new)
        await service.ask("Who are you?", new)
        first, second = (run.input["threadId"] for run in lab.agent.runs)
        assert first != second
        assert second == str(cleared)
        assert binding(lab, new)["platform_chat_id"] == cleared


async def test_twice_in_a_row(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, space, chat = await onboarded(lab)
        second = upgrade(lab, chat)
        await moved(lab, second)
        third = upgrade(lab, second)
        await moved(lab, third)
        assert children(lab, space) == [third]
        assert [each["room_id"] for each in binding(lab, third)["loaded"]] == [chat, second]
        assert await service.ask("Hello?", third) == "Answer to Hello?"


async def test_a_homeserver_that_fails_for_long_archives_nothing(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, _, chat = await onboarded(lab)
        rules = [lab.proxy.spoil(f"{each}.*", Answer(500, b"{}")) for each in STEPS]
        new = upgrade(lab, chat)
        for rule in rules:
            await trio.sleep(600)
            lab.proxy.mend(rule)
        await moved(lab, new)
        assert TEXTS.rooms.not_moved not in lab.homeserver.bodies(chat)


async def test_what_runs_and_what_waits_is_answered_there_once(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, _, chat = await onboarded(lab)
        lab.agent.behave = in_steps("Half", " and whole", pause=30)
        running, waiting = (lab.homeserver.say(chat, ANNA, text) for text in ("One?", "Two?"))
        await lab.homeserver.wait(lambda: bool(lab.homeserver.about(chat, running)))
        new = upgrade(lab, chat)
        for question in (running, waiting):
            assert await lab.homeserver.answer(new, question) == "Half and whole"
        await trio.sleep(60)
        for question in (running, waiting):
            assert lab.homeserver.finals(chat, question) == []
            assert len(lab.homeserver.finals(new, question)) == 1
        assert not any("Half" in body for body in lab.homeserver.bodies(chat))


async def test_what_the_old_room_refuses_goes_to_the_new_one(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        rule = lab.proxy.spoil(SEND, bad_gateway(), times=100)
        question = lab.homeserver.say(chat, ANNA, "Hello?")
        await lab.proxy.wait_made(SEND, len(lab.puts()) + 1)  # committed, and on its way
        lab.proxy.mend(rule)
        lab.proxy.spoil(f"PUT .*{chat[1:6]}.*/send/", FORBIDDEN, times=100)
        new = upgrade(lab, chat)
        assert await lab.homeserver.answer(new, question) == "Answer to Hello?"
        await trio.sleep(60)
        assert lab.homeserver.finals(chat, question) == []
        assert len(lab.homeserver.finals(new, question)) == 1
        assert await service.ask("And now?", new) == "Answer to And now?"


@pytest.mark.parametrize("why", ["predecessor", "creator", "type", "power"])
async def test_an_upgrade_that_does_not_fit_archives_the_chat(
    clock: MockClock, tmp_path: Path, why: str
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, space, chat = await onboarded(lab)
        homeserver = lab.homeserver
        content: dict[str, Any] = {"predecessor": {"room_id": chat}}
        if why == "predecessor":
            content = {"predecessor": {"room_id": space}}
        elif why == "type":
            content["type"] = "m.space"
        new = homeserver._new_room(BORIS if why == "creator" else ANNA, content)
        homeserver.member(new, ANNA, "join", ANNA)
        homeserver.member(new, BOT, "invite", ANNA)
        author = BORIS if why == "power" else ANNA
        tombstone = {"replacement_room": new}
        homeserver.add(chat, "m.room.tombstone", tombstone, author, state_key="")
        await declined(lab, chat)
        assert binding(lab, chat)["archived"] is True
        assert children(lab, space) == []
        assert await service.ask("Hello?", chat) == TEXTS.rooms.archived_question
        said = homeserver.say(new, ANNA, "Hello?", **MENTION)
        assert TEXTS.rooms.moved_here not in homeserver.bodies(new)
        assert await homeserver.answer(new, said) != "Answer to Hello?"


async def test_without_its_owner_a_chat_does_not_move(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        levels = {"users": {BORIS: 100}}
        lab.homeserver.add(chat, "m.room.power_levels", levels, BOT, state_key="")
        new = lab.homeserver.upgrade(chat, BORIS)
        lab.homeserver.member(new, BOT, "invite", BORIS)
        await declined(lab, chat)
        assert await service.ask("!unarchive", chat) == TEXTS.rooms.unarchived
        assert await service.ask("Hello?", chat) == "Answer to Hello?"


async def test_an_invite_that_comes_late_is_waited_for(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        new = lab.homeserver.upgrade(chat, ANNA)
        await lab.homeserver.wait(lambda: TEXTS.rooms.not_invited in lab.homeserver.bodies(chat))
        assert await service.ask("Hello?", chat) == "Answer to Hello?"
        lab.homeserver.member(new, BOT, "invite", ANNA)
        await moved(lab, new)
        assert await service.ask("Hello?", new) == "Answer to Hello?"
        assert len(lab.homeserver.sent(new)) == 2


async def test_a_space_is_followed_with_all_that_is_in_it(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        archived = await _another(service, lobby, chat)
        assert await service.ask("!archive", archived) == TEXTS.rooms.archived
        new = lab.homeserver._new_room(ANNA, {"predecessor": {"room_id": space}, "type": "m.space"})
        tombstone = {"replacement_room": new}
        lab.homeserver.add(space, "m.room.tombstone", tombstone, ANNA, state_key="")
        lab.homeserver.member(new, BOT, "invite", ANNA)
        await lab.homeserver.wait(lambda: children(lab, new) == [chat])
        await trio.sleep(1)
        assert new in await service.ask("Where?", lobby)
        assert await service.ask("!unarchive", archived) == TEXTS.rooms.unarchived
        assert sorted(children(lab, new)) == sorted([chat, archived])
        again = lab.homeserver.direct_chat(ANNA)
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(again)))
        assert len(lab.homeserver.created) == 3


async def test_a_space_that_does_not_fit_stays(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        new = lab.homeserver.upgrade(space, ANNA)  # no Space
        lab.homeserver.member(new, BOT, "invite", ANNA)
        await lab.homeserver.wait(
            lambda: TEXTS.rooms.space_not_moved in lab.homeserver.bodies(chat)
        )
        assert space in await service.ask("Where?", lobby)
        assert await service.ask("Hello?", chat) == "Answer to Hello?"


@pytest.mark.parametrize(
    "step", ["POST .*/join/", f"PUT .*/{BINDING}", r"PUT .*/state/m\.space\.child/"]
)
@pytest.mark.parametrize("answer", [False, True])
async def test_a_crash_at_any_step_moves_it_all_the_same(
    clock: MockClock, tmp_path: Path, step: str, *, answer: bool
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold(answer=answer)
        async with lab.service():
            _, space, chat = await onboarded(lab)
            rule = lab.proxy.spoil(step, hold)
            new = upgrade(lab, chat)
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service() as service:
            await moved(lab, new)
            assert await service.ask("Hello?", new) == "Answer to Hello?"
            assert children(lab, space) == [new]
            assert binding(lab, chat) == {}
        assert lab.homeserver.bodies(new).count(TEXTS.rooms.moved_here) == 1


async def _another(service: Service, lobby: RoomId, chat: RoomId) -> RoomId:
    """A second chat of Anna's."""
    await service.ask("!new", lobby)
    (room,) = {*service.lab.homeserver.rooms_of_kind(ANNA, "chat")} - {chat}
    return room
