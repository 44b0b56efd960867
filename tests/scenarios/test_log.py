"""What the log tells of a service at work, at its most talkative, and what it never tells.

Synapse has no rate limits here.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio
from attrs import evolve

from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.settings_files import write_service_files
from lambda_matrix.demo.view import Answer
from lambda_matrix.message_ids import MessageId
from tests.lab.chatting import Chatting, Stack, open_stack
from tests.scenarios.test_files import picture, send_file, wait_files
from tests.scenarios.test_promises import reload

ALL = {"format": "json", "level": "debug"}
CANARY = "Kanarienvogel"

Record = dict[str, str]


@pytest.fixture
async def stack(synapse: Homeserver, tmp_path: Path) -> AsyncIterator[Stack]:
    async with open_stack(synapse, tmp_path, more={"log": ALL}) as opened:
        yield opened


def records(chatting: Chatting) -> list[Record]:
    """Return all that the service has logged; all of it is JSON."""
    return [json.loads(line) for line in chatting.service.log.splitlines()]


async def story(chatting: Chatting, answer: Answer) -> list[str]:
    """Return what is told of the request that the answer is to, and under its id."""
    mark = answer.parts[0].mark
    assert mark is not None
    told = await to_the_end(chatting, "request", mark.request)
    for each in told:
        assert each["level"] == "debug"
        assert each["event"] == mark.question
        assert each["room"] == chatting.chat
    assert told[0]["user"] == chatting.person.account.user_id
    return [each["message"] for each in told]


async def to_the_end(chatting: Chatting, field: str, value: str | None) -> list[Record]:
    """Return the records of that field; a person may see an answer before it is told to be sent."""
    with trio.fail_after(10):
        while True:
            told = [each for each in records(chatting) if each.get(field) == value]
            if told and told[-1]["message"].startswith("sent"):
                return told
            await trio.sleep(0.05)


def told_in_order(said: list[str], *beginnings: str) -> None:
    """Assert that these were told, in this order, with others between them or not."""
    rest = iter(said)
    for beginning in beginnings:
        assert any(line.startswith(beginning) for line in rest), (beginning, said)


async def test_a_healthy_day_is_quiet_and_no_text_is_ever_told(chatting: Chatting) -> None:
    for number in range(3):
        await chatting.ask(f"{CANARY} {number}")
    await chatting.answer(
        await send_file(chatting, f"{CANARY}.png", picture(30, 20), "image/png", msgtype="m.image")
    )
    assert CANARY in (await chatting.ask("What is it?")).text  # the file's name
    await chatting.ask("file png")
    await wait_files(chatting)
    edited = await chatting.say("slow 60 until it is edited")
    await chatting.growing(edited)
    await chatting.person.edit(chatting.chat, edited, f"{CANARY}, rather")
    assert CANARY in (await chatting.answer(edited)).text
    taken_back = await chatting.say(f"slow 60 {CANARY}")
    await chatting.growing(taken_back)
    await chatting.person.redact(chatting.chat, taken_back)
    assert "!yes" in (await chatting.ask("confirm")).text
    await chatting.ask(f"!no {CANARY}")
    for command in (f"!save {CANARY}", f"!rename {CANARY}", f"!nonsense {CANARY}", "!load 1"):
        await chatting.ask(command)
    for command in ("!help", "!chats", "!settings", "!context", "!clear", "!status", "!files"):
        await chatting.ask(command)
    await chatting.ask(CANARY, await chatting.new_chat(f"!new {CANARY}"))
    await chatting.service.stop()

    assert CANARY.lower() not in chatting.service.log.lower()
    loud = [each for each in records(chatting) if each["level"] != "debug"]
    told_in_order(
        [each["message"] for each in loud],
        "there is no database",
        "ready: ",
        f"space {chatting.space} made for {chatting.person.account.user_id}",
        "SIGTERM",
    )
    assert [each["level"] for each in loud] == ["info"] * len(loud)
    assert len(loud) <= 6, loud
    ready = next(each for each in loud if each["message"].startswith("ready: "))
    assert ready["message_id"] == MessageId.READY.value


async def test_one_match_tells_a_whole_story_and_texts_only_if_they_are_wanted(
    chatting: Chatting,
) -> None:
    answer = await chatting.ask("Hello?")
    told_in_order(
        await story(chatting, answer),
        "taken, for agent main",
        "run begun at agent main, attempt 1",
        "first text after ",
        "run ended after ",
        "answer committed: answered, ",
        f"sent as {answer.parts[0].event_id}",
    )
    run = next(each for each in records(chatting) if each["message"].startswith("run ended"))
    assert run["run"] == f"{run['request']}.1"
    assert run["agent"] == "main"

    answer = await chatting.ask("!help")
    mark = answer.parts[0].mark
    assert mark is not None
    told = await to_the_end(chatting, "event", mark.question)
    told_in_order([each["message"] for each in told], "command Help", "sent as ")

    write_service_files(evolve(chatting.stack.settings, more={"log": {**ALL, "texts": True}}))
    await reload(chatting)
    said = await story(chatting, await chatting.ask(f"{CANARY}?"))
    told_in_order(said, f"asked: {CANARY}?", f"answered: You said: {CANARY}?")


async def test_the_story_goes_on_after_a_kill(
    chatting: Chatting,
) -> None:
    question = await chatting.say("slow 4 one two three")
    await chatting.growing(question)
    await chatting.service.kill()
    await chatting.service.start()
    answer = await chatting.answer(question)
    told_in_order(
        await story(chatting, answer),
        "taken",
        "run begun at agent main, attempt 1",
        "sent",
        "run begun at agent main, attempt 2",
        "answer committed",
        "sent as ",
    )


async def test_an_agent_that_is_away_is_told_once_and_once_that_it_is_back(
    chatting: Chatting,
) -> None:
    await chatting.stack.agent.program.stop()
    answers = [await chatting.ask(f"{number}?") for number in range(2)]
    await chatting.stack.agent.program.start()
    await chatting.ask("and now?")
    loud = [each for each in records(chatting) if each["level"] != "debug"]
    away, back = loud[-2:]
    assert [each["message"] for each in loud if "failed" in each["message"]] == [
        away["message"],
        back["message"],
    ]
    assert (away["level"], back["level"]) == ("warning", "info")
    assert away["message_id"] == MessageId.AGENT_FAILS.value
    assert back["message"].startswith("agent main answers again; runs that had failed: 2 in")
    assert back["message_id"] == MessageId.AGENT_ANSWERS.value
    for answer in answers[1:]:  # each has its cause under its request all the same
        assert any("failed after" in line for line in await story(chatting, answer))
