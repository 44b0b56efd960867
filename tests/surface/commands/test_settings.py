"""`!agent`, `!settings`, `!set`."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from attrs import evolve
from trio.testing import MockClock

from lambda_matrix import __version__
from lambda_matrix.agent.registry import Registry
from lambda_matrix.conversation.catalogue.settings import (
    AgentLine,
    ChatFacts,
    Dashboard,
    SettingFacts,
)
from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.settings import (
    PersonSettings,
    ReplyStyle,
    SetLanguage,
    SetThreads,
    Threads,
)
from lambda_matrix.conversation.texts import Language, texts
from lambda_matrix.ids import AgentId, PlatformChatId
from lambda_matrix.store import people
from lambda_matrix.store.people import Pick
from lambda_matrix.store.records import RoomKind
from lambda_matrix.store.topology import rooms
from tests.lab.proxy import Answer
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import TEXTS, Lab, Service, open_lab

OTHER, BORIS_ONLY = AgentId("other"), AgentId("private")


def add_agents(lab: Lab) -> None:
    """One more agent for everybody, and one for Boris alone."""
    other = evolve(lab.entry, id=OTHER, name="Other One")
    private = evolve(lab.entry, id=BORIS_ONLY, name="Private", users=(BORIS,))
    entries = {entry.id: entry for entry in (lab.entry, other, private)}
    lab.registry = Registry(lab.entry.id, MappingProxyType(entries))


async def chosen(service: Service) -> PersonSettings:
    return await service.store.transact(people.settings, ANNA)


async def test_the_agents_that_one_may_use_are_listed_and_picked_from(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        add_agents(lab)
        async with lab.chat() as service:
            lines = [
                AgentLine("main", lab.entry.name, is_selected=True, is_here=True),
                AgentLine("other", "Other One"),
            ]
            assert await service.ask("!agent") == TEXTS.settings.agents(lines)
            pick = await service.store.transact(people.open_pick, ANNA, service.room)
            assert pick == Pick("agent", ("main", "other"))


async def test_an_agent_is_selected_for_new_rooms(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        add_agents(lab)
        async with lab.chat() as service:
            reply = TEXTS.settings.agent_selected("Other One", lab.entry.name)
            for choice in ("other", "2", "Other one"):
                assert await service.ask(f"!agent {choice}") == reply
            assert (await chosen(service)).agent == OTHER
            content = lab.homeserver.account_data[f"ru.coredump.lambda.person.{ANNA}"]
            assert content["agent"] == "other"
            await service.ask("!new")
            chats = await service.store.transact(rooms.rooms_of, ANNA, RoomKind.CHAT)
            assert {chat.agent for chat in chats} == {"main", "other"}


async def test_an_agent_that_is_not_theirs_is_not_there_for_them(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        add_agents(lab)
        async with lab.chat() as service:
            for choice, near in (("private", None), ("othre", "other"), ("3", None)):
                expected = TEXTS.settings.no_such_agent(choice, near)
                assert await service.ask(f"!agent {choice}") == expected
            assert await chosen(service) == PersonSettings()


async def test_who_loses_their_agent_gets_another(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        gone = PersonSettings(agent=AgentId("gone"))
        await service.store.transact(people.note_settings, ANNA, gone)
        await service.ask("!new")
        chats = await service.store.transact(rooms.rooms_of, ANNA, RoomKind.CHAT)
        assert [chat.agent for chat in chats] == ["main", "main"]


async def test_settings_are_changed_kept_and_shown(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("!set style plain")
        russian = texts(Language.RU)
        reply = russian.settings.changed(SetLanguage(Language.RU))
        assert await service.ask("!set language ru") == reply
        settings = PersonSettings(language=Language.RU, reply_style=ReplyStyle.PLAIN)
        assert await chosen(service) == settings
        facts = SettingFacts(language=Language.RU, settings=settings, threads=Threads.SHARED)
        assert await service.ask("!set") == russian.settings.all(facts)
        content = lab.homeserver.account_data[f"ru.coredump.lambda.person.{ANNA}"]
        assert (content["language"], content["reply_style"]) == ("ru", "plain")


async def test_threads_are_the_rooms_setting(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        reply = TEXTS.settings.changed(SetThreads(Threads.OWN))
        assert await service.ask("!set threads own") == reply
        room = await service.store.transact(rooms.room, service.room)
        assert room is not None
        assert room.own_threads


async def test_threads_are_of_a_chat(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.service() as service:
        lobby = lab.homeserver.direct_chat(ANNA)
        await lab.homeserver.wait(lambda: bool(lab.homeserver.sent(lobby)))
        refused = TEXTS.commands.not_here("!set threads own", Place.LOBBY)
        assert await service.ask("!set threads own", lobby) == refused


async def test_the_dashboard(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        room = await service.store.transact(rooms.room, service.room)
        assert room is not None
        dashboard = Dashboard(
            person=ANNA,
            space=None,
            agent=lab.entry.name,
            chat=ChatFacts(
                agent=lab.entry.name,
                platform_chat_id=room.platform_chat_id or PlatformChatId(0),
                messages=0,
            ),
            settings=SettingFacts(
                language=Language.EN, settings=PersonSettings(), threads=Threads.SHARED
            ),
            version=__version__,
        )
        assert await service.ask("!settings") == TEXTS.settings.dashboard(dashboard)


async def test_what_the_homeserver_will_not_keep_is_not_chosen(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        refused = Answer(413, b'{"errcode":"M_TOO_LARGE","error":"no"}')
        lab.proxy.spoil("PUT .*/account_data/", refused)
        assert await service.ask("!set style plain") == TEXTS.rooms.refused
        assert await chosen(service) == PersonSettings()
