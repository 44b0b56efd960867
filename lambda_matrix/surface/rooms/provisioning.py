"""Making rooms: a Space for each user, and chat rooms in it. Once each.

The theory (ADR 0007). createRoom has no transaction id, so a lost answer leaves the question open
whether there is a room now. Therefore: the intent is committed before the first try; the room
carries the intent's id in its `creation_content`, where nobody can change it; and before a second
try one looks, after a while, whether /sync has shown all that is joined: if the first try made the
room it is there. Should two appear after all, the one at work stays and the other is left. Every
further step is idempotent, so an intent that was cut off anywhere is simply completed.
"""

import logging
import math
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio
from attrs import define, evolve, field

from lambda_matrix.account_data import Binding
from lambda_matrix.client_server_api.errors import MatrixError, Retry, SessionDead, decide_retry
from lambda_matrix.conversation.catalogue.onboarding import OnboardingTexts
from lambda_matrix.conversation.catalogue.places import Way
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store.records import Intent, Room, RoomKind
from lambda_matrix.store.topology import intents, rooms
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.links import room_link, server_name
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.looks import Looks
from lambda_matrix.surface.rooms.spaces import Spaces
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.writing.wording import (
    notice_draft,
    order_answered_drafts,
    room_made_drafts,
    room_refused_drafts,
    told,
)

T = TypeVar("T")
Greeting = Callable[[OnboardingTexts, Way], str]
"""What is said of the way to somebody's chats."""

logger = logging.getLogger(__name__)

LOOK_FOR = 5.0
"""Seconds for which a createRoom whose answer was lost may still be at work."""
WORTH_TELLING = 5.0
"""Seconds: a wait of this length is told to the person who waits."""
TOO_MANY_REQUESTS = 429


@define
class Provisioning:
    """Completes the intents of each owner, Space first, in a lane of the owner's own."""

    _means: Means
    _bindings: Bindings
    _spaces: Spaces
    _looks: Looks
    _rounds: Rounds
    _made: Callable[[RoomId], None]
    lanes: Lanes[UserId] = field(init=False)
    duplicates: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("provisioning", self.serve)
        self.duplicates = Lanes("duplicate", self.leave_duplicate)

    async def resume(self) -> None:
        """Take up what an earlier start began; leave rooms that were made twice."""
        self.lanes.wake(await self._means.store.transact(intents.owners_with_intents))
        self.duplicates.wake(
            await self._means.store.transact(intents.duplicates, self._means.ourselves.user_id)
        )

    async def serve(self, owner: UserId) -> None:
        """Complete what was begun for `owner`."""
        for intent in await self._means.store.transact(intents.open_intents, owner):
            try:
                await self._complete(intent)
            except MatrixError as error:
                if isinstance(decide_retry(error), Retry | SessionDead):
                    raise
                await self._abandon(intent, error)
                if intent.kind is RoomKind.SPACE:
                    return  # and with it went all that was to be made in it

    async def _complete(self, intent: Intent) -> None:
        found: Room | None = None
        if intent.room_id is not None:
            found = await self._means.store.transact(rooms.room, intent.room_id)
        if found is not None and found.kind is RoomKind.CHAT:
            await self._tell_of(intent, found)
            return
        if intent.kind is RoomKind.CHAT:
            intent = await self._number(intent)
        via = server_name(self._means.ourselves.user_id)
        space: RoomId | None = None
        if intent.kind is RoomKind.CHAT:
            space = await self._means.store.transact(rooms.space_of, intent.owner)
        room_id = intent.room_id or await self._make(intent, space)
        if space is not None:
            await self._patiently(intent, lambda: self._spaces.link(space, room_id, intent.owner))
            if intent.command is not None:
                await self._spaces.invite_again(intent.owner, space)
        if intent.kind is RoomKind.CHAT:
            await self._note_binding(room_id, intent)
        name = await self._name(intent)
        made = evolve(intent, room_id=room_id)
        texts = await self._means.languages.of(made.owner)
        called = None if found is None else found.name  # after loss of the database only that tells
        link = room_link(room_id, called or name, via)
        drafts = room_made_drafts(made, link, texts, self._means.ourselves)
        lobbies = await self._means.store.transact(
            intents.complete, made, name, room_id, drafts, self._means.ourselves
        )
        self._made(room_id)
        # A Space is a new person's; a chat more is everyday life.
        level = logging.INFO if intent.kind is RoomKind.SPACE else logging.DEBUG
        logger.log(level, "%s %s made for %s", intent.kind.value, room_id, intent.owner)
        self._means.outbox.wake({draft.room_id for draft in drafts})
        for lobby in lobbies:
            await self.show_way(lobby, intent.owner, lambda told, way: told.greeting_lobby(way))

    async def _tell_of(self, intent: Intent, chat: Room) -> None:
        """Say where the chat is that was made before the database was lost."""
        texts = await self._means.languages.of(intent.owner)
        via = server_name(self._means.ourselves.user_id)
        link = room_link(chat.room_id, chat.name or chat.room_id, via)
        drafts = order_answered_drafts(intent, link, texts, self._means.ourselves)
        await self._means.store.transact(intents.answer, intent, drafts, self._means.ourselves)
        self._means.outbox.wake({draft.room_id for draft in drafts})

    async def show_way(self, lobby: RoomId, owner: UserId, greeting: Greeting) -> None:
        """Say once, where the bot was invited, where the owner's chats are (if they are made)."""
        way = await self._means.way_to_chats(owner)
        if way is None:
            return
        text = greeting((await self._means.languages.of(owner)).onboarding, way)
        draft = notice_draft(lobby, text, self._means.ourselves, request=told(lobby, "way"))
        await self._means.say_once(draft, "way")

    async def _number(self, intent: Intent) -> Intent:
        """Return the intent with the number of its context, given once and for good."""
        if intent.platform_chat_id is not None:
            return intent
        number = await self._bindings.new_number()
        await self._means.store.transact(intents.number_intent, intent.intent_id, number)
        return evolve(intent, platform_chat_id=number)

    async def _make(self, intent: Intent, space: RoomId | None) -> RoomId:
        """Return the intent's room: found, if an earlier try made it, else made now."""
        may_be_there = intent.tries > 0
        client, outbox = self._means.client, self._means.outbox
        creation = await self._looks.creation(intent, await self._name(intent), space)

        async def attempt() -> RoomId:
            nonlocal may_be_there
            # A store that was set back may have forgotten that it tried.
            found = await (self._look_for(intent) if may_be_there else self._found(intent))
            if found is not None:
                return found
            await self._means.store.transact(intents.count_try, intent.intent_id)
            try:
                room_id = await outbox.in_turn(
                    lambda: client.create_room(creation), has_own_limit=True
                )
            except MatrixError as error:
                may_be_there = error.status != TOO_MANY_REQUESTS
                raise
            await self._means.store.transact(intents.room_made, intent.intent_id, room_id)
            return room_id

        return await self._patiently(intent, attempt)

    async def _look_for(self, intent: Intent) -> RoomId | None:
        """Look whether an earlier try made the room after all, as long as it takes to be sure."""
        found = None
        with trio.move_on_after(LOOK_FOR):
            while (found := await self._found(intent)) is None:
                await self._rounds.wait_next()
        while found is None:
            # A round of /sync, asked for now: whatever is there by now is known, or will be told.
            joined = await self._patiently(intent, self._means.client.joined_rooms)
            known = await self._means.store.transact(rooms.joined)
            found = await self._found(intent)
            if joined <= known:
                break
            await self._rounds.wait_next()
        return found

    async def _found(self, intent: Intent) -> RoomId | None:
        """Return the room that an earlier try made; of several the first, the others are left."""
        found = await self._means.store.transact(
            intents.rooms_of_intent, intent.intent_id, self._means.ourselves.user_id
        )
        if not found:
            return None
        await self._means.store.transact(intents.room_made, intent.intent_id, found[0])
        self.duplicates.wake(found[1:])
        return found[0]

    async def leave_duplicate(self, room_id: RoomId) -> None:
        """Leave a room that was made a second time for the same intent."""
        logger.warning("room %s was made twice: leaving it", room_id)
        await self._means.client.leave(room_id)
        await self._means.client.forget(room_id)

    async def _name(self, intent: Intent) -> str:
        """Return the room's name: as asked for, else by its place among the owner's chats."""
        texts = await self._means.languages.of(intent.owner)
        if intent.name is not None:
            return intent.name
        if intent.kind is RoomKind.SPACE:
            return texts.rooms.space_name
        return texts.rooms.chat_name(await self._means.store.transact(intents.place_of, intent))

    async def _note_binding(self, room_id: RoomId, intent: Intent) -> None:
        assert intent.agent is not None  # noqa: S101 - a chat's intent has an agent
        assert intent.platform_chat_id is not None  # noqa: S101 - and was numbered
        binding = Binding(
            owner=intent.owner, agent=intent.agent, platform_chat_id=intent.platform_chat_id
        )
        await self._bindings.note(room_id, binding)

    async def _patiently(self, intent: Intent, call: Callable[[], Awaitable[T]]) -> T:
        """Do what may be done again until it is done; say so if that takes long.

        Raises:
            MatrixError: a refusal that no waiting will change.
        """

        async def tell(_error: MatrixError, wait: float) -> None:
            if wait < WORTH_TELLING or intent.origin is None:
                return
            texts = await self._means.languages.of(intent.owner)
            delayed = (
                texts.onboarding.delayed if intent.command is None else texts.rooms.new_chat_delayed
            )
            await self._means.say_new(intent.origin, delayed(wait), f"slow:{intent.intent_id}")

        return await persist(call, patience=math.inf, told=tell)

    async def _abandon(self, intent: Intent, error: MatrixError) -> None:
        """The homeserver will not have it: say so, and let a new invite or `!new` begin anew."""
        logger.error("cannot make a %s for %s: %s", intent.kind.value, intent.owner, error)
        texts = await self._means.languages.of(intent.owner)
        given_up: tuple[Intent, ...] = (intent,)
        if intent.kind is RoomKind.SPACE:
            given_up = await self._means.store.transact(intents.open_intents, intent.owner)
        drafts = [
            draft
            for each in given_up
            for draft in room_refused_drafts(each, texts, self._means.ourselves)
            if each.kind is intent.kind or each.command is not None
        ]
        await self._means.store.transact(intents.abandon, intent, drafts, self._means.ourselves)
        if intent.room_id is not None:
            self._made(intent.room_id)
        self._means.outbox.wake({draft.room_id for draft in drafts})
