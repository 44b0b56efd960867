"""Invites: who is let in, who is told what, and nothing twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.ids import RoomId, UserId
from tests.lab.proxy import Answer, bad_gateway, rate_limited
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import MALLORY, POLICY, SEND, TEXTS, Lab, open_lab

FORBIDDEN = Answer(403, json.dumps({"errcode": "M_FORBIDDEN", "error": "no"}).encode())


async def onboarded(lab: Lab, owner: UserId = ANNA) -> tuple[RoomId, RoomId, RoomId]:
    """Invite the bot, wait until it has said where everything is: the lobby, Space and chat."""
    homeserver = lab.homeserver
    lobby = homeserver.direct_chat(owner)
    await homeserver.wait(lambda: bool(homeserver.sent(lobby)))
    space, chat = (homeserver.room_of_kind(owner, kind) for kind in ("space", "chat"))
    await homeserver.wait(lambda: bool(homeserver.sent(chat)))
    return lobby, space, chat


def links(lab: Lab, room_id: RoomId, kind: str) -> list[str]:
    return [e["state_key"] for e in lab.homeserver.rooms[room_id].state() if e["type"] == kind]


async def test_an_invite_gets_a_space_and_a_chat(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        homeserver = lab.homeserver
        assert homeserver.bodies(chat) == [TEXTS.onboarding.greeting_chat]
        (greeting,) = homeserver.bodies(lobby)
        assert TEXTS.rooms.space_name in greeting
        for room in (space, chat):
            assert homeserver.rooms[room].membership(ANNA) == "invite"
        assert links(lab, space, "m.space.child") == [chat]
        assert links(lab, chat, "m.space.parent") == [space]
        binding = homeserver.room_account_data[chat, "ru.coredump.lambda.binding"]
        assert binding["owner"] == ANNA
        mark = homeserver.account_data["ru.coredump.lambda.sequence"]["highest"]
        assert binding["platform_chat_id"] == mark
        homeserver.member(chat, ANNA, "join", ANNA)
        assert await service.ask("Hello?", chat) == "Answer to Hello?"


@pytest.mark.parametrize("is_direct", [True, False])
async def test_a_repeated_invite_points_to_what_is_there(
    clock: MockClock, tmp_path: Path, *, is_direct: bool
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, space, chat = await onboarded(lab)
        for room in (space, chat):
            lab.homeserver.member(room, ANNA, "join", ANNA)
        lobby = lab.homeserver.direct_chat(ANNA, is_direct=is_direct)
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(lobby)))
        await trio.sleep(60)
        assert len(lab.homeserver.created) == 2
        (way,) = lab.homeserver.bodies(lobby)
        assert (TEXTS.rooms.chat_name(1) in way) == is_direct
        assert ("!bind" in way) == (not is_direct)
        assert lab.homeserver.bodies(chat) == [TEXTS.onboarding.greeting_chat]


async def test_who_left_is_invited_again_when_they_ask_for_it(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, space, chat = await onboarded(lab)
        homeserver = lab.homeserver
        for room in (space, chat):
            homeserver.member(room, ANNA, "join", ANNA)
            homeserver.member(room, ANNA, "leave", ANNA)
        await trio.sleep(100)
        assert homeserver.rooms[space].membership(ANNA) == "leave", "not without being asked"
        lab.proxy.spoil("POST .*/invite", FORBIDDEN, times=1)
        homeserver.direct_chat(ANNA)
        await homeserver.wait(lambda: homeserver.rooms[chat].membership(ANNA) == "invite")


async def test_an_invite_that_is_still_open_is_not_made_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        await onboarded(lab)
        lobby = lab.homeserver.direct_chat(ANNA)
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(lobby)))
        await trio.sleep(60)
        assert not lab.proxy.made("POST .*/invite")
        (way,) = lab.homeserver.bodies(lobby)
        assert "Welcome back" not in way


async def test_who_may_not_is_told_with_the_refusal(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        homeserver = lab.homeserver
        lobby = homeserver.direct_chat(MALLORY)
        await homeserver.wait(lambda: homeserver.rooms[lobby].membership(BOT) == "leave")
        reason = homeserver.rooms[lobby].events[-1][1]["content"]["reason"]
        assert reason == TEXTS.onboarding.denied
        assert not lab.proxy.made("POST .*/join/")
        assert not homeserver.created


async def test_a_refusal_that_is_refused_is_no_fault(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.proxy.spoil("POST .*/leave", FORBIDDEN)
        lab.homeserver.direct_chat(MALLORY)
        await lab.proxy.wait_made("POST .*/leave")
        await trio.sleep(600)
        assert len(lab.proxy.made("POST .*/leave")) == 1
        assert "Traceback" not in caplog.text


async def test_who_may_not_can_be_ignored(clock: MockClock, tmp_path: Path) -> None:
    policy = evolve(POLICY, reject_denied_invites=False)
    async with open_lab(clock, tmp_path) as lab, lab.service(policy=policy):
        lobby = lab.homeserver.direct_chat(MALLORY)
        await trio.sleep(60)
        assert lab.homeserver.rooms[lobby].membership(BOT) == "invite"
        assert not lab.proxy.made("POST ")[1:], "nothing but the filter was posted"


async def test_an_invite_that_was_taken_back_is_no_error(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        rule = lab.proxy.spoil("POST .*/join/", FORBIDDEN)
        lobby = lab.homeserver.direct_chat(ANNA)
        await lab.proxy.wait_made("POST .*/join/")
        lab.homeserver.member(lobby, BOT, "leave", ANNA)
        await trio.sleep(400)
        assert len(lab.proxy.made("POST .*/join/")) == 1
        assert not lab.homeserver.created
        assert "Traceback" not in caplog.text
        lab.proxy.mend(rule)
        await onboarded(lab)


async def test_an_invite_that_is_not_valid_yet_is_tried_again_then_let_go(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        rule = lab.proxy.spoil("POST .*/join/", FORBIDDEN, times=3)
        await onboarded(lab)
        assert rule.hits == 3
        lab.proxy.spoil("POST .*/join/", FORBIDDEN)
        lab.homeserver.direct_chat(BORIS)
        await trio.sleep(400)
        assert "cannot join" in caplog.text
        assert not lab.homeserver.rooms_of_kind(BORIS, "space")


async def test_a_join_waits_for_a_homeserver_that_is_not_well(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.proxy.spoil("POST .*/join/", bad_gateway(), times=3)
        await onboarded(lab)


async def test_a_limit_of_joins_is_waited_out_and_is_no_fault(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        rule = lab.proxy.spoil("POST .*/join/", rate_limited(), times=3)
        await onboarded(lab)
        assert rule.hits == 3
    assert "failed" not in caplog.text


async def test_an_invite_found_after_a_crash_is_dealt_with(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service(live=False) as service:
            lobby = lab.homeserver.direct_chat(ANNA)
            await service.caught_up()
        async with lab.service():
            await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(lobby)))


async def test_an_encrypted_lobby_is_told_once_what_it_is(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        homeserver = lab.homeserver
        lobby = homeserver.direct_chat(ANNA, encrypted=True)
        await homeserver.wait(lambda: bool(homeserver.sent(lobby)))
        assert homeserver.bodies(lobby) == [TEXTS.onboarding.encrypted_room(None)]
        await homeserver.wait(lambda: len(homeserver.sent(lobby)) > 1)
        content = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"}
        homeserver.add(lobby, "m.room.encrypted", content, ANNA)
        homeserver.add(lobby, "m.room.encrypted", content, ANNA)
        await trio.sleep(100)
        told = [body for body in homeserver.bodies(lobby) if "encrypted" in body]
        assert len(told) == 1
        assert len(homeserver.bodies(lobby)) == 2, "and where the chats are"


async def test_an_encrypted_message_in_a_chat_is_answered_once(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        content = {"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "x"}
        for _ in range(3):
            lab.homeserver.add(service.room, "m.room.encrypted", content, ANNA)
        await trio.sleep(60)
        assert len(lab.puts()) == 1
        assert lab.agent.runs == []
        assert await service.ask("Hello?") == "Answer to Hello?"


async def test_a_room_that_becomes_encrypted_is_told_at_once(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        content = {"algorithm": "m.megolm.v1.aes-sha2"}
        lab.homeserver.add(service.room, "m.room.encryption", content, ANNA, state_key="")
        await lab.proxy.wait_made(SEND, within=60)
        await trio.sleep(5)
        (told,) = lab.homeserver.bodies(service.room)
        assert "encrypted" in told


async def test_a_chat_to_which_the_bot_comes_back_is_that_chat_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            lobby, _, chat = await onboarded(lab)
            for room in (lobby, chat):
                await service.ask("!bind" if room == lobby else "!clear", room)
            await service.ask("Hello?", lobby)
        for room in (lobby, chat):
            lab.homeserver.member(room, BOT, "leave", ANNA)
        lab.lose_database()
        said = len(lab.homeserver.bodies(lobby))
        async with lab.service() as service:
            lab.homeserver.member(lobby, BOT, "invite", ANNA)
            await lab.homeserver.wait(lambda: lab.homeserver.rooms[lobby].membership(BOT) == "join")
            await trio.sleep(60)
            assert len(lab.homeserver.bodies(lobby)) == said
            assert await service.ask("Hello again?", lobby) == "Answer to Hello again?"
            before, after = (run.input["threadId"] for run in lab.agent.runs)
            assert before == after
