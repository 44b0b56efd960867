"""What the commands do, from the room's side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix import __version__
from lambda_matrix.agent.registry import Registry
from lambda_matrix.conversation.access import Access
from lambda_matrix.conversation.commands import TakesOnly
from lambda_matrix.conversation.help import help_text
from lambda_matrix.ids import AgentId
from lambda_matrix.matrix_events import ANSWER_KEY
from tests.lab.proxy import Answer, Hold
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import POLICY, SEND, TEXTS, in_steps, open_lab, say_nothing
from tests.surface.rooms.test_onboarding import onboarded


async def test_help_lists_the_commands(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert await service.ask("!help") == help_text(TEXTS, "!")
        assert await service.ask("!помощь") == help_text(TEXTS, "!")
        assert lab.agent.runs == []


async def test_commands_work_while_a_run_is_on(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        lab.homeserver.say(service.room, ANNA, "Think")
        await lab.agent.run()
        lab.homeserver.say(service.room, ANNA, "And then?")
        began = trio.current_time()
        status = await service.ask("!status")
        assert trio.current_time() - began < 5
        assert "1 being answered, 1 waiting" in status
        assert "answering, 1 waiting" in await service.ask("!chats")


async def test_new_makes_a_chat_and_says_where(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, space, chat = await onboarded(lab)
        command = lab.homeserver.say(chat, ANNA, "!new Garden party")
        reply = await lab.homeserver.answer(chat, command)
        assert "Garden party" in reply
        (garden,) = {*lab.homeserver.rooms_of_kind(ANNA, "chat")} - {chat}
        assert lab.homeserver.rooms[garden].membership(ANNA) == "invite"
        children = [e for e in lab.homeserver.rooms[space].state() if e["type"] == "m.space.child"]
        assert {event["state_key"] for event in children} == {chat, garden}
        assert await service.ask("Hello?", garden) == "Answer to Hello?"
        first, second = (run.input["threadId"] for run in lab.agent.runs[:1] * 2)
        assert first == second
        assert await service.ask("Hello?", chat) == "Answer to Hello?"
        assert lab.agent.runs[0].input["threadId"] != lab.agent.runs[1].input["threadId"]
        assert "Garden party" in await service.ask("!chats", lobby)


async def test_chats_keep_their_order_through_a_clear(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, _, chat = await onboarded(lab)
        await service.ask("!new Garden party", chat)
        before = await service.ask("!chats", lobby)
        await service.ask("!clear", chat)
        assert await service.ask("!chats", lobby) == before
        way = await service.ask("Hello?", lobby)
        assert chat in way, "the first chat is the first one still"


async def test_whoever_may_use_no_agent_gets_no_chat_that_nobody_answers_in(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(users=(BORIS,))
        async with lab.chat() as service:
            assert await service.ask("!new Garden party") == TEXTS.settings.agents(())
            assert not lab.homeserver.created


async def test_new_before_a_crash_makes_one_room(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hold = Hold(answer=True)
        async with lab.service():
            lobby, _, _ = await onboarded(lab)
            rule = lab.proxy.spoil("POST .*/createRoom", hold)
            command = lab.homeserver.say(lobby, ANNA, "!new Garden")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            assert "Garden" in await lab.homeserver.answer(lobby, command)
            await trio.sleep(60)
        assert len(lab.homeserver.created) == 3
        assert len(lab.homeserver.finals(lobby, command)) == 1


async def test_a_reply_survives_a_crash_and_is_said_once(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            hold = Hold(answer=True)
            rule = lab.proxy.spoil(SEND, hold)
            command = lab.homeserver.say(service.room, ANNA, "!help")
            await hold.caught.wait()
            lab.crash()
        lab.proxy.mend(rule)
        async with lab.service():
            await lab.homeserver.answer(service.room, command)
            await trio.sleep(60)
        assert len(lab.homeserver.finals(service.room, command)) == 1


async def test_chats_without_any(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service():
        hold = Hold()
        rule = lab.proxy.spoil("POST .*/createRoom", hold)
        lobby = lab.homeserver.direct_chat(ANNA)
        await hold.caught.wait()
        command = lab.homeserver.say(lobby, ANNA, "!chats")
        assert await lab.homeserver.answer(lobby, command) == TEXTS.rooms.chats(())
        anything = lab.homeserver.say(lobby, ANNA, "Hello?")
        assert await lab.homeserver.answer(lobby, anything) == TEXTS.onboarding.started
        lab.proxy.mend(rule)
        await lab.homeserver.wait(lambda: len(lab.homeserver.created) == 2)
        await trio.sleep(5)
        anything = lab.homeserver.say(lobby, ANNA, "Hello?")
        assert TEXTS.rooms.chat_name(1) in await lab.homeserver.answer(lobby, anything)
        assert lab.agent.runs == []


async def test_status_says_whether_the_agent_is_there(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            status = await service.ask("!status")
            assert "reachable" in status
            assert "connected" in status
            assert __version__ in status
        lab.registry = Registry(AgentId("other"), {})
        async with lab.service() as service_without_agent:
            status = await service_without_agent.ask("!status", service.room)
            assert "no longer there" in status


async def test_an_admin_is_told_the_services_figures(clock: MockClock, tmp_path: Path) -> None:
    policy = evolve(POLICY, admins=Access((BORIS,)))
    async with open_lab(clock, tmp_path) as lab, lab.chat(policy=policy) as service:
        room = await service.new_chat(BORIS)
        lab.agent.behave = say_nothing
        lab.homeserver.say(service.room, ANNA, "Think")
        await lab.agent.run()
        assert "The service has run" not in await service.ask("!status")
        asked = lab.homeserver.say(room, BORIS, "!status")
        status = await lab.homeserver.answer(room, asked)
        assert "The service has run for " in status
        assert "2 rooms, people: 2" in status
        assert "In all: 1 being answered, 0 waiting" in status
        assert "Lambda (not asked yet)" in status
        assert not any(name in status for name in (ANNA, BORIS, service.room, room))


async def test_status_is_about_the_agent_that_one_may_use(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        hidden = evolve(lab.entry, name="Hidden", users=(BORIS,))
        open_to_all = evolve(lab.entry, id=AgentId("open"), name="Open to all")
        lab.registry = Registry(hidden.id, {each.id: each for each in (hidden, open_to_all)})
        async with lab.chat() as service:
            status = await service.ask("!status")
            assert "not open to you" in status
            direct, _, _ = await onboarded(lab)
            status = await service.ask("!status", direct)
            assert "Open to all: reachable" in status


async def test_what_is_refused_is_logged_without_what_was_said(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("Hello?")
        forbidden = Answer(403, json.dumps({"errcode": "M_FORBIDDEN", "error": "no"}).encode())
        lab.proxy.spoil(r"PUT .*/account_data/", forbidden)
        assert await service.ask("!save my secret plan") == TEXTS.rooms.refused
        assert "command Save refused" in caplog.text
        assert "secret" not in caplog.text


async def test_status_while_the_homeserver_is_silent(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert service.bridge.rounds.age is not None
        assert service.bridge.running.count == 0


async def test_what_is_not_understood_is_said(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert "!help" in await service.ask("!hlep")
        assert await service.ask("!stop everything at once") == TEXTS.commands.bad_argument(
            "!stop [all]", TakesOnly("all")
        )
        (first, _) = lab.homeserver.sent(service.room)
        assert first["content"]["msgtype"] == "m.notice"
        assert lab.agent.runs == []


async def test_stop_in_the_lobby_stops_nothing(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby, _, chat = await onboarded(lab)
        lab.agent.behave = in_steps("Done", pause=10)
        question = lab.homeserver.say(chat, ANNA, "Work")
        await lab.agent.run()
        assert await service.ask("!stop", lobby) == TEXTS.questions.nothing_to_stop
        assert await lab.homeserver.answer(chat, question) == "Done"
        assert lab.homeserver.finals(chat, question)[0][ANSWER_KEY]["state"] == "final"
