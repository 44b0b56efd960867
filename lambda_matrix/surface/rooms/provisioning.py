"""Making rooms: a Space for each user, and chat rooms in it. Once each.

The theory (ADR 0007). createRoom has no transaction id, so a lost answer leaves the question open
whether there is a room now. Therefore: the intent is committed before the first try; the room
carries the intent's id in its `creation_content`, where nobody can change it; and before a second
try one looks, after a while, whether /sync has shown all that is joined: if the first try made the
room it is there. Should two appear after all, the one at work stays and the other is left. Every
further step is idempotent, so an intent that was cut off anywhere is simply completed.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio
from attrs import define, evolve, field

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError, Retry, SessionDead, decide_retry
from lambda_matrix.client_server_api.room_creation import RoomCreation
from lambda_matrix.ids import PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import RoomMarker
from lambda_matrix.store import intents, meta, requests, rooms
from lambda_matrix.store.records import Intent, Ourselves, RoomKind
from lambda_matrix.store.store import Store
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.links import room_link, server_name, way_to_chats
from lambda_matrix.surface.rooms.account_data import (
    BINDING_KEY,
    SEQUENCE_KEY,
    binding_content,
    read_sequence,
    sequence_content,
)
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.sending.outbox import Outbox
from lambda_matrix.surface.writing.wording import (
    notice_draft,
    room_made_drafts,
    room_refused_drafts,
)

T = TypeVar("T")

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
LOOK_FOR = 5.0
"""Seconds for which a createRoom whose answer was lost may still be at work."""
WORTH_TELLING = 5.0
"""Seconds: a wait of this length is told to the person who waits."""
TOO_MANY_REQUESTS = 429


@define
class Provisioning:
    """Completes the intents of each owner, Space first, in a lane of the owner's own."""

    _store: Store
    _client: Client
    _ourselves: Ourselves
    _outbox: Outbox
    _languages: Languages
    _rounds: Rounds
    _made: Callable[[RoomId], None]
    _numbering: trio.Lock = field(factory=trio.Lock)
    _server_mark: PlatformChatId | None = None
    lanes: Lanes[UserId] = field(init=False)
    duplicates: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("provisioning", self.serve)
        self.duplicates = Lanes("duplicate", self.leave_duplicate)

    async def resume(self) -> None:
        """Take up what an earlier start began; leave rooms that were made twice."""
        self.lanes.wake(await self._store.transact(intents.owners_with_intents))
        self.duplicates.wake(
            await self._store.transact(intents.duplicates, self._ourselves.user_id)
        )

    async def serve(self, owner: UserId) -> None:
        """Complete what was begun for `owner`."""
        for intent in await self._store.transact(intents.open_intents, owner):
            try:
                await self._complete(intent)
            except MatrixError as error:
                if isinstance(decide_retry(error), Retry | SessionDead):
                    raise
                await self._abandon(intent, error)
                if intent.kind is RoomKind.SPACE:
                    return  # and with it went all that was to be made in it

    async def _complete(self, intent: Intent) -> None:
        if intent.kind is RoomKind.CHAT:
            intent = await self._number(intent)
        via = server_name(self._ourselves.user_id)
        space: RoomId | None = None
        if intent.kind is RoomKind.CHAT:
            space = await self._store.transact(rooms.space_of, intent.owner)
        room_id = intent.room_id or await self._make(intent, space)
        if space is not None:
            await self._patiently(intent, lambda: self._link(space, room_id, via))
        if intent.kind is RoomKind.CHAT:
            await self._patiently(intent, lambda: self._note_binding(room_id, intent))
        made = evolve(intent, room_id=room_id, name=await self._name(intent))
        texts = await self._languages.of(made.owner)
        link = room_link(room_id, made.name or room_id, via)
        drafts = room_made_drafts(made, link, texts, self._ourselves)
        lobbies = await self._store.transact(
            intents.complete, made, room_id, drafts, self._ourselves
        )
        self._made(room_id)
        logger.info("%s %s made for %s", intent.kind.value, room_id, intent.owner)
        self._outbox.wake({draft.room_id for draft in drafts})
        for lobby in lobbies:
            await self.greet_lobby(lobby, intent.owner)

    async def greet_lobby(self, lobby: RoomId, owner: UserId) -> None:
        """Say once, where the bot was invited, where the owner's chats are (if they are made)."""
        way = await way_to_chats(self._store, owner, self._ourselves)
        if way is None:
            return
        texts = await self._languages.of(owner)
        text = texts.greeting_lobby(way)
        draft = notice_draft(lobby, text, self._ourselves, request=f"way:{lobby}")
        await self._store.transact(requests.say_once, draft, self._ourselves, once="way")
        self._outbox.wake([lobby])

    async def _number(self, intent: Intent) -> Intent:
        """Give the chat its `platform_chat_id`: the homeserver learns the number before its use."""
        if intent.platform_chat_id is not None:
            return intent
        async with self._numbering:
            if self._server_mark is None:
                stored = await self._patiently(
                    intent, lambda: self._client.get_account_data(SEQUENCE_KEY)
                )
                self._server_mark = read_sequence(stored)
            number = await self._store.transact(
                meta.next_platform_chat_id, PlatformChatId(self._server_mark + 1)
            )
            await self._patiently(
                intent,
                lambda: self._client.put_account_data(SEQUENCE_KEY, sequence_content(number)),
            )
            self._server_mark = number
        await self._store.transact(intents.number_intent, intent.intent_id, number)
        return evolve(intent, platform_chat_id=number)

    async def _make(self, intent: Intent, space: RoomId | None) -> RoomId:
        """Return the intent's room: found, if an earlier try made it, else made now."""
        unknown = intent.tries > 0
        creation = await self._creation(intent, space)
        pause = FIRST_PAUSE
        while True:
            if unknown:
                found = await self._look_for(intent)
                if found is not None:
                    return found
            await self._store.transact(intents.count_try, intent.intent_id)
            try:
                room_id = await self._client.create_room(creation)
            except MatrixError as error:
                unknown = error.status != TOO_MANY_REQUESTS
                await self._bear(intent, error, pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                await self._store.transact(intents.room_made, intent.intent_id, room_id)
                return room_id

    async def _look_for(self, intent: Intent) -> RoomId | None:
        """Look whether an earlier try made the room after all, as long as it takes to be sure."""
        found = None
        with trio.move_on_after(LOOK_FOR):
            while (found := await self._found(intent)) is None:
                await self._rounds.wait_next()
        while found is None:
            # A round of /sync, asked for now: whatever is there by now is known, or will be told.
            joined = await self._patiently(intent, self._client.joined_rooms)
            known = await self._store.transact(rooms.joined)
            found = await self._found(intent)
            if joined <= known:
                break
            await self._rounds.wait_next()
        return found

    async def _found(self, intent: Intent) -> RoomId | None:
        """Return the room that an earlier try made; of several the first, the others are left."""
        found = await self._store.transact(
            intents.rooms_of_intent, intent.intent_id, self._ourselves.user_id
        )
        if not found:
            return None
        await self._store.transact(intents.room_made, intent.intent_id, found[0])
        self.duplicates.wake(found[1:])
        return found[0]

    async def leave_duplicate(self, room_id: RoomId) -> None:
        """Leave a room that was made a second time for the same intent."""
        logger.warning("room %s was made twice: leaving it", room_id)
        await self._client.leave(room_id)
        await self._client.forget(room_id)

    async def _creation(self, intent: Intent, space: RoomId | None) -> RoomCreation:
        texts = await self._languages.of(intent.owner)
        is_space = intent.kind is RoomKind.SPACE
        return RoomCreation(
            marker=RoomMarker(intent.intent_id, "space" if is_space else "chat", intent.owner),
            name=await self._name(intent),
            topic=texts.space_topic if is_space else texts.chat_topic,
            invite=(intent.owner,),
            parent=space,
            via=(server_name(self._ourselves.user_id),),
        )

    async def _name(self, intent: Intent) -> str:
        """Return the room's name: as asked for, else by its place among the owner's chats."""
        texts = await self._languages.of(intent.owner)
        if intent.name is not None:
            return intent.name
        if intent.kind is RoomKind.SPACE:
            return texts.space_name
        return texts.chat_name(await self._store.transact(intents.place_of, intent))

    async def _link(self, space: RoomId, room_id: RoomId, via: str) -> None:
        await self._client.put_state(
            space, "m.space.child", room_id, {"via": [via], "suggested": True}
        )

    async def _note_binding(self, room_id: RoomId, intent: Intent) -> None:
        await self._client.put_room_account_data(room_id, BINDING_KEY, binding_content(intent))

    async def _patiently(self, intent: Intent, call: Callable[[], Awaitable[T]]) -> T:
        """Make an idempotent request until it is answered.

        Raises:
            MatrixError: a refusal that no waiting will change.
        """
        pause = FIRST_PAUSE
        while True:
            try:
                return await call()
            except MatrixError as error:
                await self._bear(intent, error, pause)
                pause = min(pause * 2, LONGEST_PAUSE)

    async def _bear(self, intent: Intent, error: MatrixError, pause: float) -> None:
        """Wait out what passes, and say so if it takes long; raise what does not pass."""
        decision = decide_retry(error)
        if not isinstance(decision, Retry):
            raise error
        wait = decision.after or pause
        if wait >= WORTH_TELLING and intent.origin is not None:
            texts = await self._languages.of(intent.owner)
            delayed = texts.onboarding_delayed if intent.command is None else texts.new_chat_delayed
            draft = notice_draft(
                intent.origin, delayed(wait), self._ourselves, request=f"slow:{intent.intent_id}"
            )
            await self._store.transact(requests.say_new, draft, self._ourselves)
            self._outbox.wake([intent.origin])
        await trio.sleep(wait)

    async def _abandon(self, intent: Intent, error: MatrixError) -> None:
        """The homeserver will not have it: say so, and let a new invite or `!new` begin anew."""
        logger.error("cannot make a %s for %s: %s", intent.kind.value, intent.owner, error)
        texts = await self._languages.of(intent.owner)
        given_up: tuple[Intent, ...] = (intent,)
        if intent.kind is RoomKind.SPACE:
            given_up = await self._store.transact(intents.open_intents, intent.owner)
        drafts = [
            draft
            for each in given_up
            for draft in room_refused_drafts(each, texts, self._ourselves)
            if each.kind is intent.kind or each.command is not None
        ]
        await self._store.transact(intents.abandon, intent, drafts, self._ourselves)
        if intent.room_id is not None:
            self._made(intent.room_id)
        self._outbox.wake({draft.room_id for draft in drafts})
