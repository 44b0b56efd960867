"""The order of a start, and the fall into silence before a newer start."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.surface.bridge import AnotherInstanceError
from tests.lab.proxy import Hold
from tests.lab.small_homeserver import ANNA, BOT
from tests.surface.bridging import SEND, open_lab

MARK = "ru.coredump.lambda.answer"


def mark(instance: str) -> dict[str, object]:
    return {
        "question": None,
        "request": "greeting",
        "part": 0,
        "parts": 1,
        "state": "final",
        "instance": instance,
    }


async def test_a_row_whose_echo_is_in_the_catch_up_is_not_sent(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            hold = Hold(answer=True)
            rule = lab.proxy.spoil(SEND, hold)
            lab.homeserver.say(service.room, ANNA, "Hello?")
            await hold.caught.wait()
            assert await service.rows("state") == [("pending",)]
            lab.crash()
        lab.proxy.mend(rule)
        puts = len(lab.puts())
        async with lab.service() as again:
            await trio.sleep(60)
            assert await again.rows("state") == [("sent",)]
        assert len(lab.puts()) == puts, "the echo came first"


async def test_nothing_is_done_before_the_catch_up_is_over(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
        question = lab.homeserver.say(room, ANNA, "Hello?")
        lab.homeserver.direct_chat(ANNA)
        async with lab.service(live=False) as catching_up:
            await trio.sleep(60)
            assert lab.agent.runs == []
            assert lab.puts() == []
            assert not lab.proxy.made("POST .*/join/")
            async with trio.open_nursery() as nursery:
                await nursery.start(catching_up.bridge.run)
                assert await lab.homeserver.answer(room, question) == "Answer to Hello?"
                await lab.homeserver.wait(lambda: len(lab.homeserver.created) == 2)
                nursery.cancel_scope.cancel()


async def test_a_newer_start_elsewhere_silences_this_one(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        with pytest.RaisesGroup(AnotherInstanceError, flatten_subgroups=True):
            async with lab.chat() as service:
                newer = mark("9999999999999-elsewhere")
                lab.homeserver.say(service.room, BOT, "Not me", **{MARK: newer})
                await trio.sleep(60)


async def test_an_older_start_that_the_database_lost_silences_nobody(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        older = mark("0000000000000-forgotten")
        lab.homeserver.say(service.room, BOT, "That was me", **{MARK: older})
        assert await service.ask("Hello?") == "Answer to Hello?"


async def test_somebody_else_with_our_mark_silences_nobody(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        newer = mark("9999999999999-elsewhere")
        lab.homeserver.say(service.room, ANNA, "Let us see", **{MARK: newer})
        assert await service.ask("Hello?") == "Answer to Hello?"


async def test_a_homeserver_that_goes_away_and_comes_back(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        upstream = lab.proxy.upstream
        lab.proxy.upstream = "http://127.0.0.1:1"
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        await trio.sleep(600)
        lab.proxy.upstream = upstream
        assert await lab.homeserver.answer(service.room, question) == "Answer to Hello?"
        await trio.sleep(60)
        assert lab.homeserver.bodies(service.room) == ["Answer to Hello?"]
