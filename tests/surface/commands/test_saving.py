"""`!save`, `!load`, `!forget`: conversations under names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.account_data import SavedContext
from lambda_matrix.conversation.catalogue.contexts import LoadedFacts
from lambda_matrix.ids import EventId
from lambda_matrix.store import people
from lambda_matrix.store.conversations import saved
from lambda_matrix.store.people import Pick
from lambda_matrix.surface import history
from tests.lab.proxy import Answer, Hold
from tests.lab.small_homeserver import ANNA, BORIS
from tests.surface.bridging import TEXTS, AgentRun, Service, open_lab

SAYS = TEXTS.contexts
KEY = f"ru.coredump.lambda.saved.{ANNA}"
FORBIDDEN = Answer(403, b'{"errcode": "M_FORBIDDEN", "error": "no"}')


async def saved_by_anna(service: Service) -> tuple[SavedContext, ...]:
    return await service.store.transact(saved.saved_by, ANNA)


async def names(service: Service) -> list[str]:
    return [each.name for each in await saved_by_anna(service)]


def told(run: AgentRun) -> list[tuple[str, str]]:
    """What the agent was told, as (role, text)."""
    return [(message["role"], message["content"]) for message in run.input["messages"]]


def loaded(name: str, messages: int, **more: Any) -> str:
    return SAYS.loaded(LoadedFacts(name=name, messages=messages, **more))


async def test_what_is_saved_in_one_room_goes_on_in_another(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        first = lab.homeserver.say(service.room, ANNA, "One")
        await lab.homeserver.answer(service.room, first)
        await service.ask("!context")
        await service.ask("Two")
        assert await service.ask("!save Birds") == SAYS.saved("Birds", 4)
        await service.ask("Later")
        (kept,) = await saved_by_anna(service)
        assert (kept.messages, kept.agent, kept.size) == (4, "main", 3 + 13 + 3 + 13)
        other = await service.new_chat()
        await service.ask("Unrelated", other)
        assert await service.ask("!load birds", other) == loaded("Birds", 4)
        await service.ask("Three", other)
        *_, run = lab.agent.runs
        assert told(run) == [
            ("user", "One"),
            ("assistant", "Answer to One"),
            ("user", "Two"),
            ("assistant", "Answer to Two"),
            ("user", "Three"),
        ]
        answers = lab.homeserver.finals(service.room, first)
        ids = [message["id"] for message in run.input["messages"]]
        assert ids[0] == first
        (answered,) = lab.homeserver.about(service.room, first)
        assert ids[1] == answered["event_id"]
        assert len(answers) == 1
        assert run.input["threadId"] != lab.agent.runs[-2].input["threadId"]
        binding = lab.homeserver.room_account_data[other, "ru.coredump.lambda.binding"]
        (stretch,) = binding["loaded"]
        assert (stretch["room_id"], stretch["first_event"]) == (service.room, first)


async def test_a_conversation_that_was_loaded_is_saved_with_what_was_loaded(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        other = await service.new_chat()
        await service.ask("!load A", other)
        assert await service.ask("!save Same", other) == SAYS.saved("Same", 2)
        await service.ask("Two", other)
        assert await service.ask("!save B", other) == SAYS.saved("B", 4)
        third = await service.new_chat()
        assert await service.ask("!load B", third) == loaded("B", 4)
        assert SAYS.saved_list(()) not in await service.ask("!context", third)
        assert "B" in await service.ask("!context", third)
        await service.ask("Three", third)
        assert [text for role, text in told(lab.agent.runs[-1]) if role == "user"] == [
            "One",
            "Two",
            "Three",
        ]


async def test_what_a_chat_goes_on_from_is_its_owners_to_know(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("!rename Private matters")
        await service.ask("One")
        await service.ask("!save A")
        shared = await service.new_chat(ANNA, BORIS)
        await service.ask("!load A", shared)
        await service.ask("!forget A")
        assert "Private matters" in await service.ask("!context", shared)
        look = lab.homeserver.say(shared, BORIS, "!context")
        assert "Private matters" not in await lab.homeserver.answer(shared, look)


async def test_names_are_given_taken_and_kept_apart(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert await service.ask("!save") == SAYS.nothing_to_save
        other = await service.new_chat()
        await service.change("UPDATE rooms SET untitled = 0")  # they keep the name of Chat
        await service.ask("One")
        assert await service.ask("!save") == SAYS.saved("Chat", 2)
        await service.ask("Two")
        assert await service.ask("!save") == SAYS.saved_again("Chat", 4)
        await service.ask("Else", other)
        assert await service.ask("!save CHAT", other) == SAYS.name_taken("Chat")
        assert await service.ask("!save", other) == SAYS.saved("Chat (2)", 2)
        await service.ask("!clear", other)
        await service.ask("New", other)
        assert await service.ask("!save chat (2)", other) == SAYS.name_taken("Chat (2)")
        assert await names(service) == ["Chat", "Chat (2)"]
        content = lab.homeserver.account_data[KEY]
        assert [each["name"] for each in content["saved"]] == ["Chat", "Chat (2)"]


async def test_no_more_than_so_many_are_saved(
    clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(saved, "MOST_SAVED", 1)
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        assert await service.ask("!save B") == SAYS.too_many_saved(1)
        assert await service.ask("!save a") == SAYS.saved_again("A", 2)


async def test_a_bare_number_picks_from_the_list(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert await service.ask("!load") == SAYS.saved_list(())
        assert await service.store.transact(people.open_pick, ANNA, service.room) is None
        await service.ask("One")
        await service.ask("!save A")
        await service.ask("!save B")
        text = await service.ask("!load")
        assert text.index("A") < text.index("B")
        pick = await service.store.transact(people.open_pick, ANNA, service.room)
        assert pick == Pick("load", ("A", "B"))
        assert await service.ask("3") == TEXTS.commands.pick_out_of_range(2)
        assert await service.ask("2.") == loaded("B", 2)
        assert await service.ask("2") == "Answer to 2", "the pick is over"


@pytest.mark.parametrize("said", ["Never mind", "!context", "!!1"])
async def test_anything_else_cancels_the_pick(clock: MockClock, tmp_path: Path, said: str) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        await service.ask("!load")
        await service.ask(said)
        assert await service.ask("1") == "Answer to 1"


async def test_a_pick_is_its_readers_in_its_room(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        other = await service.new_chat()
        await service.ask("!load")
        assert await service.ask("1", other) == "Answer to 1"
        assert await service.ask("1") == loaded("A", 2)


async def test_a_pick_outlives_a_restart(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
            await service.ask("One")
            await service.ask("!save A")
            await service.ask("!load")
        async with lab.service() as service:
            assert await service.ask("1", room) == loaded("A", 2)


async def test_agents_are_picked_likewise(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("!agent")
        name = lab.entry.name
        assert await service.ask("1") == TEXTS.settings.agent_selected(name, name)


async def test_what_is_not_there_gets_the_nearest_name(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save Kingfisher")
        assert await service.ask("!load kingfishr") == SAYS.no_such_saved("kingfishr", "Kingfisher")
        assert await service.ask("!load 2") == SAYS.no_such_saved("2", None)
        assert await service.ask("!forget xyz") == SAYS.no_such_saved("xyz", None)
        assert await service.ask("!load 1") == loaded("Kingfisher", 2)
        assert await service.ask("!forget kingfisher") == SAYS.forgotten("Kingfisher")
        assert await names(service) == []
        assert lab.homeserver.account_data[KEY] == {"saved": []}


async def test_nobody_elses_are_there(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save Secret")
        his = await service.new_chat(BORIS)
        for command, reply in (
            ("!load", SAYS.saved_list(())),
            ("!load Secret", SAYS.no_such_saved("Secret", None)),
            ("!load 1", SAYS.no_such_saved("1", None)),
            ("!forget Secret", SAYS.no_such_saved("Secret", None)),
        ):
            said = lab.homeserver.say(his, BORIS, command)
            assert await lab.homeserver.answer(his, said) == reply
        said = lab.homeserver.say(his, BORIS, "!context")
        assert "Secret" not in await lab.homeserver.answer(his, said)
        assert await names(service) == ["Secret"]


async def test_what_is_theirs_no_more_is_not_loaded(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        other = await service.new_chat()
        await service.change("UPDATE rooms SET owner = ? WHERE room_id = ?", BORIS, service.room)
        before = dict(lab.homeserver.room_account_data)
        assert await service.ask("!load A", other) == SAYS.source_gone("A")
        assert lab.homeserver.room_account_data == before


async def test_a_chat_that_went_on_elsewhere_is_still_its_owners(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        other = await service.new_chat()
        await service.change(
            "UPDATE rooms SET owner = NULL, replaced_by = ? WHERE room_id = ?", other, service.room
        )
        assert await service.ask("!load A", other) == loaded("A", 2)


async def test_a_room_that_cannot_be_read_gets_a_sentence(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        other = await service.new_chat()
        lab.proxy.spoil(r"GET .*/context/", FORBIDDEN)
        assert await service.ask("!load A", other) == SAYS.source_gone("A")


async def test_older_stretches_that_are_gone_are_said_to_be_missing(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        await service.ask("!save A")
        second = await service.new_chat()
        await service.ask("!load A", second)
        await service.ask("Two", second)
        await service.ask("!save B", second)
        third = await service.new_chat()
        quoted = str(service.room).replace("!", "%21").replace(":", "%3A")
        lab.proxy.spoil(rf"GET .*/{quoted}/context/", FORBIDDEN)
        assert await service.ask("!load B", third) == loaded("B", 2, is_cut=True)


async def test_what_was_edited_or_taken_back_is_as_it_is_now(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        edited = lab.homeserver.say(service.room, ANNA, "Tpyo")
        await lab.homeserver.answer(service.room, edited)
        gone = lab.homeserver.say(service.room, ANNA, "Secret")
        await lab.homeserver.answer(service.room, gone)
        await service.ask("!save A")
        new = {"msgtype": "m.text", "body": "Typo"}
        relation = {"rel_type": "m.replace", "event_id": edited}
        lab.homeserver.say(
            service.room, ANNA, "* Typo", **{"m.new_content": new, "m.relates_to": relation}
        )
        forged = {**new, "body": "Forged"}
        lab.homeserver.say(
            service.room, BORIS, "* F", **{"m.new_content": forged, "m.relates_to": relation}
        )
        lab.homeserver.redact(service.room, gone, ANNA)
        other = await service.new_chat()
        await lab.homeserver.wait(
            lambda: not [e for e in lab.homeserver.about(service.room, gone) if e["content"]]
        )
        assert await service.ask("!load A", other) == loaded("A", 2, left_out=2)
        await service.ask("Now", other)
        assert told(lab.agent.runs[-1]) == [
            ("user", "Typo"),
            ("assistant", "Answer to Tpyo"),
            ("user", "Now"),
        ]


async def test_what_is_taken_back_after_the_loading_is_told_no_more(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        gone = lab.homeserver.say(service.room, ANNA, "Secret")
        await lab.homeserver.answer(service.room, gone)
        await service.ask("One")
        await service.ask("!save A")
        other = await service.new_chat()
        await service.ask("!load A", other)
        (answer,) = lab.homeserver.about(service.room, gone)
        lab.homeserver.redact(service.room, gone, ANNA)
        await lab.homeserver.wait(lambda: not answer["content"])
        await service.caught_up()
        await service.ask("!status", service.room)
        await service.ask("Now", other)
        assert [text for _, text in told(lab.agent.runs[-1])] == ["One", "Answer to One", "Now"]


async def test_what_was_saved_comes_back_after_the_loss_of_the_database(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
            await service.ask("One")
            await service.ask("!save A")
            (before,) = await saved_by_anna(service)
        lab.lose_database()
        async with lab.service() as service:
            await service.bind(room)
            assert "A" in await service.ask("!load", room)
            (after,) = await saved_by_anna(service)
            assert after == evolve(before, saved_at=after.saved_at)
            assert abs(after.saved_at - before.saved_at) < 0.01
            assert await service.ask("1", room) == loaded("A", 2)


async def test_a_list_that_cannot_be_kept_is_not_changed(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("One")
        lab.proxy.spoil(r"PUT .*/account_data/ru\.coredump\.lambda\.saved", FORBIDDEN)
        assert await service.ask("!save A") == TEXTS.rooms.refused
        assert await names(service) == []


async def test_a_saving_that_was_cut_off_is_no_second_one(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            room = service.room
            await service.ask("One")
            hold = Hold(answer=True)
            rule = lab.proxy.spoil(
                r"PUT .*/account_data/ru\.coredump\.lambda\.saved", hold, times=1
            )
            command = lab.homeserver.say(room, ANNA, "!save A")
            await hold.caught.wait()
        lab.proxy.mend(rule)
        async with lab.service():
            await lab.homeserver.answer(room, command)
            (reply,) = lab.homeserver.about(room, command)
            assert reply["content"]["body"] == SAYS.saved("A", 2)


async def test_saving_twice_at_once_loses_neither(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        await service.ask("One")
        await service.ask("Two", other)
        both = [
            (room, lab.homeserver.say(room, ANNA, f"!save {name}"))
            for room, name in ((service.room, "A"), (other, "B"))
        ]
        for room, command in both:
            await lab.homeserver.answer(room, command)
        assert sorted(await names(service)) == ["A", "B"]
        content = lab.homeserver.account_data[KEY]
        assert sorted(each["name"] for each in content["saved"]) == ["A", "B"]


async def test_a_thread_of_its_own_is_saved_alone(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        root = lab.homeserver.say(service.room, ANNA, "Root")
        await lab.homeserver.answer(service.room, root)
        await service.ask("!set threads own")

        async def in_thread(text: str, of: EventId = root) -> str:
            relation = {"m.relates_to": {"rel_type": "m.thread", "event_id": of}}
            said = lab.homeserver.say(service.room, ANNA, text, **relation)
            return await lab.homeserver.answer(service.room, said)

        assert await in_thread("!save Nothing") == SAYS.nothing_to_save
        await in_thread("In thread")
        await service.ask("Outside")
        assert await in_thread("!save Thread") == SAYS.saved("Thread", 2)
        assert await in_thread("!load Thread", EventId("$second")) == loaded("Thread", 2)
        await in_thread("Go on", EventId("$second"))
        assert [text for _, text in told(lab.agent.runs[-1])] == [
            "In thread",
            "Answer to In thread",
            "Go on",
        ]
        await service.ask("Main")
        assert told(lab.agent.runs[-1]) == [("user", "Main")]


async def test_of_a_long_conversation_the_newest_is_taken(
    clock: MockClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_MESSAGES", 3)
    monkeypatch.setattr(history, "PAGE", 1)
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        for number in range(3):
            await service.ask(f"Q{number}")
        await service.ask("!save A")
        second = await service.new_chat()
        assert await service.ask("!load A", second) == loaded("A", 4, is_cut=True)
        await service.ask("Q3", second)
        await service.ask("!save B", second)
        third = await service.new_chat()
        assert await service.ask("!load B", third) == loaded("B", 6, is_cut=True)
        monkeypatch.setattr(history, "MOST_MESSAGES", 1)
        assert await service.ask("!load B", third) == loaded("B", 2, is_cut=True)
        monkeypatch.setattr(history, "BOUND", 2)
        assert await service.ask("!load A", third) == loaded("A", 0, is_cut=True)


async def test_what_was_loaded_does_not_take_the_place_of_more(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        other = await service.new_chat()
        await service.ask("One")
        await service.ask("!save Trip")
        await service.ask("!load Trip", other)
        await service.ask("Two")
        assert await service.ask("!save Trip") == SAYS.saved_again("Trip", 4)
        taken = SAYS.name_taken("Trip")
        assert await service.ask("!save Trip", other) == taken
