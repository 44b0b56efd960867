"""What an agent is asked: the new question alone, or all of the conversation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.ids import EventId
from lambda_matrix.store import housekeeping
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.questions import confirmations
from lambda_matrix.store.topology import rooms
from tests.lab.proxy import Answer, Hold
from tests.lab.small_homeserver import ANNA, BOT
from tests.surface.bridging import (
    TEXTS,
    AgentRun,
    Lab,
    Service,
    answer_at_once,
    open_lab,
    say_nothing,
)


def told(run: AgentRun) -> list[str]:
    """The texts of what the agent was told."""
    return [message["content"] for message in run.input["messages"]]


def reply(to: EventId) -> dict[str, Any]:
    return {"m.relates_to": {"m.in_reply_to": {"event_id": to}}}


async def ask_in_reply(lab: Lab, service: Service, to: EventId, text: str = "Why?") -> AgentRun:
    question = lab.homeserver.say(service.room, ANNA, text, **reply(to))
    await lab.homeserver.answer(service.room, question)
    return lab.agent.runs[-1]


async def test_an_agent_that_remembers_gets_the_question_alone(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("Two")
        assert [told(run) for run in lab.agent.runs] == [["One"], ["Two"]]


async def test_one_that_does_not_gets_the_conversation(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history="client")
        async with lab.chat() as service:
            for text in ("One", "!context", "Two", "!clear", "Three"):
                await service.ask(text)
            assert [told(run) for run in lab.agent.runs] == [
                ["One"],
                ["One", "Answer to One", "Two"],
                ["Three"],
            ]


async def test_what_it_is_told_is_read_back_where_it_is_not_here(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history="client")
        async with lab.chat() as service:
            for text in ("Old", "!save Old", "!clear", "!load Old", "One", "!context"):
                await service.ask(text)
            room = await service.store.transact(rooms.room, service.room)
            assert room is not None
            assert room.platform_chat_id is not None
            await service.change("DELETE FROM messages")
            await service.change("UPDATE contexts SET is_whole = 0")
            await service.ask("Two")
            expected = ["Old", "Answer to Old", "One", "Answer to One", "Two"]
            assert told(lab.agent.runs[-1]) == expected
            await service.ask("Three")
            assert told(lab.agent.runs[-1]) == [*expected, "Answer to Two", "Three"]
            context = await service.store.transact(contexts.context, room.platform_chat_id)
            assert context is not None
            assert context.is_whole


async def test_what_cannot_be_read_back_keeps_nobody_waiting(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history="client")
        async with lab.chat() as service:
            await service.ask("One")
            await service.change("DELETE FROM messages")
            await service.change("UPDATE contexts SET is_whole = 0")
            lab.proxy.spoil(r"GET .*/context/", Answer(403, b'{"errcode": "M_FORBIDDEN"}'))
            await service.ask("Two")
            assert told(lab.agent.runs[-1]) == ["Two"]
            lab.proxy.mend()
            await service.ask("Three")
            assert told(lab.agent.runs[-1])[0] == "One"


async def test_a_homeserver_that_is_silent_about_the_past_keeps_nobody_waiting(
    clock: MockClock, tmp_path: Path
) -> None:
    """It would keep one of the few runs there are, too."""
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history="client")
        async with lab.chat() as service:
            await service.ask("One")
            await service.change("DELETE FROM messages")
            await service.change("UPDATE contexts SET is_whole = 0")
            lab.proxy.spoil(r"GET .*/context/", Hold())
            question = lab.homeserver.say(service.room, ANNA, "Two")
            answer = await lab.homeserver.answer(service.room, question, within=300)
            assert answer == "Answer to Two"
            assert told(lab.agent.runs[-1]) == ["Two"]


async def test_messages_that_were_forgotten_are_read_back(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history="client")
        async with lab.chat() as service:
            await service.ask("One")
            await service.change("UPDATE rooms SET membership = 'leave'")
            await service.store.transact(housekeeping.forget_old, 30.0)
            await service.change("UPDATE rooms SET membership = 'join'")
            await service.ask("Two")
            assert told(lab.agent.runs[-1]) == ["One", "Answer to One", "Two"]


async def test_what_a_question_replies_to_goes_along(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        first = lab.homeserver.say(service.room, ANNA, "One\ntwo")
        await lab.homeserver.answer(service.room, first)
        assert told(await ask_in_reply(lab, service, first)) == ["> One\n> two\n\nWhy?"]
        assert lab.proxy.made("GET .*/event/") == [], "it is remembered"
        (answer,) = lab.homeserver.about(service.room, first)
        run = await ask_in_reply(lab, service, answer["event_id"])
        assert told(run) == ["> Answer to One\n> two\n\nWhy?"]


async def test_the_newest_text_of_it_does(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        original = lab.homeserver.say(service.room, BOT, "Old")
        new = {"msgtype": "m.text", "body": "x" * 5_000}
        relation = {"rel_type": "m.replace", "event_id": original}
        edit = {"m.new_content": new, "m.relates_to": relation}
        lab.homeserver.say(service.room, BOT, "* x", **edit)
        (text,) = told(await ask_in_reply(lab, service, original))
        assert text == f"> {'x' * 3_999}…\n\nWhy?"


@pytest.mark.parametrize(
    ("content", "quoted"),
    [
        ({"msgtype": "m.image", "body": "a.png", "url": "mxc://example.org/a"}, "a.png"),
        ({"msgtype": "m.location", "body": "Here", "geo_uri": "geo:1,2"}, None),
        ({"body": "  "}, None),
    ],
)
async def test_of_other_things_what_can_be_said(
    clock: MockClock, tmp_path: Path, content: dict[str, str], quoted: str | None
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        said = lab.homeserver.say(service.room, BOT, **content)
        (text,) = told(await ask_in_reply(lab, service, said))
        assert text == ("Why?" if quoted is None else f"> {quoted}\n\nWhy?")


async def test_what_cannot_be_had_at_once_is_done_without(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert told(await ask_in_reply(lab, service, EventId("$nowhere"))) == ["Why?"]
        said = lab.homeserver.say(service.room, BOT, "Slow")
        hold = Hold()
        lab.proxy.spoil("GET .*/event/", hold)
        assert told(await ask_in_reply(lab, service, said)) == ["Why?"]
        hold.release()


async def ask_for_a_word(run: AgentRun) -> None:
    """End to ask, the first time; answer everything else."""
    if run.input.get("resume"):
        await run.answer("As you say")
        return
    if run.question != "Do it":
        await answer_at_once(run)
        return
    await run.start()
    await run.text("May I?")
    interrupt = {"id": "i1", "reason": "confirmation", "message": "Really?"}
    await run.finish(outcome={"type": "interrupt", "interrupts": [interrupt]})


@pytest.mark.parametrize("history", ["agent", "client"])
async def test_an_agent_is_told_that_its_question_was_dropped_before_it_is_asked_anew(
    clock: MockClock, tmp_path: Path, history: str
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history=history)
        lab.agent.behave = ask_for_a_word
        async with lab.chat() as service:
            await service.ask("Do it")
            await service.store.transact(confirmations.close, ANNA, service.room)
            assert await service.ask("Something else") == "Answer to Something else"
            _, dropped, asked = lab.agent.runs
            assert dropped.input["resume"] == [{"interruptId": "i1", "status": "cancelled"}]
            assert "Something else" not in told(dropped)
            assert "resume" not in asked.input
            assert told(asked)[-1] == "Something else"
            ids = {run.input["forwardedProps"]["requestId"] for run in (dropped, asked)}
            assert len(ids) == 2
            await service.ask("And now?")
            assert len(lab.agent.runs) == 4, "it is told once"


async def test_an_agent_that_will_not_hear_of_it_is_asked_all_the_same(
    clock: MockClock, tmp_path: Path
) -> None:
    async def behave(run: AgentRun) -> None:
        if run.input.get("resume"):
            await run.socket.aclose()
            return
        await ask_for_a_word(run)

    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = behave
        async with lab.chat() as service:
            await service.ask("Do it")
            await service.store.transact(confirmations.close, ANNA, service.room)
            assert await service.ask("Something else") == "Answer to Something else"


async def test_a_word_goes_with_nothing_new(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(history="client")
        lab.agent.behave = ask_for_a_word
        async with lab.chat() as service:
            asked = await service.ask("Do it")
            assert TEXTS.confirmations.nothing_pending not in asked
            lab.homeserver.say(service.room, ANNA, "!yes")
            run = await lab.agent.run(2)
            assert run.input["resume"][0]["status"] == "resolved"
            assert told(run) == ["Do it", "May I?"]


async def test_an_agent_knows_a_question_again_though_the_database_was_lost(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = say_nothing
        async with lab.chat() as service:
            room = service.room
            question = lab.homeserver.say(room, ANNA, "Send the letter")
            await lab.agent.run()
            lab.lose_database()
        async with lab.service(live=False) as service:
            await service.caught_up()
            await service.bind(room)  # as the recovery of rooms does it
            lab.agent.behave = answer_at_once
            async with trio.open_nursery() as nursery:
                await nursery.start(service.bridge.run)
                assert await lab.homeserver.answer(room, question) == "Answer to Send the letter"
                nursery.cancel_scope.cancel()
        before, after = (run.input for run in lab.agent.runs)
        assert before["forwardedProps"]["requestId"] == after["forwardedProps"]["requestId"]
        assert before["runId"] != after["runId"]
        assert [message["id"] for message in after["messages"]] == [question]
