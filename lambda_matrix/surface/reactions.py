"""What happens when somebody says something: each event of a room's inbox, in order, at once.

Nothing here waits for a run. Questions become requests that the run lane takes up; commands act
now, also while a run is on. An event is settled in the one transaction that holds its effect.
"""

import logging
from typing import assert_never

from attrs import frozen

from lambda_matrix import logs
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.commands import Command, Load, SelectAgent
from lambda_matrix.conversation.decide import (
    Ask,
    Execute,
    KeepSilent,
    Pick,
    RemindOfConfirmation,
    SayArchived,
    SayNotHere,
    SayOutOfRange,
    ShowTheWay,
    Stage,
    Standing,
    TellHowToBegin,
    decide,
    decide_file,
    without_mention,
)
from lambda_matrix.conversation.doubt import (
    AskToRepeat,
    SayFileLost,
    SayWordLost,
    reconsider,
    reconsider_file,
)
from lambda_matrix.conversation.parsing import spoken_text
from lambda_matrix.conversation.texts import UnsupportedKind
from lambda_matrix.ids import PersonId, RoomId
from lambda_matrix.matrix_events import (
    EncryptedMessage,
    MediaMessage,
    OtherMessage,
    Redaction,
    TextMessage,
)
from lambda_matrix.store import people, standing
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Room, RoomKind
from lambda_matrix.store.standing import OpenHere
from lambda_matrix.surface.commands.confirmations import ConfirmationCommands
from lambda_matrix.surface.commands.dispatch import Commands
from lambda_matrix.surface.commands.invoked import typed
from lambda_matrix.surface.commands.order import PLACES, Order, Said
from lambda_matrix.surface.files.accepting import Accepting
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.links import room_link, server_name
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.recollection import Recollection
from lambda_matrix.surface.runs.second_thoughts import SecondThoughts
from lambda_matrix.surface.runs.taking import Taking
from lambda_matrix.surface.sending.signals import Signals

logger = logging.getLogger(__name__)

BATCH = 100
"""Events taken from an inbox at a time."""


@frozen
class Reactions:
    """Reacts to what is said."""

    _means: Means
    _commands: Commands
    _taking: Taking
    _second_thoughts: SecondThoughts
    _confirmations: ConfirmationCommands
    _upgrades: Lanes[RoomId]
    _accepting: Accepting
    _recollection: Recollection
    _signals: Signals

    async def serve(self, room_id: RoomId) -> None:
        """React to everything in the room's inbox."""
        while True:
            look = await self._means.store.transact(requests.look, room_id, BATCH)
            if look.room is None or not look.events:
                break
            for event in look.events:
                with logs.about(event=event.event_id, user=event.sender):
                    await self._react(look.room, event, is_doubted=event.event_id in look.doubted)
            self._signals.read(room_id, look.events[-1].event_id)
            if len(look.events) < BATCH:
                break  # whatever came meanwhile has woken this lane again
        if look.room is not None and look.room.replaced_by is not None:
            self._upgrades.wake([room_id])  # that waits until everything here is heard

    async def after_fault(self, room_id: RoomId) -> None:
        """Count a fault against the oldest event; one that fails again and again is let go."""
        look = await self._means.store.transact(requests.look, room_id, 1)
        for event in look.events:
            if await self._means.store.transact(requests.count_failure, event):
                with logs.about(event=event.event_id, user=event.sender):
                    logger.error("gave up on event %s: see the faults before", event.event_id)
                texts = await self._means.languages.of(event.sender)
                await self._means.reply(event, texts.answers.failure(RunFailure.GAVE_UP))

    async def _react(self, room: Room, event: Incoming, *, is_doubted: bool) -> None:
        # Whoever may take an event back is the homeserver's to decide: it is gone already.
        is_heard = isinstance(event, Redaction) or self._means.policy.access.allows(
            PersonId(event.sender)
        )
        if not is_heard:
            logger.debug("not taken: %s has no access", event.sender)
            await self._means.settle(event)
            return
        if room.ended:
            await self._means.settle(event)
            return
        match event:
            case TextMessage(replaces=None):
                await self._hear(room, event, is_doubted=is_doubted)
            case TextMessage():
                prefix = self._means.policy.command_prefix
                said = without_mention(event.body, self._names(), prefix)
                await self._second_thoughts.edit(event, spoken_text(said, prefix))
            case Redaction():
                await self._second_thoughts.withdraw(event)
            case EncryptedMessage():
                await self._tell_encrypted(event)
            case MediaMessage():
                await self._take_file(room, event, is_doubted=is_doubted)
            case OtherMessage():
                await self._decline(room, event)

    async def _open_here(self, room: Room, message: TextMessage | MediaMessage) -> OpenHere:
        """Return what is open where the message was said, after what was said just before.

        What was said just before may have ended the chat.
        """
        return await self._means.store.transact(
            standing.open_here, room, message.sender, message.in_reply_to
        )

    def _standing(self, open_here: OpenHere, message: TextMessage | MediaMessage) -> Standing:
        room = open_here.room
        return Standing(
            place=PLACES[room.kind],
            addressed=open_here.is_reply_to_us or self._is_addressed(room, message),
            is_archived=room.archived,
            pick=None if open_here.pick is None else len(open_here.pick.choices),
            is_asked=open_here.confirmation is not None,
            names=self._names(),
        )

    async def _take_file(self, room: Room, message: MediaMessage, *, is_doubted: bool) -> None:
        open_here = await self._open_here(room, message)
        room, where = open_here.room, self._standing(open_here, message)
        # A voice message is a question as it is.
        asked = "" if message.is_voice and message.caption is None else message.caption
        prefix = self._means.policy.command_prefix
        decision = KeepSilent() if room.ended else decide_file(asked, where, prefix)
        texts = self._means.languages.chosen(open_here.settings.language)
        said = Said(message, room, texts, is_doubted)
        match reconsider_file(decision) if is_doubted else decision:
            case Ask(text):
                await self._accepting.ask(said, message, text)
            case Stage():
                await self._accepting.stage(said, message)
            case SayFileLost():
                await self._recollection.lose_file(message)
            case ShowTheWay():
                await self._show_the_way(room, message)
            case TellHowToBegin():
                await self._tell_how_to_begin(room, message)
            case KeepSilent():
                await self._means.settle(message)
            case RemindOfConfirmation():
                await self._confirmations.remind(said)
            case SayArchived():
                await self._means.reply(message, said.texts.rooms.archived_question)
            case _ as never:
                assert_never(never)

    async def _hear(self, room: Room, message: TextMessage, *, is_doubted: bool) -> None:  # noqa: C901, PLR0912 - one case each
        open_here = await self._open_here(room, message)
        room, where = open_here.room, self._standing(open_here, message)
        prefix = self._means.policy.command_prefix
        text = message.body if message.command is None else typed(message.command, prefix)
        decision = KeepSilent() if room.ended else decide(text, where, prefix)
        texts = self._means.languages.chosen(open_here.settings.language)
        order = Order(message, room, texts, is_doubted)
        match reconsider(decision, is_asked=where.is_asked) if is_doubted else decision:
            case Ask(text):
                await self._taking.ask(order, text)
            case Execute(command):
                await self._commands.execute(command, order)
            case SayNotHere(usage, place):
                await self._means.reply(message, texts.commands.not_here(usage, place))
            case SayArchived():
                await self._means.reply(message, texts.rooms.archived_question)
            case ShowTheWay():
                await self._show_the_way(room, message)
            case TellHowToBegin():
                await self._tell_how_to_begin(room, message)
            case KeepSilent():
                await self._means.settle(message)
            case Pick(number):
                assert open_here.pick is not None  # noqa: S101 - what is picked from
                await self._commands.execute(_picked(open_here.pick, number), order)
            case SayOutOfRange(count):
                await self._means.reply(
                    message, texts.commands.pick_out_of_range(count), ends_pick=False
                )
            case RemindOfConfirmation():
                await self._confirmations.remind(order)
            case AskToRepeat():
                await self._means.reply(message, texts.commands.please_repeat)
            case SayWordLost():
                await self._means.reply(message, texts.confirmations.lost)
            case _ as never:
                assert_never(never)

    async def _decline(self, room: Room, message: OtherMessage) -> None:
        """Say that this kind of message cannot be taken in."""
        if PLACES[room.kind] is Place.STRANGE:
            await self._means.settle(message)
            return
        texts = await self._means.languages.of(message.sender)
        await self._means.reply(message, texts.questions.unsupported(_unsupported(message)))

    async def _show_the_way(self, room: Room, message: TextMessage | MediaMessage) -> None:
        """Say where the person's chats are, or where this one has gone."""
        texts = await self._means.languages.of(message.sender)
        if room.kind is RoomKind.MOVED and room.replaced_by is not None:
            via = server_name(self._means.ourselves.user_id)
            link = room_link(room.replaced_by, room.name or room.replaced_by, via)
            await self._means.reply(message, texts.rooms.moved_to(link))
            return
        way = await self._means.way_to_chats(message.sender)
        text = texts.onboarding.started if way is None else texts.onboarding.greeting_again(way)
        await self._means.reply(message, text)

    async def _tell_encrypted(self, message: EncryptedMessage) -> None:
        """Say, once, that this room cannot be read, and where the person can be heard."""
        texts = await self._means.languages.of(message.sender)
        way = await self._means.way_to_chats(message.sender)
        text = texts.onboarding.encrypted_room(None if way is None else way.chat)
        await self._means.reply(message, text, once="encrypted")

    async def _tell_how_to_begin(self, room: Room, message: TextMessage | MediaMessage) -> None:
        if "unregistered" not in room.told:
            logger.warning(
                "unregistered:%s is bound to nothing; %s was told how to begin",
                room.room_id,
                message.sender,
            )
        texts = await self._means.languages.of(message.sender)
        await self._means.reply(message, texts.onboarding.strange_room, once="unregistered")

    def _names(self) -> tuple[str, ...]:
        """Return what people may call us when they address us."""
        return (self._means.policy.name, self._means.ourselves.user_id)

    def _is_addressed(self, room: Room, message: TextMessage | MediaMessage) -> bool:
        return room.is_private or self._means.ourselves.user_id in message.mentions


def _unsupported(message: OtherMessage) -> UnsupportedKind:
    """Return what was sent, by its event type or msgtype, stable or not."""
    return next(
        (kind for kind in UnsupportedKind if kind.value in message.kind), UnsupportedKind.OTHER
    )


def _picked(pick: people.Pick, number: int) -> Command:
    """Return what picking that entry of a list means."""
    choice = pick.choices[number - 1]
    match pick.command:
        case "load":
            return Load(choice)
        case "agent":
            return SelectAgent(choice)
        case _:
            assert_never(pick.command)
