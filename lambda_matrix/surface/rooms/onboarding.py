"""Invites: who may, is let in and gets a Space; who may not, is told so.

A pending invite is a durable fact, dealt with in a lane of its room until it is no invite any
more. Joining is idempotent, and so is everything that follows: a repeated invite joins, points to
the Space that is there, and builds nothing twice.
"""

import logging

import trio
from attrs import define, field

from lambda_matrix.client_server_api.errors import MatrixError, Retry, SessionDead, decide_retry
from lambda_matrix.ids import PersonId, RoomId, UserId
from lambda_matrix.message_ids import MessageId
from lambda_matrix.store.records import Room, RoomKind
from lambda_matrix.store.topology import intents, rooms, upgrades
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.links import server_name
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.provisioning import Greeting, Provisioning
from lambda_matrix.surface.rooms.spaces import Spaces
from lambda_matrix.surface.writing.wording import notice_draft, told

logger = logging.getLogger(__name__)

JOIN_PAUSES = (1.0, 5.0, 15.0, 60.0, 300.0)
"""Seconds between tries to join: over federation an invite may be known before it is valid."""


@define
class Onboarding:
    """Deals with invites."""

    _means: Means
    _provisioning: Provisioning
    _spaces: Spaces
    _bindings: Bindings
    _upgrades: Lanes[RoomId]
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("onboarding", self.serve)

    async def resume(self) -> None:
        """Take up the invites that an earlier start left, at whatever step."""
        self.lanes.wake(await self._means.store.transact(rooms.unwelcomed))

    async def serve(self, room_id: RoomId) -> None:
        """Deal with the room's invite, however far that has come; tell an encrypted room so."""
        room = await self._means.store.transact(rooms.room, room_id)
        if room is None:
            return
        if room.membership == "join":
            if room.encrypted:
                await self._tell_encrypted(room)
            if room.kind is RoomKind.DIRECT and room.owner is not None and "way" not in room.told:
                await self._welcome(room, room.owner)
        elif room.membership == "invite" and room.inviter is not None:
            await self._take_invite(room, room.inviter)

    async def _take_invite(self, room: Room, inviter: UserId) -> None:
        if not self._means.policy.access.allows(PersonId(inviter)):
            await self._deny(room, inviter)
            return
        upgraded = await self._means.store.transact(upgrades.moving_to, room.room_id)
        if upgraded:
            self._upgrades.wake(upgraded)  # it is where a chat goes on: that is looked into first
            return
        # Noted before the join: once joined, the room is no invite any more and has to be known.
        await self._means.store.transact(rooms.make_direct, room.room_id, inviter)
        if await self._join(room, inviter):
            if room.encrypted:
                await self._tell_encrypted(room)
            if room.kind in {RoomKind.UNREGISTERED, RoomKind.DIRECT}:
                # Whatever else the room is to us, it goes on being that.
                if await self._bindings.take_up(room.room_id):
                    logger.debug("back in the chat")
                    return
                again = await self._invite_again(inviter)
                await self._welcome(room, inviter, is_invited_again=again)

    async def _deny(self, room: Room, inviter: UserId) -> None:
        logger.info(
            "invite of %s to %s denied: no access",
            inviter,
            room.room_id,
            extra=MessageId.DENIED.extra,
        )
        if self._means.policy.reject_denied_invites:
            texts = await self._means.languages.of(inviter)
            try:
                await self._means.client.leave(room.room_id, reason=texts.onboarding.denied)
            except MatrixError as error:
                if isinstance(decide_retry(error), Retry | SessionDead):
                    raise  # the lane looks again, or the service ends
                logger.warning("cannot reject the invite to %s: %s", room.room_id, error)
        await self._means.store.transact(rooms.note_left, room.room_id)

    async def _join(self, room: Room, inviter: UserId) -> bool:
        """Join; return whether we are in. An invite that was taken back is no error."""
        client, via = self._means.client, (server_name(inviter),)
        for pause in (*JOIN_PAUSES, None):
            try:
                # Homeservers limit joins, too: whoever comes with a crowd has to wait here.
                await persist(lambda: client.join(room.room_id, via=via))
            except MatrixError as error:
                if isinstance(decide_retry(error), Retry):
                    raise  # the lane looks again
                if pause is None:
                    logger.warning("cannot join %s: %s", room.room_id, error)
                    await self._means.store.transact(rooms.note_left, room.room_id)
                    return False
                await trio.sleep(pause)
                now = await self._means.store.transact(rooms.room, room.room_id)
                if now is None or now.membership == "leave":
                    return False
            else:
                return True
        return False

    async def _welcome(
        self, room: Room, inviter: UserId, *, is_invited_again: bool = False
    ) -> None:
        """Want what the inviter does not have yet, and say where it is or will be."""
        unfinished = await self._means.store.transact(
            intents.onboard, inviter, room.room_id, self._means.agents.choose(inviter)
        )
        if unfinished:
            self._provisioning.lanes.wake([inviter])
        else:
            greeting = _again(is_invited_again=is_invited_again, is_direct=room.is_direct)
            await self._provisioning.show_way(room.room_id, inviter, greeting)

    async def _invite_again(self, owner: UserId) -> bool:
        """Invite who left their Space, or the first chat in it, once more; return whether so."""
        spaces = await self._means.store.transact(rooms.rooms_of, owner, RoomKind.SPACE)
        chats = await self._means.store.transact(rooms.rooms_of, owner, RoomKind.CHAT)
        first = sorted(chats, key=lambda chat: chat.archived)[:1]
        invited = [
            await self._spaces.invite_again(owner, room.room_id) for room in (*spaces, *first)
        ]
        return any(invited)

    async def _tell_encrypted(self, room: Room) -> None:
        """Say at once, and once, that this room cannot be read, and where one can be heard."""
        person = room.owner or room.inviter
        texts = await self._means.languages.of(person)
        way = None if person is None else await self._means.way_to_chats(person)
        text = texts.onboarding.encrypted_room(None if way is None else way.chat)
        draft = notice_draft(
            room.room_id, text, self._means.ourselves, request=told(room.room_id, "encrypted")
        )
        await self._means.say_once(draft, "encrypted")


def _again(*, is_invited_again: bool, is_direct: bool) -> Greeting:
    """Return what is said to somebody who has everything already."""
    if is_invited_again:
        return lambda texts, way: texts.invited_again(way)
    if is_direct:
        return lambda texts, way: texts.greeting_again(way)
    return lambda texts, way: texts.greeting_room(way)
