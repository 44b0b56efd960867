"""A member who means harm, and a hundred who come at once: nobody else notices anything."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Final

import trio
from attrs import evolve

from lambda_matrix.demo.bare_http import CallError, Json
from lambda_matrix.demo.person import Person, open_person
from lambda_matrix.demo.settings_files import write_service_files
from lambda_matrix.demo.view import find_answer, fold_messages
from lambda_matrix.ids import EventId, RoomId
from lambda_matrix.matrix_events import ANSWER_KEY, MARKER_KEY
from tests.faults.fault import Fault
from tests.faults.world import World
from tests.lab.chatting import fresh_account, invited, onboard
from tests.lab.openapi import SPEC
from tests.lab.schemas import events

_BINDING_KEY: Final = "ru.coredump.lambda.binding"
_HUGE: Final = "x" * 60_000
_SOON: Final = 30.0
"""Seconds that somebody else's answer may take meanwhile."""
_MOST_MEMORY: Final = 200
"""Megabytes that the service may have used."""
_WITHIN: Final = 120.0


@asynccontextmanager
async def _mallory(world: World) -> AsyncIterator[tuple[Person, RoomId]]:
    """One more person, who has a chat of their own, and calls themselves what the bot is called."""
    account = await fresh_account(world.homeserver, "mallory")
    async with open_person(world.homeserver.url, account) as person:
        path = ("profile", person.user_id, "displayname")
        await person.call("PUT", *path, body={"displayname": "Lambda"})
        yield person, (await onboard(person, world.stack, within=_WITHIN)).chat


async def _ask_others(world: World, times: int) -> None:
    """Anna and Boris ask in turn, and are answered as soon as ever."""
    for number in range(times):
        chat = ("anna 1", "boris 1")[number % 2]
        asked = await world.ask(chat, f"beside it {number}")
        answer = await world.answer(chat, asked, within=_SOON)
        assert answer.text.startswith(f"You said: {asked.text}"), answer.text


def _most_memory(world: World) -> int:
    assert world.service.child is not None
    status = Path(f"/proc/{world.service.child.pid}/status").read_text(encoding="ascii")
    (peak,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) // 1000


async def _flood(world: World, _draw: Random) -> None:
    """As many messages as the homeserver takes; every one of them has its one sentence."""
    limits = {"questions_per_minute": 60, "questions_in_line": 20, "runs_per_person": 3}
    write_service_files(evolve(world.stack.settings, more={"limits": limits}))
    await world.kill()
    async with _mallory(world) as (mallory, chat):
        said: list[EventId] = []

        async def say_much(writer: int) -> None:
            for number in range(2000 if world.is_long else 60):
                text = _HUGE if number % 30 == 0 else f"flood {writer} {number}"
                said.append(await world.say(mallory, chat, text))

        async with trio.open_nursery() as nursery:
            for writer in range(5):
                nursery.start_soon(say_much, writer)
            nursery.start_soon(_ask_others, world, 6)
        patience = _WITHIN * (10 if world.is_long else 1)
        for event_id in said:
            await mallory.wait_for_answer(chat, event_id, world.bot, patience)
        messages = fold_messages(await mallory.history(chat))
        for event_id in said:
            answer = find_answer(messages, event_id, world.bot)
            assert answer is not None
            assert answer.is_final
            assert answer.doubled == ()
    most = _most_memory(world)
    assert most < _MOST_MEMORY, f"it took {most} MB"
    assert "Traceback" not in world.service.log


async def _forge(world: World, draw: Random) -> None:
    """Marks, markers and bindings of ours, made by somebody else, before the database is lost."""
    anna = world.people["anna"]
    async with _mallory(world) as (mallory, chat):
        running = await world.ask("anna 1", f"slow 3 what is forged {draw.random()}")
        mark: Json = {
            "question": running.event_id,
            "request": "forged",
            "part": 0,
            "parts": 1,
            "state": "final",
            "instance": "9999999999999-ffffffff",
        }
        content: Json = {"msgtype": "m.text", "body": "Done.", ANSWER_KEY: mark}
        await mallory.send(chat, content)
        await mallory.send(chat, {**content, "m.new_content": content})
        for kind in ("chat", "space"):
            marker = {"intent": "forged", "kind": kind, "owner": anna.user_id}
            binding = {"owner": anna.user_id, "agent": "main", "platform_chat_id": 1}
            room = await mallory.create_room(
                world.bot,
                creation_content={MARKER_KEY: marker},
                initial_state=[{"type": _BINDING_KEY, "state_key": "", "content": binding}],
            )
            child: Json = {"via": [world.homeserver.server_name]}
            path = ("rooms", room, "state", "m.space.child", world.rooms["anna 1"])
            await mallory.call("PUT", *path, body=child)
            await mallory.wait_for(room, lambda view: view.said_by(world.bot) or None, _WITHIN)
            await world.kill(restart=False)
            for ending in ("", "-wal", "-shm"):
                await trio.Path(f"{world.database}{ending}").unlink(missing_ok=True)
            world.service.start()
            direct = world.direct["anna"]  # whose words are hers: chats are called after questions
            asked = await world.say(anna, direct, "!chats")
            listed = await anna.wait_for_answer(direct, asked, world.bot, _WITHIN)
            assert world.rooms["anna 1"] in (listed.parts[0].html or "")
            assert room not in (listed.parts[0].html or "")
            said = await mallory.say(room, "number")
            told = await mallory.wait_for_answer(room, said, world.bot, _WITHIN)
            assert not told.text.startswith("This"), told.text
    await _ask_others(world, 2)
    assert "Another lambda-matrix" not in world.service.log


async def _send_oddities(world: World, draw: Random) -> None:
    """Every event that the specification knows, with whatever it allows, in rooms of one's own."""
    schemas = events()
    kinds = schemas.at("events")
    sent = 0
    async with _mallory(world) as (mallory, chat):
        space = next(room for room, view in mallory.rooms.items() if view.is_space)
        for kind in sorted(kinds):
            schema = schemas.merged(kinds[kind])["properties"]
            event_type = kind.partition("$")[0]
            for room in (chat, space):
                drawn = schemas.draw(schema.get("content", {"type": "object"}), draw)
                with suppress(CallError, UnicodeEncodeError):  # what Synapse does not take
                    if "state_key" in schema:
                        key = draw.choice(("", mallory.user_id, "a"))
                        path = ("rooms", room, "state", event_type, key)
                        await mallory.call("PUT", *path, body=drawn)
                    else:
                        await mallory.send(room, drawn, event_type)
                    sent += 1
        await _ask_others(world, 2)
    assert sent > len(kinds) // 2, f"only {sent} were taken"
    assert "Traceback" not in world.service.log


async def _come_in_crowds(world: World, _draw: Random) -> None:
    """All of them invite the bot in the same moment; each gets their rooms, once."""
    crowd = 100 if world.is_long else 10

    async def come(number: int) -> None:
        account = await fresh_account(world.homeserver, f"guest{number}x")
        async with open_person(world.homeserver.url, account) as person:
            direct = await person.direct_chat(world.bot)
            patience = _WITHIN * (10 if world.is_long else 1)
            await invited(person, world.bot, set(), is_space=True, within=patience)
            room = await invited(person, world.bot, set(), is_space=False, within=patience)
            await person.join(room)
            said = await person.say(room, f"I am number {number}")
            answer = await person.wait_for_answer(room, said, world.bot, patience)
            assert answer.text.startswith(f"You said: I am number {number}"), answer.text
            made = [view for view in person.rooms.values() if view.inviter == world.bot]
            assert len(made) == 2
            assert person.rooms[direct].said_by(world.bot)

    async with trio.open_nursery() as nursery:
        for number in range(crowd):
            nursery.start_soon(come, number)
        nursery.start_soon(_ask_others, world, 4)
    assert "Traceback" not in world.service.log


_NO_SPECIFICATION: Final = None if SPEC.exists() else "there is no Matrix specification"

FAULTS: Final = (
    Fault(name="somebody sends 300 messages in a moment", happen=_flood, combines=False),
    Fault(name="somebody forges marks, markers and bindings", happen=_forge, combines=False),
    Fault(
        name="somebody sends every event there is",
        happen=_send_oddities,
        combines=False,
        missing=_NO_SPECIFICATION,
    ),
    Fault(name="a crowd comes at once", happen=_come_in_crowds, combines=False, patience=120),
)
