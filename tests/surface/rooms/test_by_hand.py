"""Chats that their owner takes out of the Space, or puts back, by hand."""

from __future__ import annotations

import json
from pathlib import Path

import trio
from trio.testing import MockClock

from tests.lab.proxy import Hold
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import TEXTS, in_steps, open_lab
from tests.surface.commands.test_archive import BINDING, children
from tests.surface.rooms.test_onboarding import onboarded

VIA: dict[str, object] = {"via": ["example.org"]}


async def test_what_is_taken_out_is_archived_and_never_put_back(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            _, space, chat = await onboarded(lab)
            lab.homeserver.add(space, "m.space.child", {}, ANNA, state_key=chat)
            await lab.homeserver.wait(lambda: TEXTS.rooms.archived in lab.homeserver.bodies(chat))
            assert lab.homeserver.room_account_data[chat, BINDING]["archived"] is True
            assert await service.ask("Hello?", chat) == TEXTS.rooms.archived_question
        async with lab.service() as service:
            assert await service.ask("Hello?", chat) == TEXTS.rooms.archived_question
            assert children(lab, space) == []


async def test_what_is_put_back_is_a_chat_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, space, chat = await onboarded(lab)
        assert await service.ask("!archive", chat) == TEXTS.rooms.archived
        lab.homeserver.add(space, "m.space.child", VIA, ANNA, state_key=chat)
        await lab.homeserver.wait(lambda: TEXTS.rooms.unarchived in lab.homeserver.bodies(chat))
        assert lab.homeserver.room_account_data[chat, BINDING]["archived"] is False
        assert await service.ask("Hello?", chat) == "Answer to Hello?"


async def test_what_runs_there_is_stopped(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, space, chat = await onboarded(lab)
        lab.agent.behave = in_steps("Half", "Whole", pause=60)
        question = lab.homeserver.say(chat, ANNA, "Work")
        await lab.agent.run()
        lab.homeserver.add(space, "m.space.child", {}, ANNA, state_key=chat)
        assert "topped" in await lab.homeserver.answer(chat, question)


async def test_the_links_of_others_spaces_mean_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        _, _, chat = await onboarded(lab)
        other = lab.homeserver.direct_chat(ANNA)
        lab.homeserver.add(other, "m.space.child", {}, ANNA, state_key=chat)
        await service.caught_up()
        assert await service.ask("Hello?", chat) == "Answer to Hello?"


async def test_a_crash_in_between_notes_it_all_the_same(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold()
        async with lab.service():
            _, space, chat = await onboarded(lab)
            rule = lab.proxy.spoil(f"PUT .*/account_data/{BINDING}", hold)
            lab.homeserver.add(space, "m.space.child", {}, ANNA, state_key=chat)
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            homeserver = lab.homeserver
            await homeserver.wait(lambda: TEXTS.rooms.archived in homeserver.bodies(chat))
            assert homeserver.room_account_data[chat, BINDING]["archived"] is True
        assert homeserver.bodies(chat).count(TEXTS.rooms.archived) == 1


async def test_of_two_who_change_a_binding_neither_undoes_the_other(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        _, space, chat = await onboarded(lab)
        before = lab.homeserver.room_account_data[chat, BINDING]
        hold = Hold()
        lab.proxy.spoil(f"PUT .*/account_data/{BINDING}", hold, times=1)
        lab.homeserver.add(space, "m.space.child", {}, ANNA, state_key=chat)
        await hold.caught.wait()
        command = lab.homeserver.say(chat, ANNA, "!clear")
        await trio.sleep(60)
        hold.release()
        assert await lab.homeserver.answer(chat, command) == TEXTS.contexts.cleared
        await lab.homeserver.wait(lambda: TEXTS.rooms.archived in lab.homeserver.bodies(chat))
        binding = lab.homeserver.room_account_data[chat, BINDING]
        puts = lab.proxy.made(f"PUT .*/account_data/{BINDING}")
        numbers = [json.loads(put.body)["platform_chat_id"] for put in puts]
        assert numbers == sorted(numbers)
        assert binding["platform_chat_id"] == before["platform_chat_id"] + 1
        assert binding["archived"] is True
