"""What a person does with the commands: each is given when the one before is answered.

Each has an effect that the questions after it show: what the agent remembers, which rooms there
are, who is in them.
"""

from __future__ import annotations

from typing import Final

from lambda_matrix.demo.view import text_at
from lambda_matrix.ids import RoomId
from tests.faults.world import World

_FIRST: Final = "anna 1"
_EXTRA: Final = "anna extra"
_BOUND: Final = "anna bound"
_UPGRADED: Final = "anna upgraded"
_OVER: Final = "This chat is over"
_MOST_CONSENTS: Final = 5
"""What waits for a word is lost with the database, and asked for again."""


async def use_commands(world: World) -> None:
    """Go through them all."""
    for part in (_remember, _look, _consent, _put_away, _end, _bind):
        await part(world)


async def _remember(world: World) -> None:
    await _ask(world, _FIRST, "heron")
    await world.tell(_FIRST, "!save Birds", "Saved as “Birds”: 2 messages")
    await world.tell(_FIRST, "!clear", "Done, we start afresh")
    world.numbers[_FIRST] = 0
    await _ask(world, _FIRST, "wren")
    await world.tell(_FIRST, "!load Birds", "We go on from “Birds”, in a fresh context: 2 messages")
    world.numbers[_FIRST] = 1
    await _ask(world, _FIRST, "rook")
    await world.tell(_FIRST, "!forget Birds", "“Birds” is no longer saved")
    await world.tell(_FIRST, "!rename Garden", "This chat is now called “Garden”")


async def _look(world: World) -> None:
    await world.tell(_FIRST, "!help", "This is what I understand")
    await world.tell(_FIRST, "!chats", ".*Garden")
    await world.tell(_FIRST, "!set language ru", "Готово: `язык` теперь `ru`")
    await world.tell(_FIRST, "!set language en", "Done: `language` is now `en`")
    await world.answer(_FIRST, await world.ask_for_file(_FIRST))


async def _consent(world: World) -> None:
    event_id, _ = await world.say_numbered(_FIRST, "confirm")
    asked = world.expect(_FIRST, event_id, "confirm", "I may do this only with your word")
    await world.answer(_FIRST, asked)
    await world.tell(_FIRST, "!yes", r"Decided:\s+- \S+: done")
    await _ask(world, _FIRST, "swift")


async def _put_away(world: World) -> None:
    anna, space, chat = world.people["anna"], world.spaces["anna"], world.rooms[_FIRST]
    # Killed half done, a command may find its own work already there, and say so.
    await world.tell(_FIRST, "!archive", "This chat is archived")
    await anna.wait_for(space, lambda view: chat not in view.children, world.patience)
    await world.tell(_FIRST, "!unarchive", "Welcome back!|This chat is not archived")
    await anna.wait_for(space, lambda view: chat in view.children, world.patience)
    await _ask(world, _FIRST, "owl")


async def _end(world: World) -> None:
    await world.open_chat(_EXTRA, "Extra")
    for _ in range(_MOST_CONSENTS):
        await world.tell(_EXTRA, "!delete", r"Shall I delete this chat\?")
        answer = await world.tell(_EXTRA, "!yes", _OVER)
        if answer.text.startswith(_OVER):
            break
    await _wait_membership(world, world.rooms[_EXTRA], "leave")
    world.close(_EXTRA)


async def _bind(world: World) -> None:
    """A room of Anna's own becomes a chat, and is upgraded."""
    anna = world.people["anna"]
    room = world.rooms[_BOUND] = await anna.create_room(world.bot, name="Ours")
    await _wait_membership(world, room, "join")
    await world.tell(_BOUND, "!bind", "This room is a chat now")
    await _ask(world, _BOUND, "crane")
    made = await anna.call("POST", "rooms", room, "upgrade", body={"new_version": "12"})
    new = RoomId(str(made["replacement_room"]))
    await anna.invite(new, world.bot)
    await _wait_membership(world, new, "join")
    world.close(_BOUND)
    world.rooms[_UPGRADED], world.numbers[_UPGRADED] = new, world.numbers[_BOUND]
    world.follows[_UPGRADED] = _BOUND
    await _ask(world, _UPGRADED, "stork")


async def _ask(world: World, chat: str, text: str) -> None:
    await world.answer(chat, await world.ask(chat, f"{text} {world.plan.seed}"))


async def _wait_membership(world: World, room: RoomId, membership: str) -> None:
    await world.people["anna"].wait_for(
        room,
        lambda view: (
            text_at(view.state.get(("m.room.member", world.bot), {}), "membership") == membership
        ),
        world.patience,
        f"the bot to {membership}",
    )
