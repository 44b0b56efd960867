"""Who is spoken to in which language."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.conversation.texts import Language, texts
from lambda_matrix.store import people
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import POLICY, TEXTS, open_lab


async def test_the_operator_sets_the_default(clock: MockClock, tmp_path: Path) -> None:
    policy = evolve(POLICY, language=Language.RU, command_prefix="/")
    async with open_lab(clock, tmp_path) as lab, lab.chat(policy=policy) as service:
        assert await service.ask("/stop") == texts(Language.RU, "/").questions.nothing_to_stop


async def test_a_person_who_chose_is_spoken_to_so(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        russian = PersonSettings(language=Language.RU)
        await service.store.transact(people.note_settings, ANNA, russian)
        assert await service.ask("!stop") == texts(Language.RU).questions.nothing_to_stop
        command = lab.homeserver.say(service.room, BORIS, "!stop")
        assert await lab.homeserver.answer(service.room, command) == TEXTS.questions.nothing_to_stop
