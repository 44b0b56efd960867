"""What the persons do: have their rooms made, and then talk while the faults happen."""

from __future__ import annotations

from typing import assert_never

import trio

from lambda_matrix.demo.person import Person
from lambda_matrix.ids import RoomId
from tests.faults.commands import use_commands
from tests.faults.fault import Meanwhile
from tests.faults.plan import CHATS
from tests.faults.world import World
from tests.lab.chatting import invited


async def onboard(world: World) -> None:
    """Anna gets two chats, Boris one."""
    anna, boris = world.people["anna"], world.people["boris"]
    first = await _begin(world, "anna", anna)
    await world.say(anna, world.direct["anna"], "!new")
    second = await _next_chat(world, anna, {first})
    other = await _begin(world, "boris", boris)
    world.rooms |= dict(zip(CHATS, (first, second, other), strict=True))
    world.made |= {"anna": 3, "boris": 2}
    world.onboarded.set()


async def _begin(world: World, name: str, person: Person) -> RoomId:
    world.direct[name] = await person.direct_chat(world.bot)
    world.invited()
    chat = await _next_chat(world, person, set())
    space = await invited(person, world.bot, set(), is_space=True, within=world.patience)
    await person.join(space)
    world.spaces[name] = space
    return chat


async def _next_chat(world: World, person: Person, known: set[RoomId]) -> RoomId:
    chat = await invited(person, world.bot, known, is_space=False, within=world.patience)
    await person.join(chat)
    return chat


async def talk(world: World, meanwhile: Meanwhile) -> None:
    """Do what the persons do meanwhile."""
    match meanwhile:
        case Meanwhile.ASK:
            await _ask(world)
        case Meanwhile.COMMAND:
            await use_commands(world)
            await _ask(world)
        case Meanwhile.NOTHING:
            pass
        case _:
            assert_never(meanwhile)


async def _ask(world: World) -> None:
    for question in world.plan.questions:
        await trio.sleep(question.pause)
        await world.ask(question.chat, question.text)
