"""`!bind`: a room that somebody else made becomes a chat."""

from __future__ import annotations

from pathlib import Path

import pytest
from trio.testing import MockClock

from lambda_matrix.ids import RoomId
from lambda_matrix.store.records import RoomKind
from lambda_matrix.surface.commands.order import PLACES
from tests.lab.proxy import Hold
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import TEXTS, Lab, open_lab
from tests.surface.commands.test_archive import BINDING, FORBIDDEN, children
from tests.surface.rooms.test_onboarding import onboarded


def strange_room(lab: Lab, *, levels: dict[str, object] | None = None) -> RoomId:
    """A room of Boris' in which Anna and the bot are, without an invite of its own."""
    homeserver = lab.homeserver
    room_id = homeserver.direct_chat(BORIS)
    homeserver.member(room_id, ANNA, "join", ANNA)
    homeserver.member(room_id, BOT, "join", BOT)
    if levels is not None:
        homeserver.add(room_id, "m.room.power_levels", levels, BORIS, state_key="")
    return room_id


MENTION: dict[str, object] = {"m.mentions": {"user_ids": [BOT]}}


async def test_a_strange_room_becomes_a_chat(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, space, chat = await onboarded(lab)
        room = strange_room(lab, levels={"users": {ANNA: 50}})
        homeserver = lab.homeserver
        hello = homeserver.say(room, ANNA, "Hello?", **MENTION)
        assert await homeserver.answer(room, hello) == TEXTS.onboarding.strange_room
        command = homeserver.say(room, ANNA, "!bind", **MENTION)
        assert await homeserver.answer(room, command) == TEXTS.rooms.bound
        assert sorted(children(lab, space)) == sorted([chat, room])
        binding = homeserver.room_account_data[room, BINDING]
        mark = homeserver.account_data["ru.coredump.lambda.sequence"]["highest"]
        assert (binding["owner"], binding["since_event"]) == (ANNA, command)
        assert binding["platform_chat_id"] == mark
        homeserver.say(room, ANNA, "Among ourselves")
        asked = homeserver.say(room, BORIS, "Who?", **MENTION)
        assert await homeserver.answer(room, asked) == "Answer to Who?"
        assert lab.agent.questions == ["Who?"]
        assert lab.agent.runs[0].input["threadId"] == str(mark)
        again = homeserver.say(room, ANNA, "!bind")
        assert await homeserver.answer(room, again) == TEXTS.rooms.already_bound


async def test_whoever_may_use_no_agent_binds_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(users=(BORIS,))
        async with lab.service():
            room = strange_room(lab, levels={"users": {ANNA: 50}})
            command = lab.homeserver.say(room, ANNA, "!bind", **MENTION)
            assert await lab.homeserver.answer(room, command) == TEXTS.settings.agents(())
            assert (room, BINDING) not in lab.homeserver.room_account_data


@pytest.mark.parametrize(
    ("levels", "bound"), [({"users": {ANNA: 49}}, False), ({"events": {"m.room.name": 0}}, True)]
)
async def test_it_takes_the_power_to_name_the_room(
    clock: MockClock, tmp_path: Path, levels: dict[str, object], *, bound: bool
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        room = strange_room(lab, levels=levels)
        command = lab.homeserver.say(room, ANNA, "!bind", **MENTION)
        expected = TEXTS.rooms.bound if bound else TEXTS.rooms.bind_needs_power
        assert await lab.homeserver.answer(room, command) == expected
        assert ((room, BINDING) in lab.homeserver.room_account_data) is bound


async def test_the_direct_chat_becomes_one_too(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        assert await service.ask("!bind", lobby) == TEXTS.rooms.bound
        assert await service.ask("Hello?", lobby) == "Answer to Hello?"
        assert sorted(children(lab, space)) == sorted([chat, lobby])


async def test_a_space_is_no_place_for_it(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, space, _ = await onboarded(lab)
        assert "!bind" in await service.ask("!bind", space)
        room = lab.homeserver.rooms[space]
        assert room.membership(BOT) == "join"
        assert "!rename" in await service.ask("!rename Other", space)


async def test_an_encrypted_room_cannot_be_bound(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby = lab.homeserver.direct_chat(ANNA, encrypted=True)
        await lab.homeserver.wait(lambda: len(lab.homeserver.sent(lobby)) > 1)
        assert "encrypted" in await service.ask("!bind", lobby)
        assert (lobby, BINDING) not in lab.homeserver.room_account_data


async def test_a_space_that_refuses_is_no_obstacle(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        lab.proxy.spoil(r"PUT .*/state/m\.space\.child/", FORBIDDEN)
        assert await service.ask("!bind", lobby) == TEXTS.rooms.bound
        assert children(lab, space) == [chat]
        assert await service.ask("Hello?", lobby) == "Answer to Hello?"


async def test_a_crash_in_between_binds_once(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold(answer=True)
        async with lab.service():
            lobby, _, _ = await onboarded(lab)
            rule = lab.proxy.spoil(f"PUT .*/account_data/{BINDING}", hold)
            command = lab.homeserver.say(lobby, ANNA, "!bind")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service() as service:
            assert await lab.homeserver.answer(lobby, command) == TEXTS.rooms.bound
            await service.ask("Hello?", lobby)
            number = lab.homeserver.room_account_data[lobby, BINDING]["platform_chat_id"]
            assert lab.agent.runs[0].input["threadId"] == str(number)
        assert len(lab.homeserver.finals(lobby, command)) == 1


def test_every_kind_of_room_is_a_kind_of_place() -> None:
    assert set(PLACES) == set(RoomKind)
