"""An old database that comes back: a backup, or what a power cut has left."""

from __future__ import annotations

import shutil
from pathlib import Path

import trio
from trio.testing import MockClock

from lambda_matrix.store import people
from lambda_matrix.store.conversations import saved
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import Lab, open_lab
from tests.surface.rooms.test_onboarding import onboarded

BINDING = "ru.coredump.lambda.binding"


def keep_a_copy(lab: Lab) -> Path:
    """Copy the state directory as it is now."""
    copy = lab.directory.with_name("old")
    shutil.copytree(lab.directory, copy)
    return copy


async def test_nothing_is_answered_twice_and_nothing_is_lost(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
            await service.ask("One")
            waiting = lab.homeserver.say(room, ANNA, "Two")
            await lab.agent.run(2)
            old = keep_a_copy(lab)
            assert await lab.homeserver.answer(room, waiting) == "Answer to Two"
            for text in ("Three", "!help", "Four"):
                await service.ask(text)
        said = lab.homeserver.bodies(room)
        lab.directory = old
        missed = lab.homeserver.say(room, ANNA, "Five")
        async with lab.service():
            assert await lab.homeserver.answer(room, missed) == "Answer to Five"
            await trio.sleep(60)
        assert lab.homeserver.bodies(room) == [*said, "Answer to Five"]
        assert lab.agent.questions == ["One", "Two", "Three", "Four", "Five"]


async def test_what_was_done_since_stays_done(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        homeserver = lab.homeserver
        async with lab.service() as service:
            lobby, _, chat = await onboarded(lab)
            await service.ask("One", chat)
            await service.caught_up()
            old = keep_a_copy(lab)
            for words in ("!set language ru", "!save Birds", "!clear", "Two"):
                await service.ask(words, chat)
            await service.ask("!new", lobby)
            second = homeserver.rooms_of_kind(ANNA, "chat")[1]
            await service.ask("Elsewhere", second)
            await service.ask("!archive", second)
            await service.caught_up()
        kept, made = dict(homeserver.room_account_data), list(homeserver.created)
        said = {room: homeserver.bodies(room) for room in (lobby, chat, second)}
        lab.directory = old
        async with lab.service(reconciling=True) as service:
            await trio.sleep(600)
            assert {room: homeserver.bodies(room) for room in said} == said
            assert homeserver.created == made
            assert homeserver.room_account_data == kept
            assert (await service.store.transact(people.settings, ANNA)).language is not None
            (birds,) = await service.store.transact(saved.saved_by, ANNA)
            assert birds.name == "Birds"
            await service.ask("Three", chat)
        threads = [run.input["threadId"] for run in lab.agent.runs]
        assert lab.agent.questions == ["One", "Two", "Elsewhere", "Three"]
        assert threads[1] == threads[3] == str(kept[chat, BINDING]["platform_chat_id"])
        assert len(set(threads)) == 3
