"""`!retry`: the last question once more."""

from __future__ import annotations

from pathlib import Path

import trio
from trio.testing import MockClock

from lambda_matrix.ids import EventId
from lambda_matrix.matrix_events import ANSWER_KEY
from tests.lab.proxy import Hold
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import SEND, TEXTS, AgentRun, answer_at_once, open_lab, say_nothing

SAID = TEXTS.questions


async def fail(run: AgentRun) -> None:
    """Break off in the middle of nothing."""
    await run.start()
    await run.say({"type": "RUN_ERROR", "message": "boom"})


async def fail_to_go_on(run: AgentRun) -> None:
    """Ask for consent, and fail when it is given."""
    if "resume" in run.input:
        await fail(run)
        return
    await run.start()
    asked = {"id": "i", "reason": "r", "message": "a?"}
    await run.finish(outcome={"type": "interrupt", "interrupts": [asked]})


async def resume_well(run: AgentRun) -> None:
    await run.start()
    await run.text("Resumed" if "resume" in run.input else f"Answer to {run.question}")
    await run.finish()


async def test_retry_asks_again_and_has_an_answer_of_its_own(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = fail
        question = lab.homeserver.say(service.room, ANNA, "Hello?")
        broken = await lab.homeserver.answer(service.room, question)
        lab.agent.behave = answer_at_once
        command = lab.homeserver.say(service.room, ANNA, "!retry")
        assert await lab.homeserver.answer(service.room, command) == "Answer to Hello?"
        assert lab.homeserver.bodies(service.room)[0] == broken
        ids = {run.input["forwardedProps"]["requestId"] for run in lab.agent.runs}
        assert len(ids) == 2
        (final,) = lab.homeserver.finals(service.room, command)
        assert final["msgtype"] == "m.text"
        assert final[ANSWER_KEY]["question"] == command
        assert await service.ask("!повтори") == "Answer to Hello?"


async def test_commands_are_not_asked_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert await service.ask("!retry") == SAID.nothing_to_retry
        await service.ask("Hello?")
        await service.ask("!help")
        assert await service.ask("!retry") == "Answer to Hello?"


async def test_everybody_asks_their_own_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("Of Anna")
        command = lab.homeserver.say(service.room, BORIS, "!retry")
        assert await lab.homeserver.answer(service.room, command) == SAID.nothing_to_retry


async def test_a_threads_question_is_asked_again_there(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        root = homeserver.say(room, ANNA, "In the room")
        await homeserver.answer(room, root)
        thread = {"m.relates_to": {"rel_type": "m.thread", "event_id": root}}
        await homeserver.answer(room, homeserver.say(room, ANNA, "In the thread", **thread))
        assert await service.ask("!retry") == "Answer to In the room"
        command = homeserver.say(room, ANNA, "!retry", **thread)
        assert await homeserver.answer(room, command) == "Answer to In the thread"


async def test_what_is_still_being_answered_is_not_asked_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        lab.homeserver.say(service.room, ANNA, "Think")
        await lab.agent.run()
        assert await service.ask("!retry") == SAID.retry_running
        assert len(lab.agent.runs) == 1


async def test_what_was_taken_back_is_not_asked_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Hello?")
        await homeserver.answer(room, question)
        lab.agent.behave = say_nothing
        homeserver.say(room, ANNA, "!retry")
        run = await lab.agent.run(2)
        homeserver.redact(room, question, ANNA)
        with trio.fail_after(5):
            await run.closed.wait()
        assert await service.ask("!retry") == SAID.nothing_to_retry


async def test_a_word_that_did_not_get_through_is_given_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = fail_to_go_on
        await service.ask("Do it")
        await service.ask("!yes")
        lab.agent.behave = resume_well
        assert await service.ask("!retry") == "Resumed"
        first, second = (run.input["resume"] for run in lab.agent.runs[1:3])
        assert first == second
        assert await service.ask("!retry") == "Answer to Do it", "the word got through"


async def test_a_lost_word_without_its_question_cannot_be_given_again(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = fail_to_go_on
        await service.ask("Do it")
        lab.agent.behave = resume_well
        await service.ask("!yes")
        await service.change("DELETE FROM requests WHERE text = 'Do it'")
        assert await service.ask("!retry") == SAID.nothing_to_retry


async def test_retry_survives_a_crash_and_is_asked_once(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            await service.ask("Hello?")
            hold = Hold()
            rule = lab.proxy.spoil(SEND, hold)
            command = lab.homeserver.say(service.room, ANNA, "!retry")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            assert await lab.homeserver.answer(service.room, command) == "Answer to Hello?"
            await trio.sleep(60)
        assert len(lab.agent.runs) == 2
        assert len(lab.homeserver.finals(service.room, command)) == 1


async def test_an_edit_of_retry_changes_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("Hello?")
        lab.agent.behave = say_nothing
        command = lab.homeserver.say(service.room, ANNA, "!retry")
        await lab.agent.run(2)
        new = {"msgtype": "m.text", "body": "Something else"}
        relation = {"rel_type": "m.replace", "event_id": EventId(command)}
        more = {"m.new_content": new, "m.relates_to": relation}
        lab.homeserver.say(service.room, ANNA, "* Something else", **more)
        await trio.sleep(30)
        assert lab.agent.questions == ["Hello?", "Hello?"]


async def test_an_archived_chat_asks_nothing_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("Hello?")
        await service.change("UPDATE rooms SET archived = 1")
        assert await service.ask("!retry") == TEXTS.rooms.archived_question
