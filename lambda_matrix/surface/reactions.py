"""What happens when somebody says something: each event of a room's inbox, in order, at once.

Nothing here waits for a run. Questions become requests that the run lane takes up; commands act
now, also while a run is on. An event is settled in the one transaction that holds its effect.
"""

import logging
import secrets
from typing import assert_never

from attrs import frozen

from lambda_matrix.agent_events import RunFailure
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
    without_mention,
)
from lambda_matrix.conversation.limits import QueueFull, Take, TooFast
from lambda_matrix.conversation.parsing import spoken_text
from lambda_matrix.conversation.texts import UnsupportedKind
from lambda_matrix.ids import PersonId, RequestId, RoomId
from lambda_matrix.matrix_events import (
    EncryptedMessage,
    MediaMessage,
    OtherMessage,
    Redaction,
    TextMessage,
)
from lambda_matrix.store import requests, standing
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records import Question, Room
from lambda_matrix.surface.admission import Admission
from lambda_matrix.surface.commands.dispatch import Commands
from lambda_matrix.surface.commands.order import PLACES, Order
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.runs.running import End, Running
from lambda_matrix.surface.sending.signals import Signals

logger = logging.getLogger(__name__)

BATCH = 100
"""Events taken from an inbox at a time."""
PERSON_AND_BOT = 2


@frozen
class Reactions:
    """Reacts to what is said. `runs` are the lanes that answer."""

    _means: Means
    _admission: Admission
    _commands: Commands
    _running: Running
    _runs: Lanes[RoomId]
    _withdrawals: Lanes[RoomId]
    _signals: Signals

    async def serve(self, room_id: RoomId) -> None:
        """React to everything in the room's inbox."""
        while True:
            look = await self._means.store.transact(requests.look, room_id, BATCH)
            if look.room is None or not look.events:
                return
            for event in look.events:
                await self._react(look.room, event)
            self._signals.read(room_id, look.events[-1].event_id)
            if len(look.events) < BATCH:
                return  # whatever came meanwhile has woken this lane again

    async def after_fault(self, room_id: RoomId) -> None:
        """Count a fault against the oldest event; one that fails again and again is let go."""
        look = await self._means.store.transact(requests.look, room_id, 1)
        for event in look.events:
            if await self._means.store.transact(requests.count_failure, event):
                logger.error("gave up on event %s of room %s", event.event_id, room_id)
                texts = await self._means.languages.of(event.sender)
                await self._means.reply(event, texts.answers.failure(RunFailure.GAVE_UP))

    async def _react(self, room: Room, event: Incoming) -> None:
        if not self._means.policy.access.allows(PersonId(event.sender)):
            logger.info("message of %s in %s not taken: no access", event.sender, room.room_id)
            await self._means.settle(event)
            return
        match event:
            case TextMessage(replaces=None):
                await self._hear(room, event)
            case TextMessage():
                await self._edit(event)
            case Redaction():
                await self._withdraw(event)
            case EncryptedMessage():
                await self._tell_encrypted(event)
            case MediaMessage() | OtherMessage():
                await self._decline(room, event)

    async def _hear(self, room: Room, message: TextMessage) -> None:
        open_here = await self._means.store.transact(
            standing.open_here, room.room_id, message.sender, message.in_reply_to
        )
        where = Standing(
            place=PLACES[room.kind],
            addressed=open_here.is_reply_to_us or self._is_addressed(room, message),
            is_archived=room.archived,
            pick=None if open_here.pick is None else len(open_here.pick.choices),
            is_asked=open_here.confirmation is not None,
            names=self._names(),
        )
        decision = decide(message.body, where, self._means.policy.command_prefix)
        texts = await self._means.languages.of(message.sender)
        order = Order(message, room, texts)
        match decision:
            case Ask(text):
                await self._ask(room, message, text)
            case Execute(command):
                await self._commands.execute(command, order)
            case ShowTheWay():
                await self._show_the_way(message)
            case TellHowToBegin():
                await self._tell_how_to_begin(room, message)
            case KeepSilent():
                await self._means.settle(message)
            case _:  # not served yet
                await self._commands.execute(Help(), order)

    async def _ask(self, room: Room, message: TextMessage, text: str) -> None:
        if not await self._admit(room, message):
            return
        assert room.agent is not None  # noqa: S101 - intents.complete wrote the whole binding
        assert room.platform_chat_id is not None  # noqa: S101 - the same
        question = Question(
            request_id=RequestId(secrets.token_hex(8)),
            text=text,
            agent=room.agent,
            platform_chat_id=room.platform_chat_id,
            thread_root=message.thread_root,
            in_reply_to=message.in_reply_to,
            as_reply=not _is_private(room),
        )
        request = await self._means.store.transact(requests.ask, message, question)
        if request is not None and request.as_reply:
            self._running.note_waiting(room.room_id)
        self._runs.wake([room.room_id])

    async def _admit(self, room: Room, message: TextMessage) -> bool:
        """Return whether the question is taken; say why, if it is not."""
        waiting = await self._means.store.transact(requests.waiting, room.room_id)
        behind = max(0, len(waiting) - self._running.is_running(room.room_id))
        verdict = self._admission.admit(message, behind)
        questions = (await self._means.languages.of(message.sender)).questions
        match verdict:
            case Take():
                return True
            case TooFast(wait):
                await self._means.reply(message, questions.too_fast(wait))
            case QueueFull(count):
                await self._means.reply(message, questions.queue_full(count))
            case _:
                assert_never(verdict)
        return False

    async def _edit(self, edit: TextMessage) -> None:
        """Ask the new text instead, if the question still waits or is being answered."""
        prefix = self._means.policy.command_prefix
        text = spoken_text(without_mention(edit.body, self._names(), prefix), prefix)
        request = await self._means.store.transact(requests.edit, edit, text)
        if request is not None and request.runs:
            self._running.stop(edit.room_id, request.request_id, End.EDITED)

    async def _withdraw(self, redaction: Redaction) -> None:
        """Cancel the question that was taken back, or have its answer taken back, too."""
        request = await self._means.store.transact(requests.withdraw, redaction)
        if request is not None:
            self._running.stop(redaction.room_id, request.request_id, End.WITHDRAWN)
        self._withdrawals.wake([redaction.room_id])

    async def _decline(self, room: Room, message: MediaMessage | OtherMessage) -> None:
        """Say that this kind of message cannot be taken in yet."""
        if PLACES[room.kind] is Place.STRANGE:
            await self._means.settle(message)
            return
        texts = await self._means.languages.of(message.sender)
        await self._means.reply(message, texts.questions.unsupported(UnsupportedKind.OTHER))

    async def _show_the_way(self, message: TextMessage) -> None:
        """Say where the person's chats are."""
        texts = await self._means.languages.of(message.sender)
        way = await self._means.way_to_chats(message.sender)
        text = texts.onboarding.started if way is None else texts.onboarding.greeting_again(way)
        await self._means.reply(message, text)

    async def _tell_encrypted(self, message: EncryptedMessage) -> None:
        """Say, once, that this room cannot be read, and where the person can be heard."""
        texts = await self._means.languages.of(message.sender)
        way = await self._means.way_to_chats(message.sender)
        text = texts.onboarding.encrypted_room(None if way is None else way.chat)
        await self._means.reply(message, text, once="encrypted")

    async def _tell_how_to_begin(self, room: Room, message: TextMessage) -> None:
        if "unregistered" not in room.told:
            logger.warning("unregistered:%s a room that is bound to nothing", room.room_id)
        texts = await self._means.languages.of(message.sender)
        await self._means.reply(message, texts.onboarding.strange_room, once="unregistered")

    def _names(self) -> tuple[str, ...]:
        """Return what people may call us when they address us."""
        return (self._means.policy.name, self._means.ourselves.user_id)

    def _is_addressed(self, room: Room, message: TextMessage) -> bool:
        return _is_private(room) or self._means.ourselves.user_id in message.mentions


def _is_private(room: Room) -> bool:
    """Return whether nobody is there but one person and us."""
    return (room.member_count or 0) <= PERSON_AND_BOT
