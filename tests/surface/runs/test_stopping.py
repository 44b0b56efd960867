"""Taking back a question that is being answered, or waits for it."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock
from trio_websocket import WebSocketRequest

from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Done
from tests.agent.servers import websocket_agent
from tests.lab.proxy import Hold
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import SEND, TEXTS, in_steps, open_lab, say_nothing
from tests.surface.runs.test_answering import attempts


async def test_stop_while_the_agent_thinks(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        question = lab.homeserver.say(service.room, ANNA, "Think")
        run = await lab.agent.run()
        command = lab.homeserver.say(service.room, ANNA, "!stop")
        assert await lab.homeserver.answer(service.room, command) == TEXTS.questions.stopped
        assert await lab.homeserver.answer(service.room, question) == TEXTS.answers.stopped
        with trio.fail_after(5):
            await run.closed.wait()
        assert await attempts(service) == [(1, "stopped")]


async def test_stop_while_connecting(clock: MockClock, tmp_path: Path) -> None:
    connecting = trio.Event()

    async def never_accept(_: WebSocketRequest) -> None:
        connecting.set()
        await trio.sleep_forever()

    async with open_lab(clock, tmp_path) as lab, websocket_agent(never_accept) as url:
        lab.with_agent(base_url=url)
        async with lab.chat() as service:
            question = lab.homeserver.say(service.room, ANNA, "Anybody?")
            await connecting.wait()
            began = trio.current_time()
            lab.homeserver.say(service.room, ANNA, "!stop")
            assert await lab.homeserver.answer(service.room, question) == TEXTS.answers.stopped
            assert trio.current_time() - began < 2


async def test_stop_keeps_the_text_that_is_there(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("Half an answer", pause=3600)
        question = lab.homeserver.say(service.room, ANNA, "Talk")
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(service.room)))
        lab.homeserver.say(service.room, ANNA, "!stop")
        answer = await lab.homeserver.answer(service.room, question)
        assert answer.startswith("Half an answer\n\n")
        assert "Stopped" in answer


async def test_stop_takes_one_question_and_stop_all_those_of_its_sender(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        homeserver, room = lab.homeserver, service.room
        first = homeserver.say(room, ANNA, "First")
        second = homeserver.say(room, ANNA, "Second")
        await lab.agent.run(1)
        homeserver.say(room, ANNA, "!stop")
        assert await homeserver.answer(room, first) == TEXTS.answers.stopped
        await lab.agent.run(2)
        third = homeserver.say(room, ANNA, "Third")
        of_boris = homeserver.say(room, BORIS, "And mine?")
        everything = homeserver.say(room, ANNA, "!stop all")
        assert await homeserver.answer(room, everything) == TEXTS.questions.stopped_all(2)
        assert await homeserver.answer(room, second) == TEXTS.answers.stopped
        assert await homeserver.answer(room, third) == TEXTS.answers.stopped
        await lab.agent.run(3)
        assert lab.agent.questions == ["First", "Second", "And mine?"]
        assert not homeserver.finals(room, of_boris)


async def test_nobody_stops_what_somebody_else_asked(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Think")
        await lab.agent.run()
        command = homeserver.say(room, BORIS, "!stop")
        assert await homeserver.answer(room, command) == TEXTS.questions.nothing_to_stop
        await trio.sleep(5)
        assert not homeserver.finals(room, question)


async def test_a_stop_survives_a_crash(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = say_nothing
        async with lab.chat() as service:
            question = lab.homeserver.say(service.room, ANNA, "Think")
            await lab.agent.run()
            hold = Hold()
            rule = lab.proxy.spoil(SEND, hold)
            lab.homeserver.say(service.room, ANNA, "!stop")
            await hold.caught.wait()
            await trio.sleep(5)
            # As if the crash had come between the stop and the end of the run.
            await service.change("DELETE FROM outbox WHERE question = ?", question)
            await service.change("UPDATE requests SET outcome = NULL")
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            answer = await lab.homeserver.answer(service.room, question)
            assert answer == TEXTS.answers.stopped
            assert len(lab.agent.runs) == 1


async def test_a_question_that_was_answered_is_not_answered_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        lab.homeserver.say(service.room, ANNA, "Think")
        await lab.agent.run()
        (request,) = await service.store.transact(requests.waiting, service.room)
        done = await service.store.transact(
            requests.finish, request, Done(outcome="answered"), service.ourselves
        )
        assert done
        lab.homeserver.say(service.room, ANNA, "!stop")
        await trio.sleep(5)
        assert lab.homeserver.bodies(service.room) == [TEXTS.questions.nothing_to_stop]
