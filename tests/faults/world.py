"""The world of one run, as faults and persons act on it."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Final

import trio
from attrs import define, field

from lambda_matrix.conversation.texts_en import english
from lambda_matrix.demo.bare_http import CallError, Json
from lambda_matrix.demo.homeserver import Homeserver
from lambda_matrix.demo.own_programs import Restartable
from lambda_matrix.demo.person import Person
from lambda_matrix.demo.view import Answer
from lambda_matrix.ids import EventId, RoomId, UserId
from tests.faults.count import Asked
from tests.faults.own_homeserver import OwnHomeserver
from tests.faults.plan import Plan, person_of
from tests.faults.supervised import Supervised
from tests.lab.chatting import Stack, invited
from tests.lab.proxy import Proxy

_SERVER_ERROR = 500
_SAY_AGAIN = 0.3
PLEASE_REPEAT: Final = english("!").commands.please_repeat
"""What is said to a command that may have been lost."""


@define
class World:
    """What there is in one run. Faults use what is here, and nothing of the campaign's.

    Attributes:
        plan: What was drawn for this run.
        is_long: Whether this is the long form: what lasts may last longer.
        stack: The homeserver, the proxy before it, the agent's program, the settings.
        service: The service under something like systemd (`stack.service` is not used).
        own: The homeserver's process, for a fault that asks for one (`own_homeserver`).
        people: The persons' clients, "anna" and "boris".
        rooms: The chats by their labels; `closed` those in which nothing more will be said.
        spaces: The persons' Spaces, `direct` their direct chats with the bot.
        asked: All that was said in a chat and wants an answer, in order.
        numbers: How many messages the agent knows of each chat's conversation.
        follows: Which chat goes on from which other one.
        made: How many rooms the bot is to have made for each person.
        onboarded: Set when the persons have their rooms.
        late: How many of the service's kills were not at the moment that was meant.
    """

    plan: Plan
    is_long: bool
    stack: Stack
    service: Supervised
    own: OwnHomeserver | None = None
    people: dict[str, Person] = field(factory=dict)
    rooms: dict[str, RoomId] = field(factory=dict)
    closed: dict[str, RoomId] = field(factory=dict)
    spaces: dict[str, RoomId] = field(factory=dict)
    direct: dict[str, RoomId] = field(factory=dict)
    asked: dict[str, list[Asked]] = field(factory=dict)
    numbers: dict[str, int] = field(factory=dict)
    follows: dict[str, str] = field(factory=dict)
    made: dict[str, int] = field(factory=dict)
    late: int = 0
    onboarded: trio.Event = field(factory=trio.Event)
    _in_turn: dict[str, trio.Lock] = field(factory=dict)
    _said: trio.Event = field(factory=trio.Event)

    @property
    def bot(self) -> UserId:
        """The service's user."""
        return self.stack.bot

    @property
    def proxy(self) -> Proxy:
        """What stands between the service and the homeserver."""
        return self.stack.proxy

    @property
    def agent(self) -> Restartable:
        """The agent's process."""
        return self.stack.agent.program

    @property
    def homeserver(self) -> Homeserver:
        """The homeserver, as persons reach it."""
        return self.stack.homeserver

    @property
    def state(self) -> Path:
        """The service's state directory; the database in it is `database`."""
        return self.stack.settings.directory / "state"

    @property
    def database(self) -> Path:
        """The service's database, beside it its -wal and -shm."""
        return self.state / "lambda-matrix.db"

    # -- persons --

    def person(self, chat: str) -> Person:
        """Whose chat it is."""
        return self.people[person_of(chat)]

    async def ask(self, chat: str, text: str) -> Asked:
        """Say a question in a chat, and note that it wants an answer."""
        event_id, number = await self.say_numbered(chat, text)
        return self.note(chat, Asked.question(event_id, text, number))

    async def ask_for_file(self, chat: str) -> Asked:
        """Have the agent give a file."""
        event_id, _ = await self.say_numbered(chat, "file photo")
        asked = Asked(event_id, "file photo", "Here is a file", files=1)
        return self.note(chat, asked)

    async def say_numbered(self, chat: str, text: str) -> tuple[EventId, int]:
        """Say what the agent will remember as its so manieth message."""
        # In turn, so that the numbers are those of the room's order.
        async with self._in_turn.setdefault(chat, trio.Lock()):
            event_id = await self.say(self.person(chat), self.rooms[chat], text)
            number = self.numbers[chat] = self.numbers.get(chat, 0) + 1
        return event_id, number

    def expect(self, chat: str, event_id: EventId, text: str, says: str) -> Asked:
        """Note that what was said wants an answer that begins as the expression `says`."""
        return self.note(chat, Asked(event_id, text, says))

    async def tell(self, chat: str, command: str, says: str) -> Answer:
        """Give a command, and wait for the reply; give it again if it was lost with the database.

        Raises:
            NotSeenError: there is no reply.
        """
        while True:
            asked = await self.command(chat, command, says)
            answer = await self.answer(chat, asked)
            if not answer.text.startswith(PLEASE_REPEAT):
                return answer

    async def command(self, chat: str, text: str, says: str) -> Asked:
        """Give a command, the reply to which begins as the expression `says`."""
        event_id = await self.say(self.person(chat), self.rooms[chat], text)
        return self.expect(chat, event_id, text, says)

    def close(self, chat: str) -> None:
        """Note that nothing more will be said in the chat; what was said there is counted."""
        self.closed[chat] = self.rooms.pop(chat)

    async def open_chat(self, chat: str, name: str) -> None:
        """Have another chat made by !new in the person's first one, and join it."""
        person, first = self.person(chat), f"{person_of(chat)} 1"
        known = set(person.rooms)
        await self.tell(first, f"!new {name}", "Your new chat")
        self.made[person_of(chat)] += 1
        room = await invited(person, self.bot, known, is_space=False, within=self.patience)
        await person.join(room)
        self.rooms[chat] = room

    async def answer(self, chat: str, asked: Asked, within: float | None = None) -> Answer:
        """Wait for the whole answer; raises NotSeenError."""
        patience = self.patience if within is None else within
        room = self.rooms[chat]
        return await self.person(chat).wait_for_answer(room, asked.event_id, self.bot, patience)

    @property
    def patience(self) -> float:
        """Seconds that an answer may take."""
        return max(fault.patience for fault in self.plan.faults)

    def note(self, chat: str, asked: Asked) -> Asked:
        """Note what wants an answer."""
        self.asked.setdefault(chat, []).append(asked)
        self._tell()
        return asked

    async def say(self, person: Person, room: RoomId, text: str) -> EventId:
        """Say it as a client does: again while the homeserver is away, in the same transaction."""
        path = ("rooms", room, "send", "m.room.message", secrets.token_hex(8))
        body: Json = {"msgtype": "m.text", "body": text}
        while True:
            try:
                return EventId(str((await person.call("PUT", *path, body=body))["event_id"]))
            except CallError as error:
                if error.status is not None and error.status < _SERVER_ERROR:
                    raise
            await trio.sleep(_SAY_AGAIN)

    # -- moments --

    def invited(self) -> None:
        """Tell whoever waits that the bot was invited."""
        self._tell()

    async def wait_said(self, count: int) -> None:
        """Wait until so many things were said, in all chats together; 0 is the first invite."""
        while not self.direct:
            await self._said.wait()
        while sum(map(len, self.asked.values())) < count:
            await self._said.wait()

    async def wait_seen(self, count: int, *, whole: bool) -> None:
        """Wait until Anna has seen so many answers, or, without `whole`, beginnings of answers."""
        anna = self.people["anna"]

        def seen() -> bool:
            answers = [
                anna.rooms[self.rooms[chat]].answer(asked.event_id, self.bot)
                for chat, all_asked in self.asked.items()
                if self.person(chat) is anna
                for asked in all_asked
            ]
            return sum(bool(one) and one.is_final >= whole for one in answers if one) >= count

        await anna.wait_until(seen, float("inf"))

    # -- what befalls the service --

    async def kill(self, *, restart: bool = True) -> None:
        """SIGKILL the service; it is started again unless `restart` is False."""
        await self.service.kill(restart=restart)

    def _tell(self) -> None:
        self._said.set()
        self._said = trio.Event()
