"""`!archive` and `!unarchive`."""

from __future__ import annotations

import json
from pathlib import Path

from trio.testing import MockClock

from lambda_matrix.ids import RoomId
from tests.lab.proxy import Answer, Hold
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import TEXTS, Lab, in_steps, open_lab
from tests.surface.rooms.test_onboarding import onboarded

BINDING = "ru.coredump.lambda.binding"
CHILD = r"PUT .*/state/m\.space\.child/"
FORBIDDEN = Answer(403, json.dumps({"errcode": "M_FORBIDDEN", "error": "no"}).encode())


def children(lab: Lab, space: RoomId) -> list[str]:
    """The rooms that stand in a Space."""
    state = lab.homeserver.rooms[space].state()
    links = [event for event in state if event["type"] == "m.space.child"]
    return [event["state_key"] for event in links if event["content"].get("via")]


async def test_an_archived_chat_leaves_the_space_and_comes_back(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        assert await service.ask("!archive", chat) == TEXTS.rooms.archived
        assert children(lab, space) == []
        assert lab.homeserver.room_account_data[chat, BINDING]["archived"] is True
        assert await service.ask("Hello?", chat) == TEXTS.rooms.archived_question
        assert await service.ask("!archive", chat) == TEXTS.rooms.already_archived
        assert "archived" in await service.ask("!chats", lobby)
        assert lab.agent.runs == []
        assert await service.ask("!unarchive", chat) == TEXTS.rooms.unarchived
        assert children(lab, space) == [chat]
        assert lab.homeserver.room_account_data[chat, BINDING]["archived"] is False
        assert await service.ask("Hello?", chat) == "Answer to Hello?"
        assert await service.ask("!unarchive", chat) == TEXTS.rooms.not_archived


async def test_archiving_stops_what_runs_and_what_waits(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("Half", "Whole", pause=60)
        questions = [lab.homeserver.say(service.room, ANNA, text) for text in ("One?", "Two?")]
        await lab.agent.run()
        assert await service.ask("!archive") == TEXTS.rooms.archived
        for question in questions:
            assert "topped" in await lab.homeserver.answer(service.room, question)
        assert lab.agent.questions == ["One?"]


async def test_a_space_that_refuses_leaves_everything_as_it_was(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, space, chat = await onboarded(lab)
        lab.proxy.spoil(CHILD, FORBIDDEN)
        assert await service.ask("!archive", chat) == TEXTS.rooms.refused
        assert children(lab, space) == [chat]
        assert lab.homeserver.room_account_data[chat, BINDING]["archived"] is False
        assert await service.ask("Hello?", chat) == "Answer to Hello?"


async def test_a_crash_in_between_archives_all_the_same(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold(answer=True)
        async with lab.service():
            _, space, chat = await onboarded(lab)
            rule = lab.proxy.spoil(f"PUT .*/account_data/{BINDING}", hold)
            command = lab.homeserver.say(chat, ANNA, "!archive")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service() as service:
            assert await lab.homeserver.answer(chat, command) == TEXTS.rooms.archived
            assert children(lab, space) == []
            assert await service.ask("Hello?", chat) == TEXTS.rooms.archived_question
        assert len(lab.homeserver.finals(chat, command)) == 1


async def test_only_the_owner_changes_a_shared_chat(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room = await service.new_chat(ANNA, BORIS)
        for command in ("!archive", "!rename Other", "!set threads own", "!agent main"):
            said = lab.homeserver.say(room, BORIS, command)
            assert await lab.homeserver.answer(room, said) == TEXTS.rooms.owner_only
        assert await service.ask("!archive", room) == TEXTS.rooms.archived
