"""What happens when somebody says something: each event of a room's inbox, in order, at once.

Nothing here waits for a run. Questions become requests that the run lane takes up; commands act
now, also while a run is on. An event is settled in the one transaction that holds its effect.
"""

import logging
import secrets

from attrs import frozen

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.access import Access
from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.commands import Help
from lambda_matrix.conversation.decide import (
    Ask,
    Execute,
    KeepSilent,
    ShowTheWay,
    Standing,
    TellHowToBegin,
    decide,
)
from lambda_matrix.ids import PersonId, RequestId, RoomId
from lambda_matrix.matrix_events import EncryptedMessage, MediaMessage, OtherMessage, TextMessage
from lambda_matrix.store import requests
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records import Draft, Ourselves, Room, RoomKind
from lambda_matrix.store.store import Store
from lambda_matrix.surface.commands import Commands
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.runs.answering import Running
from lambda_matrix.surface.sending.outbox import Outbox
from lambda_matrix.surface.sending.signals import Signals
from lambda_matrix.surface.writing.wording import reply_draft

logger = logging.getLogger(__name__)

BATCH = 100
"""Events taken from an inbox at a time."""
PERSON_AND_BOT = 2
PLACES = {
    RoomKind.CHAT: Place.CHAT,
    RoomKind.DIRECT: Place.LOBBY,
    RoomKind.SPACE: Place.LOBBY,
    RoomKind.UNREGISTERED: Place.STRANGE,
}


@frozen
class Reactions:
    """Reacts to what is said. `runs` are the lanes that answer requests."""

    _store: Store
    _ourselves: Ourselves
    _access: Access
    _prefix: str
    _commands: Commands
    _running: Running
    _runs: Lanes[RoomId]
    _outbox: Outbox
    _signals: Signals
    _languages: Languages

    async def serve(self, room_id: RoomId) -> None:
        """React to everything in the room's inbox."""
        while True:
            look = await self._store.transact(requests.look, room_id, BATCH)
            if look.room is None or not look.events:
                return
            for event in look.events:
                await self._react(look.room, event)
            self._signals.read(room_id, look.events[-1].event_id)
            if len(look.events) < BATCH:
                return  # whatever came meanwhile has woken this lane again

    async def after_fault(self, room_id: RoomId) -> None:
        """Count a fault against the oldest event; one that fails again and again is let go."""
        look = await self._store.transact(requests.look, room_id, 1)
        for event in look.events:
            if await self._store.transact(requests.count_failure, event):
                logger.error("gave up on event %s of room %s", event.event_id, room_id)
                texts = await self._languages.of(event.sender)
                apology = texts.failure(RunFailure.GAVE_UP)
                await self._settle(event, reply_draft(event, apology, self._ourselves))

    async def _react(self, room: Room, event: Incoming) -> None:
        if not self._access.allows(PersonId(event.sender)):
            logger.info("message of %s in %s not taken: no access", event.sender, room.room_id)
            await self._settle(event)
            return
        match event:
            case TextMessage():
                await self._hear(room, event)
            case EncryptedMessage():
                await self._commands.tell_encrypted(event)
            case MediaMessage() | OtherMessage():
                await self._decline(room, event)

    async def _hear(self, room: Room, message: TextMessage) -> None:
        decision = decide(
            message.body,
            Standing(place=PLACES[room.kind], addressed=self._is_addressed(room, message)),
            self._prefix,
        )
        match decision:
            case Ask(text):
                await self._ask(room, message, text)
            case Execute(command):
                await self._commands.execute(command, room, message)
            case ShowTheWay():
                await self._commands.show_the_way(message)
            case TellHowToBegin():
                await self._tell_how_to_begin(room, message)
            case KeepSilent():
                await self._settle(message)
            case _:  # not served yet
                await self._commands.execute(Help(), room, message)

    async def _ask(self, room: Room, message: TextMessage, text: str) -> None:
        assert room.agent is not None  # noqa: S101 - rooms.bind wrote the whole binding
        assert room.platform_chat_id is not None  # noqa: S101 - the same
        request = await self._store.transact(
            requests.ask,
            message,
            request_id=RequestId(secrets.token_hex(8)),
            text=text,
            agent=room.agent,
            platform_chat_id=room.platform_chat_id,
            as_reply=not _is_private(room),
        )
        if request is not None and request.as_reply:
            self._running.note_waiting(room.room_id)
        self._runs.wake([room.room_id])

    async def _decline(self, room: Room, message: MediaMessage | OtherMessage) -> None:
        """Say that this kind of message cannot be taken in yet."""
        if PLACES[room.kind] is Place.STRANGE:
            await self._settle(message)
            return
        texts = await self._languages.of(message.sender)
        await self._settle(
            message, reply_draft(message, texts.unsupported_message, self._ourselves)
        )

    async def _tell_how_to_begin(self, room: Room, message: TextMessage) -> None:
        if "unregistered" not in room.told:
            logger.warning("unregistered:%s a room that is bound to nothing", room.room_id)
        texts = await self._languages.of(message.sender)
        reply = reply_draft(message, texts.unregistered_room, self._ourselves)
        await self._settle(message, reply, once="unregistered")

    async def _settle(self, event: Incoming, *replies: Draft, once: str | None = None) -> None:
        await self._store.transact(requests.settle, event, replies, self._ourselves, once=once)
        if replies:
            self._outbox.wake([event.room_id])

    def _is_addressed(self, room: Room, message: TextMessage) -> bool:
        return _is_private(room) or self._ourselves.user_id in message.mentions


def _is_private(room: Room) -> bool:
    """Return whether nobody is there but one person and us."""
    return (room.member_count or 0) <= PERSON_AND_BOT
