"""Rooms that were upgraded (m.room.tombstone): followed, if everything fits.

A tombstone can be set by mistake or in bad faith, and a room can claim to go on from any other. So
an upgrade is followed only if its author had the power, made the new room and no other one, the
new room names the old one, and the owner is there. Otherwise the chat is archived, and says so.

The new room is most often by invitation, and whoever upgrades sends the invitations afterwards. So
it is tried for a while; then the old room asks to be invited, and the invite wakes this lane.
"""

import logging

import trio
from attrs import define, field

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError, Retry, SessionDead, decide_retry
from lambda_matrix.client_server_api.power import Power
from lambda_matrix.client_server_api.room_creation import SPACE_TYPE
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store.records import Room, RoomKind
from lambda_matrix.store.topology import rooms, upgrades
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.links import server_name
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.rooms.moving import Moving
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.writing.wording import notice_draft, told

logger = logging.getLogger(__name__)

JOIN_PAUSES = (1.0, 2.0, 4.0, 8.0)
"""Seconds between tries to join the new room before an invite is asked for."""


@define
class Upgrades:
    """Follows upgrades, one lane per room."""

    _means: Means
    _moving: Moving
    _rounds: Rounds
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("upgrade", self.serve)

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        self.lanes.wake(await self._means.store.transact(upgrades.to_move))

    async def serve(self, room_id: RoomId) -> None:
        """Follow the room's upgrade, or decline to.

        Everything that was said in the old room has its reaction first; who reacts wakes this
        lane.

        Raises:
            MatrixError: a passing one; it is looked at again.
        """
        if room_id not in await self._means.store.transact(upgrades.to_move):
            return
        room = await self._means.store.transact(rooms.room, room_id)
        if room is None or not await self._means.store.transact(upgrades.is_heard_out, room_id):
            return
        if not await self._join(room):
            return
        try:
            objection = await self._objection(room)
            if objection is None:
                await self._moving.move(room)
                self.lanes.wake([room_id])  # for what came in between, if anything did
                return
        except MatrixError as error:
            if isinstance(decide_retry(error), Retry | SessionDead):
                raise
            objection = str(error)
        logger.warning("upgrade of %s to %s not followed: %s", room_id, room.replaced_by, objection)
        await self._moving.decline(room)

    async def _join(self, room: Room) -> bool:
        """Be in the new room, and know of it; False: not invited yet."""
        new, upgrader = _ends(room)
        for pause in (*JOIN_PAUSES, None):
            try:
                await persist(lambda: self._means.client.join(new, via=(server_name(upgrader),)))
            except MatrixError as error:
                if isinstance(decide_retry(error), Retry | SessionDead):
                    raise
                if pause is None:
                    logger.info("cannot follow %s to %s yet: %s", room.room_id, new, error)
                    await self._ask_for_invite(room)
                    return False
                await trio.sleep(pause)
            else:
                break
        while not await self._means.store.transact(rooms.is_joined, new):
            await self._rounds.wait_next()
        return True

    async def _ask_for_invite(self, room: Room) -> None:
        if room.kind is RoomKind.CHAT:
            texts = await self._means.languages.of(room.owner)
            draft = notice_draft(
                room.room_id,
                texts.rooms.not_invited,
                self._means.ourselves,
                request=told(room.room_id, "not_invited"),
            )
            await self._means.say_once(draft, "not_invited")

    async def _objection(self, room: Room) -> str | None:  # noqa: PLR0911 - one for each objection
        """Return what is against following; None if everything fits.

        Raises:
            MatrixError: a room does not tell.
        """
        new, upgrader = _ends(room)
        client = self._means.client
        create = await persist(lambda: client.states.create_event(new))
        known = await self._means.store.transact(rooms.room, new)
        if not (await _power(client, room.room_id)).may_set(upgrader, "m.room.tombstone"):
            return f"{upgrader} may not do that"
        if create.predecessor != room.room_id:
            return f"the new room goes on from {create.predecessor}"
        if create.creator != upgrader:
            return f"the new room was made by {create.creator}, not by {upgrader}"
        if (create.room_type == SPACE_TYPE) is not (room.kind is RoomKind.SPACE):
            return "the new room is of another type"
        if known is not None and known.kind not in {RoomKind.UNREGISTERED, RoomKind.DIRECT}:
            return f"the new room is a {known.kind.value} already"
        if upgrader != room.owner and room.owner not in await persist(
            lambda: client.joined_members(new)
        ):
            return f"{room.owner} is not there"
        return None


def _ends(room: Room) -> tuple[RoomId, UserId]:
    """Return where an upgraded room goes on, and who says so."""
    assert room.replaced_by is not None  # noqa: S101 - only upgraded rooms come here
    assert room.upgrader is not None  # noqa: S101 - noted together
    return room.replaced_by, room.upgrader


async def _power(client: Client, room_id: RoomId) -> Power:
    create = await persist(lambda: client.states.create_event(room_id))
    return Power(create, await persist(lambda: client.states.power_levels(room_id)))
