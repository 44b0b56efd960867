"""What was said, when nobody here knows any more what became of it: the database was lost."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.ids import EventId, PlatformChatId, RoomId, UserId
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.records import NewContext, RoomKind
from lambda_matrix.store.topology import rooms
from tests.lab.proxy import Answer, Hold
from tests.lab.small_homeserver import ANNA, BORIS, BOT
from tests.surface.bridging import (
    SEND,
    TEXTS,
    AgentRun,
    Lab,
    Service,
    answer_at_once,
    open_lab,
    say_nothing,
)

TO_US = {"m.mentions": {"user_ids": [BOT]}}
LOST = TEXTS.service.memory_lost
OLD_NUMBER = PlatformChatId(1)
NEW_NUMBER = PlatformChatId(5000)


async def chat_of(lab: Lab, *people: UserId) -> RoomId:
    """A chat in which one question has its answer."""
    async with lab.service() as service:
        room = await service.new_chat(*people)
        question = lab.homeserver.say(room, ANNA, "Lambda: before", **TO_US)
        assert await lab.homeserver.answer(room, question) == "Answer to before"
        await trio.sleep(5)
    return room


@asynccontextmanager
async def recovered(
    lab: Lab,
    *chats: RoomId,
    prepare: Callable[[Service], Awaitable[None]] | None = None,
    loses: bool = True,
) -> AsyncIterator[Service]:
    """A start without the database; the chats are bound again, as reconciliation does it."""
    if loses:
        lab.lose_database()
    async with lab.service(live=False) as service:
        await service.caught_up()
        for room in chats:
            await service.bind(room)
        if prepare is not None:
            await prepare(service)
        async with trio.open_nursery() as nursery:
            await nursery.start(service.bridge.run)
            yield service
            nursery.cancel_scope.cancel()


def said_to(lab: Lab, room: RoomId, event: EventId) -> list[str]:
    """What was said to an event in the end."""
    return [content["body"] for content in lab.homeserver.finals(room, event)]


# -- commands --


@pytest.mark.parametrize("command", ["!help", "!nonsense"])
async def test_a_command_that_does_no_harm_is_obeyed_once(
    clock: MockClock, tmp_path: Path, command: str
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        missed = lab.homeserver.say(room, ANNA, command)
        async with recovered(lab, room):
            answer = await lab.homeserver.answer(room, missed)
        assert answer != TEXTS.commands.please_repeat
        async with recovered(lab, room):
            await trio.sleep(60)
        assert said_to(lab, room, missed) == [answer]


@pytest.mark.parametrize("command", ["!rename X", "!load X"])
async def test_one_that_may_have_been_obeyed_is_to_be_repeated(
    clock: MockClock, tmp_path: Path, command: str
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        missed = lab.homeserver.say(room, ANNA, command)
        later = lab.homeserver.say(room, ANNA, "And then?")
        async with recovered(lab, room):
            assert await lab.homeserver.answer(room, later) == "Answer to And then?"
            repeated = lab.homeserver.say(room, ANNA, "!set language en")
            await lab.homeserver.answer(room, repeated)
        assert said_to(lab, room, missed) == [TEXTS.commands.please_repeat]
        assert said_to(lab, room, repeated) != [TEXTS.commands.please_repeat], "there is no doubt"


@pytest.mark.parametrize("word", ["!yes", "!no"])
async def test_a_word_without_its_prompt_is_told_so(
    clock: MockClock, tmp_path: Path, word: str
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        missed = lab.homeserver.say(room, ANNA, word)
        number = lab.homeserver.say(room, ANNA, "2")
        async with recovered(lab, room):
            assert await lab.homeserver.answer(room, number) == "Answer to 2", "an ordinary text"
        assert said_to(lab, room, missed) == [TEXTS.confirmations.lost]


async def test_nothing_is_doubted_while_nothing_is_lost(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        missed = lab.homeserver.say(room, ANNA, "!rename X")
        async with lab.service():
            assert await lab.homeserver.answer(room, missed) != TEXTS.commands.please_repeat


async def test_a_beginning_that_has_no_end_is_taken_back(clock: MockClock, tmp_path: Path) -> None:
    """A word was being passed on to an agent when all was lost."""
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        word = lab.homeserver.say(room, ANNA, "!yes")
        begun = {"question": word, "request": "r", "part": 0, "parts": 1, "state": "open"}
        mark = {"ru.coredump.lambda.answer": {**begun, "instance": "0000000000001-before"}}
        lab.homeserver.say(room, BOT, "I am doing", **mark)
        async with recovered(lab, room):
            assert await lab.homeserver.answer(room, word) == TEXTS.confirmations.lost
            await lab.homeserver.wait(lambda: "I am doing" not in lab.homeserver.bodies(room))


# -- what stood open --


async def consent(run: AgentRun) -> None:
    await run.start()
    await run.finish(
        outcome={"type": "interrupt", "interrupts": [{"id": "i", "reason": "r", "message": "Do?"}]}
    )


async def test_a_prompt_that_nobody_waits_behind_any_more_is_confessed_once(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        lab.agent.behave = consent
        async with lab.service() as service:
            await service.ask("Delete it", room)
            await trio.sleep(5)
        for _ in range(2):
            async with recovered(lab, room):
                await lab.homeserver.wait(lambda: LOST in lab.homeserver.bodies(room))
                await trio.sleep(60)
        assert lab.homeserver.bodies(room).count(LOST) == 1
        lab.agent.behave = answer_at_once
        async with recovered(lab, room) as service:
            assert await service.ask("Go on", room) == "Answer to Go on"
        async with recovered(lab, room):
            await trio.sleep(60)
        assert lab.homeserver.bodies(room).count(LOST) == 1


@pytest.mark.parametrize("how", ["!no", "!clear", "it expires"])
async def test_a_prompt_that_is_over_is_not_confessed(
    clock: MockClock, tmp_path: Path, how: str
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        lab.agent.behave = consent
        cleared: list[EventId] = []
        async with lab.service() as service:
            await service.ask("Delete it", room)
            lab.agent.behave = answer_nothing
            if how.startswith("!"):
                cleared.append(lab.homeserver.say(room, ANNA, how))
                await lab.homeserver.answer(room, cleared[0])
            else:
                await service.change("UPDATE confirmations SET expires_at = 1")
                service.bridge.expiry.look_again()
                expired = TEXTS.confirmations.expired
                await lab.homeserver.wait(lambda: expired in lab.homeserver.bodies(room))
            await trio.sleep(5)

        async def clear(service: Service) -> None:
            if how == "!clear":
                await begin_anew(service, room, cleared[0])

        async with recovered(lab, room, prepare=clear):
            await trio.sleep(60)
        assert LOST not in lab.homeserver.bodies(room)


async def answer_nothing(run: AgentRun) -> None:
    await run.answer("So be it.")


async def only_to_a_word(run: AgentRun) -> None:
    await (run.answer("So be it.") if "resume" in run.input else say_nothing(run))


async def begin_anew(service: Service, room: RoomId, since: EventId) -> None:
    """The binding says that the chat's context began with `since`."""
    agent = service.lab.registry.default
    new = NewContext(platform_chat_id=NEW_NUMBER, room_id=room, agent=agent, since_event=since)
    await service.store.transact(contexts.begin, new)


def send(lab: Lab, room: RoomId, name: str) -> EventId:
    url = lab.homeserver.repository.add(b"\x89PNG\r\n\x1a\n" + bytes(100))
    return lab.homeserver.say(room, ANNA, name, msgtype="m.file", url=url, info={"size": 108})


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    root = tmp_path / "agents" / "main"
    root.mkdir(parents=True)
    return root


@pytest.mark.parametrize("was_staged", [True, False])
async def test_files_that_waited_are_confessed_once_and_not_taken_in_again(
    clock: MockClock, tmp_path: Path, workspace: Path, *, was_staged: bool
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=workspace)
        room = await chat_of(lab, ANNA)
        if was_staged:
            async with lab.service():
                await lab.homeserver.answer(room, send(lab, room, "one.png"))
                await trio.sleep(5)
        else:
            send(lab, room, "one.png")
            send(lab, room, "two.png")
        for _ in range(2):
            async with recovered(lab, room):
                await lab.homeserver.wait(lambda: LOST in lab.homeserver.bodies(room))
                await trio.sleep(60)
        assert lab.homeserver.bodies(room).count(LOST) == 1
        async with recovered(lab, room) as service:
            await service.ask("What is it?", room)
        assert lab.agent.runs[-1].input["messages"][-1]["content"] == "What is it?"


async def test_files_that_went_along_are_not_confessed(
    clock: MockClock, tmp_path: Path, workspace: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=workspace)
        room = await chat_of(lab, ANNA)
        lab.agent.behave = answer_nothing
        async with lab.service() as service:
            send(lab, room, "one.png")
            await service.ask("What is it?", room)
            await trio.sleep(5)
        async with recovered(lab, room):
            await trio.sleep(60)
        assert LOST not in lab.homeserver.bodies(room)


# -- what is told once --


async def test_what_is_told_once_is_not_told_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        strange = lab.homeserver.chat_of_bot(ANNA)
        encrypted = lab.homeserver.chat_of_bot(BORIS)
        lab.homeserver.add(
            encrypted, "m.room.encryption", {"algorithm": "m.megolm"}, BORIS, state_key=""
        )
        direct = lab.homeserver.direct_chat(ANNA)
        async with lab.service():
            await lab.homeserver.wait(lambda: len(lab.homeserver.bodies(direct)) == 1)
            lab.homeserver.say(strange, ANNA, "Hello?")
            lab.homeserver.add(encrypted, "m.room.encrypted", {"ciphertext": "x"}, BORIS)
            await lab.homeserver.wait(lambda: len(lab.homeserver.bodies(strange)) == 1)
            await lab.homeserver.wait(lambda: len(lab.homeserver.bodies(encrypted)) == 1)
            await trio.sleep(60)
        before = [lab.homeserver.bodies(room) for room in (strange, encrypted, direct)]
        lab.homeserver.say(strange, ANNA, "Hello again?")
        lab.homeserver.add(encrypted, "m.room.encrypted", {"ciphertext": "y"}, BORIS)
        for room in (strange, encrypted, direct):
            lab.homeserver.say(room, ANNA, "A notice", msgtype="m.notice")
        lab.homeserver.timeline_limit = 1  # our own words lie in the gap

        async def bind(service: Service) -> None:
            await service.store.transact(rooms.make_direct, direct, ANNA)
            await service.bind(lab.homeserver.room_of_kind(ANNA, "chat"))
            await service.bind(lab.homeserver.room_of_kind(ANNA, "space"), ANNA, RoomKind.SPACE)

        async with recovered(lab, prepare=bind):
            await trio.sleep(60)
        assert [lab.homeserver.bodies(room) for room in (strange, encrypted, direct)] == before


# -- questions --


async def test_a_question_from_before_a_clear_stays_in_what_was_cleared(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        lab.agent.behave = say_nothing
        async with lab.service():
            lab.homeserver.say(room, ANNA, "Running")
            await lab.agent.run(2)
            old = lab.agent.runs[0].input["threadId"]
            waiting = lab.homeserver.say(room, ANNA, "Waiting")
            hold = Hold()
            lab.proxy.spoil(SEND, hold)
            clear = lab.homeserver.say(room, ANNA, "!clear")
            await hold.caught.wait()
        later = lab.homeserver.say(room, ANNA, "Later")
        lab.proxy.mend()
        lab.agent.behave = answer_at_once

        async def cleared(service: Service) -> None:
            await begin_anew(service, room, clear)

        async with recovered(lab, room, prepare=cleared):
            assert await lab.homeserver.answer(room, waiting) == "Answer to Waiting"
            assert await lab.homeserver.answer(room, later) == "Answer to Later"
            await trio.sleep(30)
        threads = {run.question: run.input["threadId"] for run in lab.agent.runs}
        assert threads["Waiting"] == threads["Running"] == old != threads["Later"]
        assert len(said_to(lab, room, waiting)) == 1


async def test_without_any_answer_before_a_clear_it_has_a_context_of_its_own(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.service() as service:
            room = await service.new_chat()
        first, second = (lab.homeserver.say(room, ANNA, each) for each in ("First", "Second"))
        clear = lab.homeserver.say(room, ANNA, "!context")
        later = lab.homeserver.say(room, ANNA, "Later")

        async def cleared(service: Service) -> None:
            await begin_anew(service, room, clear)

        async with recovered(lab, room, prepare=cleared):
            for question in (first, second, later):
                await lab.homeserver.answer(room, question)
        threads = {run.question: run.input["threadId"] for run in lab.agent.runs}
        assert threads["First"] == threads["Second"] != threads["Later"] == str(NEW_NUMBER)


async def test_what_waited_behind_somebody_elses_word_is_found_behind_later_answers(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA, BORIS)
        async with lab.service() as service:
            lab.agent.behave = consent
            asked = lab.homeserver.say(room, ANNA, "Lambda: delete it", **TO_US)
            await lab.homeserver.answer(room, asked)
            waiting = lab.homeserver.say(room, BORIS, "Lambda: and I?", **TO_US)
            await service.caught_up()
            lab.agent.behave = only_to_a_word
            word = lab.homeserver.say(room, ANNA, "!yes")
            assert await lab.homeserver.answer(room, word) == "So be it."
            await lab.agent.run(4)
            await trio.sleep(5)
        assert not lab.homeserver.finals(room, waiting)
        lab.agent.behave = answer_at_once
        lab.homeserver.say(room, ANNA, "A notice", msgtype="m.notice")
        lab.homeserver.timeline_limit = 1
        async with recovered(lab, room):
            assert await lab.homeserver.answer(room, waiting) == "Answer to and I?"
            await trio.sleep(60)
        assert len(said_to(lab, room, waiting)) == len(said_to(lab, room, word)) == 1


async def test_what_was_begun_goes_on_and_the_rest_of_it_is_made_anew(
    clock: MockClock, tmp_path: Path
) -> None:
    """Two parts of three had been sent; the answer that is made now has two."""
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        question = lab.homeserver.say(room, ANNA, "Tell me")
        for part in range(2):
            of = {"question": question, "request": "r", "part": part, "parts": 3, "state": "final"}
            mark = {"ru.coredump.lambda.answer": {**of, "instance": "0000000000001-before"}}
            lab.homeserver.say(room, BOT, f"Old part {part}", **mark)
        async with recovered(lab, room):
            await lab.homeserver.wait(
                lambda: any("Answer to Tell me" in each for each in lab.homeserver.bodies(room))
            )
            await lab.homeserver.wait(lambda: "Old part 1" not in lab.homeserver.bodies(room))
        (root, edit) = (
            event
            for event in lab.homeserver.about(room, question)
            if event["content"].get("body") is not None
        )
        assert edit["content"]["m.relates_to"]["event_id"] == root["event_id"]
        assert len(lab.agent.runs) == 2


async def test_what_is_taken_back_takes_a_forgotten_answer_along(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        answered = next(
            content["ru.coredump.lambda.answer"]["question"]
            for event in lab.homeserver.sent(room)
            if (content := event["content"])
        )
        async with recovered(lab, room):
            lab.homeserver.redact(room, answered, ANNA)
            await lab.homeserver.wait(lambda: lab.homeserver.bodies(room) == [""])


# -- an older state of the database --


async def test_in_an_older_state_a_command_is_doubted(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        old = lab.directory.with_name("old")
        shutil.copytree(lab.directory, old)
        async with lab.service() as service:
            await service.ask("Later", room)
        lab.directory = old
        missed = lab.homeserver.say(room, ANNA, "!rename X")
        async with lab.service():
            assert await lab.homeserver.answer(room, missed) == TEXTS.commands.please_repeat


async def test_a_file_of_an_agents_is_not_sent_again(
    clock: MockClock, tmp_path: Path, workspace: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.with_agent(workspace=workspace)
        room = await chat_of(lab, ANNA)
        lab.agent.behave = offer_a_file(workspace)
        async with lab.service():
            hold = Hold()
            rule = lab.proxy.spoil(r"POST .*/media/v3/upload", hold)
            lab.homeserver.say(room, ANNA, "Draw")
            await hold.caught.wait()
            await trio.sleep(5)
            old = lab.directory.with_name("old")
            shutil.copytree(lab.directory, old)
            lab.proxy.mend(rule)
            await lab.homeserver.wait(lambda: "picture.png" in lab.homeserver.bodies(room))
            await trio.sleep(5)
        lab.directory = old
        async with lab.service():
            await trio.sleep(60)
        assert lab.homeserver.bodies(room).count("picture.png") == 1


def offer_a_file(root: Path) -> Callable[[AgentRun], Awaitable[None]]:
    async def behave(run: AgentRun) -> None:
        folder = next((root / "chats").iterdir(), None) if (root / "chats").exists() else None
        folder = folder or root / "chats" / run.input["threadId"]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        value: dict[str, Any] = {"path": f"/workspace/chats/{folder.name}/picture.png"}
        await run.start()
        await run.text("Here it is.")
        await run.say({"type": "CUSTOM", "name": "file", "value": value})
        await run.finish()

    return behave


async def test_a_room_that_was_made_is_not_made_again(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        room = await chat_of(lab, ANNA)
        async with lab.service():
            hold = Hold()
            rule = lab.proxy.spoil(r"PUT .*/user/.*/account_data/", hold)
            command = lab.homeserver.say(room, ANNA, "!new")
            await hold.caught.wait()
            old = lab.directory.with_name("old")
            shutil.copytree(lab.directory, old)
            lab.proxy.mend(rule)
            await lab.homeserver.answer(room, command)
            await trio.sleep(5)
        lab.directory = old
        async with lab.service():
            await trio.sleep(60)
        assert len(lab.homeserver.created) == 1
        assert len(said_to(lab, room, command)) == 1


# -- a token that the homeserver refuses --


def refuse_the_token(lab: Lab, *, of_messages: bool = False) -> None:
    """The homeserver knows nothing of the token that the service has."""
    refusal = Answer(400, b'{"errcode": "M_UNKNOWN_POS", "error": "What is this?"}')
    lab.proxy.spoil(r"GET .*/sync\?.*since=", refusal, times=2)
    if of_messages:
        lab.proxy.spoil(r"GET .*/messages\?.*[?&]to=", refusal)


@pytest.mark.parametrize("of_messages", [False, True])
async def test_with_a_refused_token_nothing_is_lost_and_nothing_twice(
    clock: MockClock, tmp_path: Path, *, of_messages: bool
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        chats = [await chat_of(lab, ANNA) for _ in range(3)]
        refuse_the_token(lab, of_messages=of_messages)
        missed: dict[RoomId, list[EventId]] = {room: [] for room in chats}
        for number in range(120):
            for room in chats:
                missed[room].append(lab.homeserver.say(room, ANNA, f"Q{number:03d}"))
        renamed = lab.homeserver.say(chats[0], ANNA, "!rename X")
        async with lab.service():
            for room in chats:
                await lab.homeserver.answer(room, missed[room][-1], within=3000)
            await lab.homeserver.answer(chats[0], renamed)
            await trio.sleep(60)
        for room in chats:
            answers = [body for body in lab.homeserver.bodies(room) if body.startswith("Answer")]
            assert answers == ["Answer to before", *(f"Answer to Q{n:03d}" for n in range(120))]
        assert said_to(lab, chats[0], renamed) != [TEXTS.commands.please_repeat]
        assert TEXTS.service.gap not in lab.homeserver.bodies(chats[0])
