"""The order of a start, and the fall into silence before a newer start."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.access import Access
from lambda_matrix.surface.bridge import AnotherInstanceError
from tests.lab.proxy import Hold
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import (
    POLICY,
    SEND,
    TEXTS,
    AgentRun,
    answer_at_once,
    open_lab,
    say_nothing,
)

MARK = "ru.coredump.lambda.answer"
TO_US = {"m.mentions": {"user_ids": [BOT]}}


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


async def test_who_loses_the_agent_by_a_reload_loses_the_run(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = say_nothing
        async with lab.service() as service:
            room = await service.new_chat(ANNA, BORIS)
            elsewhere = await service.new_chat(BORIS)
            question = lab.homeserver.say(room, ANNA, "Lambda: think", **TO_US)
            await lab.agent.run(1)
            lab.homeserver.say(elsewhere, BORIS, "Think")
            await lab.agent.run(2)
            next_question = lab.homeserver.say(room, ANNA, "Lambda: and now?", **TO_US)
            await service.caught_up()
            lab.with_agent(users=(BORIS,))
            await service.bridge.reload(POLICY, lab.registry)
            assert await lab.homeserver.answer(room, question) == TEXTS.answers.stopped
            refusal = TEXTS.answers.failure(RunFailure.NOT_ALLOWED)
            assert await lab.homeserver.answer(room, next_question) == refusal
            assert not lab.agent.runs[1].closed.is_set(), "another person's goes on"
            assert len(lab.agent.runs) == 2


async def ask_for_consent(run: AgentRun) -> None:
    await run.start()
    asked = {"id": "i", "reason": "r", "message": "Really?"}
    await run.finish(outcome={"type": "interrupt", "interrupts": [asked]})


async def answer_questions(run: AgentRun) -> None:
    if run.input["messages"]:
        await answer_at_once(run)
    else:  # it is told that nobody will answer what it had asked
        await run.answer("So be it.")


async def test_nobody_waits_for_the_word_of_who_is_not_heard_any_more(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service(policy=evolve(POLICY)) as service:
        room = await service.new_chat(ANNA, BORIS)
        lab.agent.behave = ask_for_consent
        first = lab.homeserver.say(room, BORIS, "Lambda: delete it", **TO_US)
        await lab.homeserver.answer(room, first)
        lab.agent.behave = answer_questions
        question = lab.homeserver.say(room, ANNA, "Lambda: and I?", **TO_US)
        await trio.sleep(10)  # it has been taken in, and waits
        denied = Access(users=("@*:example.org",), deny=(BORIS,))
        await service.bridge.reload(evolve(POLICY, access=denied), lab.registry)
        assert await lab.homeserver.answer(room, question, within=60) == "Answer to and I?"


async def test_a_reload_ends_also_what_waits_for_a_word(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat(policy=evolve(POLICY)) as service:
        lab.agent.behave = ask_for_consent
        await service.ask("Delete it")
        question = lab.homeserver.say(service.room, BORIS, "Lambda, and I?", **TO_US)
        await trio.sleep(10)  # it has been taken in, and waits
        denied = Access(users=("@*:example.org",), deny=(BORIS,))
        await service.bridge.reload(evolve(POLICY, access=denied), lab.registry)
        assert await lab.homeserver.answer(service.room, question) == TEXTS.answers.stopped


async def test_who_is_not_heard_any_more_after_a_restart_has_nothing_answered(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = say_nothing
        async with lab.service() as service:
            room = await service.new_chat(ANNA, BORIS)
            question = lab.homeserver.say(room, BORIS, "Lambda: think", **TO_US)
            await lab.agent.run(1)
            waiting = lab.homeserver.say(room, ANNA, "Lambda: and I?", **TO_US)
            await service.caught_up()
            await trio.sleep(10)  # it has been taken in
            lab.crash()
        lab.agent.behave = answer_at_once
        denied = Access(users=("@*:example.org",), deny=(BORIS,))
        async with lab.service(policy=evolve(POLICY, access=denied)):
            assert await lab.homeserver.answer(room, question) == TEXTS.answers.stopped
            assert await lab.homeserver.answer(room, waiting) == "Answer to and I?"
