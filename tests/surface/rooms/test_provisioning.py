"""Rooms are made once, whatever is lost on the way; numbers are never used twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.ids import PlatformChatId
from lambda_matrix.store import meta
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from tests.lab.proxy import Answer, Fault, Hold, Loss, bad_gateway, rate_limited
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import TEXTS, Lab, open_lab

CREATE = "POST .*/createRoom"
SEQUENCE = "ru.coredump.lambda.sequence"
REFUSED = Answer(403, json.dumps({"errcode": "M_FORBIDDEN", "error": "no"}).encode())


async def settled(lab: Lab) -> None:
    """Wait until Anna has her first chat, and then for more than she should have."""
    homeserver = lab.homeserver
    await homeserver.wait(
        lambda: any(homeserver.sent(room) for room in homeserver.rooms_of_kind(ANNA, "chat")),
        within=3600,
    )
    await trio.sleep(100)


@pytest.mark.parametrize("fault", [Loss.ANSWER, Loss.HALF], ids=["lost", "half"])
async def test_a_lost_answer_of_create_room_makes_no_second_room(
    clock: MockClock, tmp_path: Path, fault: Fault
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.proxy.spoil(CREATE, fault, times=1)  # the Space's
        lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        assert len(lab.proxy.made(CREATE)) == 2
        assert len(lab.homeserver.created) == 2


async def test_a_lost_request_of_create_room_is_made_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.proxy.spoil(CREATE, Loss.REQUEST, times=2)
        lab.proxy.spoil(CREATE, bad_gateway(), times=1)
        lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        assert len(lab.proxy.made(CREATE)) == 5
        assert len(lab.homeserver.created) == 2


async def test_a_room_made_just_before_a_crash_is_found(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold(answer=True)
        async with lab.service():
            rule = lab.proxy.spoil(CREATE, hold)
            lab.homeserver.direct_chat(ANNA)
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            await settled(lab)
        assert len(lab.homeserver.created) == 2


async def test_a_room_that_is_not_told_by_sync_yet_is_waited_for(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        before_creation = Hold()
        rule = lab.proxy.spoil("GET .*/capabilities", before_creation)
        lobby = lab.homeserver.direct_chat(ANNA)
        await before_creation.caught.wait()
        deaf = Hold()
        deaf_rule = lab.proxy.spoil("GET .*/sync", deaf)
        lab.homeserver.say(lobby, ANNA, "Only a notice", msgtype="m.notice")
        await deaf.caught.wait()
        lab.proxy.spoil(CREATE, Loss.ANSWER, times=1)
        lab.proxy.mend(rule)
        await trio.sleep(40)  # it looks for longer than it usually takes
        assert len(lab.proxy.made(CREATE)) == 1
        lab.proxy.mend(deaf_rule)
        await settled(lab)
        assert len(lab.homeserver.created) == 2


async def test_of_two_rooms_for_one_intent_one_is_left(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        homeserver = lab.homeserver
        chat = homeserver.room_of_kind(ANNA, "chat")
        marker = homeserver.rooms[chat].events[0][1]["content"]["ru.coredump.lambda.room"]
        twin = homeserver.chat_of_bot()
        homeserver.rooms[twin].events[0][1]["content"]["ru.coredump.lambda.room"] = marker
        await homeserver.wait(lambda: homeserver.forgotten == [twin])
        assert homeserver.rooms[twin].membership(BOT) == "leave"
        assert homeserver.rooms[chat].membership(BOT) == "join"


async def test_a_marker_that_somebody_else_planted_is_nothing(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        homeserver = lab.homeserver
        chat = homeserver.room_of_kind(ANNA, "chat")
        marker = homeserver.rooms[chat].events[0][1]["content"]["ru.coredump.lambda.room"]
        planted = homeserver.direct_chat(BORIS)
        homeserver.rooms[planted].events[0][1]["content"]["ru.coredump.lambda.room"] = marker
        await trio.sleep(100)
        assert homeserver.rooms[planted].membership(BOT) == "join"
        assert homeserver.forgotten == []


async def test_a_429_is_told_once_with_the_time(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.proxy.spoil(CREATE, rate_limited(300_000), times=3)
        lobby = lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        assert lab.homeserver.bodies(lobby)[0] == TEXTS.onboarding.delayed(300)
        assert len(lab.homeserver.bodies(lobby)) == 2
        assert len(lab.homeserver.created) == 2


async def test_rooms_that_have_to_wait_keep_nobody_from_speaking(
    clock: MockClock, tmp_path: Path
) -> None:
    """A homeserver allows a room a minute, and more events than that."""
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.proxy.spoil(CREATE, rate_limited(300_000))
        lobby = lab.homeserver.direct_chat(BORIS)
        await lab.proxy.wait_made(CREATE)
        began = trio.current_time()
        assert await service.ask("Hello?") == "Answer to Hello?"
        await lab.homeserver.wait(lambda: bool(lab.homeserver.bodies(lobby)), within=60)
        assert lab.homeserver.bodies(lobby)[0] == TEXTS.onboarding.delayed(300)
        assert trio.current_time() - began < 60


async def test_a_429_of_new_is_told_where_it_was_said(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lobby = lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        lab.proxy.spoil(CREATE, rate_limited(60_000), times=1)
        command = lab.homeserver.say(lobby, ANNA, "!new Garden")
        reply = await lab.homeserver.answer(lobby, command)
        assert "Garden" in reply
        assert TEXTS.rooms.new_chat_delayed(60) in lab.homeserver.bodies(lobby)


async def test_a_homeserver_that_will_not_is_told_and_asked_anew(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        rule = lab.proxy.spoil(CREATE, REFUSED)
        lobby = lab.homeserver.direct_chat(ANNA)
        await trio.sleep(100)
        assert lab.homeserver.bodies(lobby) == [TEXTS.onboarding.failed]
        assert len(lab.proxy.made(CREATE)) == 1
        lab.proxy.mend(rule)
        lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        assert len(lab.homeserver.created) == 2


async def test_a_new_chat_that_is_refused_is_told(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lobby = lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        lab.proxy.spoil(CREATE, REFUSED, times=1)
        command = lab.homeserver.say(lobby, ANNA, "!new")
        reply = await lab.homeserver.answer(lobby, command)
        assert reply == TEXTS.rooms.new_chat_failed
        again = lab.homeserver.say(lobby, ANNA, "!new")
        assert TEXTS.rooms.chat_name(2) in await lab.homeserver.answer(lobby, again)
        assert len(lab.homeserver.created) == 3


async def test_a_number_is_known_to_the_homeserver_before_its_use(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.homeserver.keep(SEQUENCE, {"highest": 5000})
        async with lab.service() as service:
            lab.proxy.spoil(f"GET .*/account_data/{SEQUENCE}", bad_gateway(), times=2)
            hold = Hold()
            lab.proxy.spoil(f"PUT .*/account_data/{SEQUENCE}", hold, times=1)
            lobby = lab.homeserver.direct_chat(ANNA)
            await hold.caught.wait()
            await trio.sleep(20)
            assert not lab.homeserver.rooms_of_kind(ANNA, "chat")
            hold.release()
            await settled(lab)
            assert lab.homeserver.account_data[SEQUENCE] == {"highest": 5001}
            mark = await service.store.transact(meta.platform_chat_id_mark)
            assert mark == PlatformChatId(5001)
            lab.homeserver.say(lobby, ANNA, "!new")
            await trio.sleep(60)
            assert lab.homeserver.account_data[SEQUENCE] == {"highest": 5002}


async def test_the_mark_is_never_lowered_though_the_homeserver_lost_it(
    clock: MockClock, tmp_path: Path
) -> None:
    async def used_before(store: Store, _: Ourselves) -> None:
        await store.transact(meta.next_platform_chat_id, PlatformChatId(7000))

    async with open_lab(clock, tmp_path) as lab, lab.service(prepare=used_before):
        lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        assert lab.homeserver.account_data[SEQUENCE] == {"highest": 7001}


async def test_a_crash_between_the_steps_is_completed(clock: MockClock, tmp_path: Path) -> None:
    """At every request of the onboarding once: the one before it was done, its answer lost."""
    steps = ("PUT .*/m.space.child/", "PUT .*/account_data/ru.coredump.lambda.binding")
    for step in steps:
        async with open_lab(clock, tmp_path / step[-6:]) as lab:
            hold = Hold(answer=True)
            async with lab.service():
                rule = lab.proxy.spoil(step, hold)
                lobby = lab.homeserver.direct_chat(ANNA)
                await hold.caught.wait()
                lab.crash()
            lab.proxy.mend(rule)
            async with lab.service():
                await settled(lab)
            assert len(lab.homeserver.created) == 2
            assert len(lab.homeserver.bodies(lobby)) == 1


async def test_a_passing_refusal_of_a_step_is_waited_out(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        lab.proxy.spoil("PUT .*/m.space.child/", bad_gateway(), times=3)
        lab.homeserver.direct_chat(ANNA)
        await settled(lab)
        assert len(lab.proxy.made("PUT .*/m.space.child/")) == 4
