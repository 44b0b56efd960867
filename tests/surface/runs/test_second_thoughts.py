"""Questions edited and taken back: while they wait, while they are answered, and after."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import quote

import trio
from trio.testing import MockClock

from lambda_matrix.ids import EventId, RoomId, UserId
from tests.lab.proxy import Answer, Hold, Loss
from tests.lab.small_homeserver import ANNA, BORIS, BOT, SmallHomeserver
from tests.surface.bridging import MALLORY, SEND, TEXTS, AgentRun, in_steps, open_lab, say_nothing

REDACT = r"PUT .*/redact/"


def edit(
    homeserver: SmallHomeserver, room: RoomId, event: EventId, body: str, by: UserId = ANNA
) -> EventId:
    """Change what an event says."""
    relation = {"rel_type": "m.replace", "event_id": event}
    new = {"msgtype": "m.text", "body": body}
    more: dict[str, Any] = {"m.relates_to": relation, "m.new_content": new}
    return homeserver.say(room, by, f"* {body}", **more)


def shown(homeserver: SmallHomeserver, room: RoomId) -> list[str]:
    """The texts of the bot's events that anybody can still read."""
    return [body for body in homeserver.bodies(room) if body]


async def slowly(run: AgentRun) -> None:
    """Say something at once, and the rest after a while."""
    await run.start()
    await run.text(f"On {run.question}: ")
    await trio.sleep(5)
    await run.text("done")
    await run.finish()


# -- edits --


async def test_an_edit_of_a_running_question_has_it_asked_anew_in_the_same_event(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = slowly
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Old")
        await homeserver.wait(lambda: bool(homeserver.sent(room)))
        edit(homeserver, room, question, "New")
        assert await homeserver.answer(room, question) == "On New: done"
        assert lab.agent.questions == ["Old", "New"]
        first, second = (run.input for run in lab.agent.runs)
        assert first["runId"] != second["runId"]
        props = [run["forwardedProps"]["requestId"] for run in (first, second)]
        assert props[0] != props[1], "an agent that has answered the first is not to say it again"
        roots = [e for e in homeserver.sent(room) if "m.relates_to" not in e["content"]]
        assert len(roots) == 1
        assert lab.agent.runs[0].closed.is_set()


async def test_an_edit_of_what_waits_costs_no_run(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = slowly
        homeserver, room = lab.homeserver, service.room
        first = homeserver.say(room, ANNA, "First")
        await lab.agent.run()
        second = homeserver.say(room, ANNA, "Old")
        edit(homeserver, room, second, "New")
        assert await homeserver.answer(room, first) == "On First: done"
        assert await homeserver.answer(room, second) == "On New: done"
        assert lab.agent.questions == ["First", "New"]


async def test_an_edit_that_comes_with_its_question(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
        question = lab.homeserver.say(room, ANNA, "Old")
        edit(lab.homeserver, room, question, "Newer")
        edit(lab.homeserver, room, question, "Newest")
        async with lab.service():
            assert await lab.homeserver.answer(room, question) == "Answer to Newest"
            await trio.sleep(60)
        assert lab.agent.questions[-1] == "Newest"
        assert len(lab.homeserver.finals(room, question)) == 1


async def test_an_edit_of_what_is_answered_does_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Old")
        await homeserver.answer(room, question)
        edit(homeserver, room, question, "New")
        await trio.sleep(60)
        assert lab.agent.questions == ["Old"]
        assert len(homeserver.sent(room)) == 1


async def test_an_edit_is_its_authors_and_never_a_command(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = slowly
        homeserver, room = lab.homeserver, service.room
        first = homeserver.say(room, ANNA, "First")
        await lab.agent.run()
        second = homeserver.say(room, ANNA, "Second")
        edit(homeserver, room, second, "Boris was here", by=BORIS)
        edit(homeserver, room, second, "Mallory was here", by=MALLORY)
        edit(homeserver, room, second, "!stop all")
        assert await homeserver.answer(room, first) == "On First: done"
        assert await homeserver.answer(room, second) == "On !stop all: done"


async def test_an_edit_of_a_command_does_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        command = homeserver.say(room, ANNA, "!help")
        await homeserver.answer(room, command)
        edit(homeserver, room, command, "!new")
        edit(homeserver, room, command, "Hello?")
        await trio.sleep(60)
        assert len(homeserver.sent(room)) == 1
        assert lab.agent.runs == []


async def test_an_edit_while_the_final_is_on_its_way_is_too_late(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        hold = Hold()
        lab.proxy.spoil(SEND, hold, times=1)
        question = homeserver.say(room, ANNA, "Old")
        await hold.caught.wait()  # T2 is committed
        edit(homeserver, room, question, "New")
        await trio.sleep(5)
        hold.release()
        assert await homeserver.answer(room, question) == "Answer to Old"
        await trio.sleep(60)
        assert lab.agent.questions == ["Old"]


# -- redactions --


async def test_a_running_question_that_is_taken_back_leaves_nothing(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("One ", "two ", "three ", "four ", "five", pause=4)
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Count")
        run = await lab.agent.run()
        await homeserver.wait(lambda: len(homeserver.sent(room)) >= 3)
        homeserver.redact(room, question, ANNA)
        with trio.fail_after(5):
            await run.closed.wait()
        await homeserver.wait(lambda: shown(homeserver, room) == [])
        lab.agent.behave = slowly
        assert await service.ask("And now?") == "On And now?: done"
        await trio.sleep(60)
        assert all("now" in body for body in shown(homeserver, room))


async def test_a_waiting_question_that_is_taken_back_is_never_asked(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = slowly
        homeserver, room = lab.homeserver, service.room
        first = homeserver.say(room, ANNA, "First")
        await lab.agent.run()
        second = homeserver.say(room, ANNA, "Second")
        homeserver.redact(room, second, ANNA)
        assert await homeserver.answer(room, first) == "On First: done"
        await trio.sleep(60)
        assert lab.agent.questions == ["First"]
        assert not homeserver.about(room, second)


async def test_an_answer_goes_with_its_question(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("One ", "x" * 100_000)
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Talk")
        await homeserver.answer(room, question)
        await homeserver.wait(lambda: bool(homeserver.finals(room, question)[-1]))
        await trio.sleep(30)
        assert len(shown(homeserver, room)) > 3, "previews, and the final in parts"
        homeserver.redact(room, question, BORIS)  # a moderator
        await homeserver.wait(lambda: shown(homeserver, room) == [])
        known = "SELECT count(*) FROM messages"
        counted = await service.store.transact(lambda db: db.execute(known).fetchone())
        assert counted[0] == 0, "an agent is not told it again either"


async def test_whoever_may_redact_is_the_homeservers_to_say(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Hello?")
        await homeserver.answer(room, question)
        homeserver.redact(room, question, MALLORY)
        await homeserver.wait(lambda: shown(homeserver, room) == [])


async def test_what_is_on_its_way_is_redacted_when_it_is_there(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        hold = Hold(answer=True)
        lab.proxy.spoil(SEND, hold, times=1)
        question = homeserver.say(room, ANNA, "Hello?")
        await hold.caught.wait()
        homeserver.redact(room, question, ANNA)
        await trio.sleep(5)
        hold.release()
        await homeserver.wait(lambda: shown(homeserver, room) == [])
        assert len(homeserver.sent(room)) == 1


async def test_redacting_goes_on_after_a_crash_and_a_lost_request(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            homeserver, room = lab.homeserver, service.room
            question = homeserver.say(room, ANNA, "Hello?")
            await homeserver.answer(room, question)
            await service.caught_up()
            hold = Hold()
            rule = lab.proxy.spoil(REDACT, hold)
            homeserver.redact(room, question, ANNA)
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        lab.proxy.spoil(REDACT, Loss.REQUEST, times=2)
        async with lab.service():
            await homeserver.wait(lambda: shown(homeserver, room) == [])


async def test_an_event_that_cannot_be_redacted_keeps_no_other(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        homeserver, room = lab.homeserver, service.room
        first, second = (homeserver.say(room, ANNA, text) for text in ("One", "Two"))
        await homeserver.answer(room, second)
        (stuck,) = homeserver.about(room, first)
        lab.proxy.spoil(REDACT + re.escape(quote(stuck["event_id"], safe="")), Answer(500, b"{}"))
        for question in (first, second):
            homeserver.redact(room, question, ANNA)
        await homeserver.wait(lambda: shown(homeserver, room) == ["Answer to One"])
        await trio.sleep(300)
        assert len(lab.proxy.made(REDACT)) < 20


async def test_what_was_asked_by_a_run_goes_with_its_question(
    clock: MockClock, tmp_path: Path
) -> None:
    async def ask_back(run: AgentRun) -> None:
        await run.start()
        outcome = {"type": "interrupt", "interrupts": [{"id": "i", "reason": "r", "message": "a?"}]}
        await run.finish(outcome=outcome)

    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = ask_back
        homeserver, room = lab.homeserver, service.room
        question = homeserver.say(room, ANNA, "Do it")
        await homeserver.answer(room, question)
        homeserver.redact(room, question, ANNA)
        await homeserver.wait(lambda: shown(homeserver, room) == [])
        assert await service.ask("!yes") == TEXTS.confirmations.nothing_pending


async def test_a_stopped_service_has_not_lost_a_redaction(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            homeserver, room = lab.homeserver, service.room
            lab.agent.behave = say_nothing
            question = homeserver.say(room, ANNA, "Think")
            await lab.agent.run()
        homeserver.redact(room, question, ANNA)
        async with lab.service():
            await trio.sleep(60)
        assert len(lab.agent.runs) <= 2
        assert shown(homeserver, room) == []


async def test_who_leaves_stops_their_own_and_nobody_elses(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room, homeserver = await service.new_chat(ANNA, BORIS), lab.homeserver
        lab.agent.behave = slowly
        mention = {"m.mentions": {"user_ids": [BOT]}}
        of_anna = homeserver.say(room, ANNA, "Mine", **mention)
        await lab.agent.run()
        of_boris = homeserver.say(room, BORIS, "And mine", **mention)
        await service.caught_up()
        homeserver.member(room, BORIS, "leave", BORIS)
        assert await homeserver.answer(room, of_anna) == "On Mine: done"
        assert await homeserver.answer(room, of_boris) == TEXTS.answers.stopped
        assert lab.agent.questions == ["Mine"]
