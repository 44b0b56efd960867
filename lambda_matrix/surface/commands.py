"""What the commands do. They act at once, also while a run is on, and never reach the agent.

Each command's effect, its reply and the settlement of its event are one transaction; a room to be
made is an intent, and its reply comes with the room.
"""

from attrs import frozen

from lambda_matrix import __version__
from lambda_matrix.agent.probe import probe
from lambda_matrix.agent.registry import Registry
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.commands import (
    BadArgument,
    Chats,
    Command,
    Help,
    NewChat,
    Status,
    Stop,
    UnknownCommand,
)
from lambda_matrix.conversation.help import help_text
from lambda_matrix.conversation.texts import ChatLine, StatusFacts
from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import EncryptedMessage, TextMessage
from lambda_matrix.store import intents, requests, rooms
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records import Draft, Ourselves, Room, RoomKind
from lambda_matrix.store.store import Store
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.links import room_link, server_name, way_to_chats
from lambda_matrix.surface.rooms.provisioning import Provisioning
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.runs.answering import Running
from lambda_matrix.surface.sending.outbox import Outbox
from lambda_matrix.surface.writing.wording import reply_draft


@frozen
class Commands:
    """Executes commands, and says the sentences that are nobody's question."""

    _store: Store
    _ourselves: Ourselves
    _registry: Registry
    _prefix: str
    _running: Running
    _provisioning: Provisioning
    _rounds: Rounds
    _outbox: Outbox
    _languages: Languages

    async def execute(self, command: Command, room: Room, message: TextMessage) -> None:
        """Do what `command` says, and settle its `message`."""
        texts = await self._languages.of(message.sender)
        match command:
            case Help():
                await self._reply(message, help_text(texts, self._prefix))
            case NewChat(name):
                await self._new_chat(message, name)
            case Chats():
                await self._reply(message, texts.chats(await self._chat_lines(message)))
            case Stop(everything):
                await self._stop(message, everything=everything)
            case Status():
                await self._reply(message, texts.status(await self._status(room, message)))
            case UnknownCommand(word, nearest):
                await self._reply(message, texts.unknown_command(word, nearest))
            case BadArgument(usage):
                await self._reply(message, texts.bad_argument(usage))
            case _:  # not served yet
                await self._reply(message, help_text(texts, self._prefix))

    async def show_the_way(self, message: TextMessage) -> None:
        """Say where the person's chats are."""
        texts = await self._languages.of(message.sender)
        way = await way_to_chats(self._store, message.sender, self._ourselves)
        await self._reply(message, texts.onboarding if way is None else texts.greeting_again(way))

    async def tell_encrypted(self, message: EncryptedMessage) -> None:
        """Say, once, that this room cannot be read, and where the person can be heard."""
        texts = await self._languages.of(message.sender)
        way = await way_to_chats(self._store, message.sender, self._ourselves)
        text = texts.encrypted_room(None if way is None else way.chat)
        await self._reply(message, text, once="encrypted")

    async def _new_chat(self, message: TextMessage, name: str | None) -> None:
        agent = self._registry.choose(message.sender)
        await self._store.transact(intents.order_chat, message, name, agent, self._ourselves)
        self._provisioning.lanes.wake([message.sender])

    async def _stop(self, message: TextMessage, *, everything: bool) -> None:
        texts = await self._languages.of(message.sender)

        def reply(stopped: int) -> Draft:
            if not stopped:
                text = texts.nothing_to_stop
            else:
                text = texts.stopped_all(stopped) if everything else texts.stopped
            return reply_draft(message, text, self._ourselves)

        stopped = await self._store.transact(
            requests.stop, message, everything=everything, reply=reply, own=self._ourselves
        )
        if stopped.is_running:
            self._running.stop(message.room_id)
        self._outbox.wake([message.room_id])

    async def _chat_lines(self, message: TextMessage) -> tuple[ChatLine, ...]:
        via = server_name(self._ourselves.user_id)
        chats = await self._store.transact(rooms.rooms_of, message.sender, RoomKind.CHAT)
        return tuple(
            [
                ChatLine(
                    link=room_link(chat.room_id, chat.name or chat.room_id, via),
                    is_busy=self._running.is_running(chat.room_id),
                    waiting=await self._waiting_behind(chat.room_id),
                )
                for chat in chats
            ]
        )

    async def _waiting_behind(self, room_id: RoomId) -> int:
        waiting = await self._store.transact(requests.waiting, room_id)
        return max(0, len(waiting) - self._running.is_running(room_id))

    async def _status(self, room: Room, message: TextMessage) -> StatusFacts:
        agent = self._registry.get(room.agent or self._registry.default)
        chats = await self._chat_lines(message)
        return StatusFacts(
            agent=agent.name if agent is not None else str(room.agent),
            failure=RunFailure.NO_AGENT if agent is None else await probe(agent),
            running=sum(chat.is_busy for chat in chats),
            waiting=sum(chat.waiting for chat in chats),
            version=__version__,
            sync_age=self._rounds.age,
        )

    async def _reply(self, event: Incoming, text: str, *, once: str | None = None) -> None:
        reply = reply_draft(event, text, self._ourselves)
        await self._store.transact(requests.settle, event, (reply,), self._ourselves, once=once)
        self._outbox.wake([event.room_id])
