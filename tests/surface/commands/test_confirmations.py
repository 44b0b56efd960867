"""What waits for a person's word: asked, reminded of, given, refused, too late, and not theirs."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.ids import EventId, RoomId
from lambda_matrix.matrix_events import ANSWER_KEY
from lambda_matrix.store.questions import confirmations
from lambda_matrix.surface.runs.closing import PATIENCE
from tests.lab.proxy import Hold
from tests.lab.small_homeserver import ANNA, BORIS, BOT, SmallHomeserver
from tests.surface.bridging import SEND, TEXTS, AgentRun, Service, open_lab

SCHEMA = {"type": "object", "properties": {"approved": {"type": "boolean"}}}
SAID = TEXTS.confirmations


def interrupt(*messages: str, **more: object) -> dict[str, Any]:
    """The outcome of a run that ends to ask."""
    interrupts = [
        {"id": f"i{n}", "reason": "approval", "message": each, "responseSchema": SCHEMA, **more}
        for n, each in enumerate(messages, 1)
    ]
    return {"type": "interrupt", "interrupts": interrupts}


def asking(*messages: str, **more: object) -> Any:
    """Ask for consent to whatever is said; once it is given or not, say what was decided."""

    async def behave(run: AgentRun) -> None:
        await run.start()
        if "resume" in run.input:
            verdicts = [
                json.loads(e["payload"])["approved"]
                if isinstance(e.get("payload"), str)
                else e.get("payload", {"approved": None})["approved"]
                for e in run.input["resume"]
            ]
            await run.text(f"Decided: {verdicts}")
            await run.finish()
        elif run.question.startswith("Do"):
            await run.text("Well.")
            await run.finish(outcome=interrupt(*messages, **more))
        else:
            await run.text(f"Answer to {run.question}")
            await run.finish()

    return behave


async def asked(service: Service, *messages: str, room: RoomId | None = None) -> EventId:
    """Have Anna ask for something that wants consent, and the agent ask back."""
    lab = service.lab
    lab.agent.behave = asking(*messages)
    question = lab.homeserver.say(room or service.room, ANNA, "Do it")
    answer = await lab.homeserver.answer(room or service.room, question)
    assert answer == f"Well.\n\n{SAID.prompt(messages, PATIENCE)}"
    return question


async def pending(service: Service) -> list[str]:
    found = await service.store.transact(confirmations.of_room, service.room)
    return [each.kind for each in found]


def told(homeserver: SmallHomeserver, room: RoomId) -> list[str]:
    """What was said to nobody's question."""
    return [event["body"] for event in homeserver.finals(room, None)]


async def test_yes_to_all(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await asked(service, "Delete a?", "Delete b?")
        assert await service.ask("!yes") == "Decided: [True, True]"
        resumed = lab.agent.runs[-1].input
        assert [entry["interruptId"] for entry in resumed["resume"]] == ["i1", "i2"]
        assert [entry["status"] for entry in resumed["resume"]] == ["resolved", "resolved"]
        assert resumed["threadId"] == lab.agent.runs[0].input["threadId"]
        assert await pending(service) == []
        assert await service.ask("Go on") == "Answer to Go on"


async def test_yes_to_some_refuses_the_rest(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await asked(service, "a?", "b?", "c?")
        assert await service.ask("!yes 4") == SAID.out_of_range(3)
        assert await service.ask("!yes 1 3") == "Decided: [True, False, True]"
        assert told(lab.homeserver, service.room) == [SAID.consented(2, 3)]


async def test_yes_to_each_by_number_is_yes_to_all(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await asked(service, "a?", "b?")
        assert await service.ask("!yes 2 1") == "Decided: [True, True]"
        assert told(lab.homeserver, service.room) == []


async def test_no_goes_with_its_reason(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await asked(service, "Delete a?")
        assert await service.ask("!no not that one") == "Decided: [False]"
        (entry,) = lab.agent.runs[-1].input["resume"]
        assert "not that one" in json.dumps(entry)
        assert await service.ask("!yes") == SAID.nothing_pending


async def test_where_nothing_is_asked(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        for word in ("!yes", "!no", "!да 1"):
            assert await service.ask(word) == SAID.nothing_pending
        assert lab.agent.runs == []


async def test_a_text_is_told_what_waits_and_goes_nowhere(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await asked(service, "Delete a?")
        assert await service.ask("Hello?") == SAID.reminder(["Delete a?"])
        assert await service.ask("!retry") == SAID.reminder(["Delete a?"])
        assert await service.ask("!status")
        assert lab.agent.questions == ["Do it"]
        assert await service.ask("!yes") == "Decided: [True]"


async def test_it_survives_a_restart(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            await asked(service, "Delete a?")
            lab.crash()
        async with lab.service() as again:
            assert await again.ask("Hello?", service.room) == SAID.reminder(["Delete a?"])
            assert await again.ask("!yes", service.room) == "Decided: [True]"


async def test_a_word_is_passed_on_once_through_a_crash(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            await asked(service, "Delete a?")
            hold = Hold()
            rule = lab.proxy.spoil(SEND, hold)
            command = lab.homeserver.say(service.room, ANNA, "!yes")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            assert await lab.homeserver.answer(service.room, command) == "Decided: [True]"
            await trio.sleep(60)
        assert len(lab.agent.runs) == 2
        assert len(lab.homeserver.finals(service.room, command)) == 1


async def shared_room(service: Service) -> RoomId:
    service.room = await service.new_chat(ANNA, BORIS)
    mention = {"m.mentions": {"user_ids": [BOT]}}
    lab = service.lab
    lab.agent.behave = asking("Delete a?")
    question = lab.homeserver.say(service.room, ANNA, "Do it", **mention)
    await lab.homeserver.answer(service.room, question)
    return service.room


async def test_only_who_was_asked_may_answer(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room, homeserver = await shared_room(service), lab.homeserver
        for word in ("!yes", "!no", "!stop"):
            command = homeserver.say(room, BORIS, word)
            text = TEXTS.questions.nothing_to_stop if word == "!stop" else SAID.not_yours
            assert await homeserver.answer(room, command) == text
        assert len(lab.agent.runs) == 1
        command = homeserver.say(room, ANNA, "!yes")
        assert await homeserver.answer(room, command) == "Decided: [True]"


async def test_what_others_ask_waits_for_the_word_and_says_so(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room, homeserver = await shared_room(service), lab.homeserver
        mention = {"m.mentions": {"user_ids": [BOT]}}
        question = homeserver.say(room, BORIS, "And mine?", **mention)
        await homeserver.wait(lambda: bool(told(homeserver, room)))
        assert told(homeserver, room) == [SAID.waits_for_another]
        await trio.sleep(60)
        assert not homeserver.finals(room, question)
        homeserver.say(room, ANNA, "!yes")
        assert await homeserver.answer(room, question) == "Answer to And mine?"
        assert lab.agent.runs[-1].question == "And mine?"


async def test_who_leaves_is_not_waited_for(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room, homeserver = await shared_room(service), lab.homeserver
        mention = {"m.mentions": {"user_ids": [BOT]}}
        question = homeserver.say(room, BORIS, "And mine?", **mention)
        await homeserver.wait(lambda: bool(told(homeserver, room)))
        homeserver.member(room, ANNA, "leave", ANNA)
        assert await homeserver.answer(room, question) == "Answer to And mine?"


# -- !stop --


async def test_stop_drops_what_is_asked_and_what_waited_goes_on(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = asking("Delete a?")
        homeserver, room = lab.homeserver, service.room
        homeserver.say(room, ANNA, "Do it")
        behind = homeserver.say(room, ANNA, "And then?")
        await homeserver.wait(lambda: bool(homeserver.sent(room)))
        await trio.sleep(5)
        assert lab.agent.questions == ["Do it"]
        assert await service.ask("!stop") == SAID.refused
        assert await homeserver.answer(room, behind) == "Answer to And then?"


async def test_stop_all_ends_what_waits_behind_a_confirmation(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = asking("Delete a?")
        homeserver, room = lab.homeserver, service.room
        homeserver.say(room, ANNA, "Do it")
        behind = homeserver.say(room, ANNA, "And then?")
        await homeserver.wait(lambda: bool(homeserver.sent(room)))
        assert await service.ask("!stop all") == TEXTS.questions.stopped_all(1)
        assert await homeserver.answer(room, behind) == TEXTS.answers.stopped
        assert await pending(service) == []


# -- expiry --


async def expire(service: Service) -> None:
    """Let the wall clock be past what is asked."""
    await service.change("UPDATE confirmations SET expires_at = ?", time.time() - 1)


async def test_what_expires_is_said_and_what_waited_goes_on(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = asking("Delete a?")
        homeserver, room = lab.homeserver, service.room
        homeserver.say(room, ANNA, "Do it")
        behind = homeserver.say(room, ANNA, "And then?")
        await homeserver.wait(lambda: bool(homeserver.sent(room)))
        await expire(service)
        assert await homeserver.answer(room, behind) == "Answer to And then?"
        await homeserver.wait(lambda: SAID.expired in told(homeserver, room))
        assert await service.ask("!yes") == SAID.nothing_pending
        await trio.sleep(600)
        assert told(homeserver, room) == [SAID.expired]


async def test_what_expired_while_the_service_was_away(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            await asked(service, "Delete a?")
            await expire(service)
            lab.crash()
        async with lab.service():
            await lab.homeserver.wait(lambda: bool(told(lab.homeserver, service.room)))
            await trio.sleep(60)
        assert told(lab.homeserver, service.room) == [SAID.expired]


async def test_a_word_just_after_it_expired_is_too_late(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            await asked(service, "Delete a?")
        late = lab.homeserver.say(service.room, ANNA, "!yes")
        async with lab.service(live=False) as idle:
            await expire(idle)
            await idle.caught_up()
            lab.crash()
        async with lab.service():
            answer = await lab.homeserver.answer(service.room, late)
        assert answer in {SAID.expired, SAID.nothing_pending}
        assert len(lab.agent.runs) == 1


async def test_the_agent_says_how_long_it_waits(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = asking("a?", expiresAt="2030-01-01T00:00:00Z")
        await service.ask("Do it")
        (found,) = await service.store.transact(confirmations.of_room, service.room)
        assert found.expires_at == pytest.approx(1_893_456_000, abs=5)


async def test_an_agent_whose_clock_is_wrong_leaves_a_minute(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = asking("a?", expiresAt="2001-01-01T00:00:00Z")
        await service.ask("Do it")
        assert await service.ask("!yes") == "Decided: [True]"


# -- !delete asks --


async def test_delete_asks_first(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        prompt = await service.ask("!delete")
        assert prompt == TEXTS.rooms.delete_prompt(600)
        assert await service.ask("Hello?") == prompt
        assert await service.ask("!no") == TEXTS.rooms.kept
        assert await service.ask("Hello?") == "Answer to Hello?"
        await service.ask("!delete")
        assert await service.ask("!stop") == TEXTS.rooms.kept
        assert lab.homeserver.rooms[service.room].membership(BOT) == "join"


async def test_what_delete_asks_expires(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("!delete")
        await expire(service)
        service.bridge.expiry.look_again()
        await lab.homeserver.wait(lambda: bool(told(lab.homeserver, service.room)))
        assert told(lab.homeserver, service.room) == [TEXTS.rooms.kept]
        assert await service.ask("!yes") == SAID.nothing_pending


async def test_only_the_owner_deletes(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        room = await service.new_chat(ANNA, BORIS)
        command = lab.homeserver.say(room, BORIS, "!delete")
        assert await lab.homeserver.answer(room, command) == TEXTS.rooms.owner_only


async def test_delete_puts_an_agents_question_aside(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await asked(service, "Delete a?")
        await service.ask("!delete")
        assert await pending(service) == ["delete"]
        await service.ask("!no")
        assert await service.ask("Go on") == "Answer to Go on"


async def test_the_answer_to_a_word_is_marked_as_the_commands(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await asked(service, "Delete a?")
        command = lab.homeserver.say(service.room, ANNA, "!yes")
        await lab.homeserver.answer(service.room, command)
        (final,) = lab.homeserver.finals(service.room, command)
        assert final["msgtype"] == "m.text"
        assert final[ANSWER_KEY]["question"] == command
