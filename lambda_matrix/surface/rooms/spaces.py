"""What stands in people's Spaces: the links to their chats, and the people themselves.

Every request here is idempotent. A child without `via` is none (11.32, "Spaces"): that is how a
room is taken out.
"""

import logging

from attrs import frozen

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import Membership
from lambda_matrix.store.store import Store
from lambda_matrix.store.topology import rooms
from lambda_matrix.surface.links import server_name
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.sending.outbox import Outbox

logger = logging.getLogger(__name__)

CHILD = "m.space.child"
PARENT = "m.space.parent"


@frozen
class Spaces:
    """The Spaces of those who have one; who has none is passed over."""

    _store: Store
    _client: Client
    _outbox: Outbox

    async def put_in(self, owner: UserId, room_id: RoomId) -> None:
        """Have the room stand in the owner's Space.

        Raises:
            MatrixError: the homeserver refuses, and no waiting will change that.
        """
        space = await self._store.transact(rooms.space_of, owner)
        if space is not None:
            await persist(lambda: self.link(space, room_id, owner))

    async def link(self, space: RoomId, room_id: RoomId, owner: UserId) -> None:
        """Have the room stand in this Space.

        Raises:
            MatrixError: whatever is in the way; it is tried once.
        """
        via = sorted({server_name(self._client.session.user_id), server_name(owner)})
        await self._put(space, CHILD, room_id, {"via": via, "suggested": True})

    async def take_out(self, owner: UserId, room_id: RoomId) -> None:
        """Have the room stand no longer in the owner's Space; raises as `put_in`."""
        space = await self._store.transact(rooms.space_of, owner)
        if space is not None:
            await persist(lambda: self._put(space, CHILD, room_id, {}))

    async def name_parent(self, space: RoomId, room_id: RoomId) -> None:
        """Have the room say that it stands in this Space; raises as `put_in`."""
        via = [server_name(self._client.session.user_id)]
        content: dict[str, object] = {"via": via, "canonical": True}
        await persist(lambda: self._put(room_id, PARENT, space, content))

    async def invite_again(self, owner: UserId, room_id: RoomId) -> bool:
        """Invite the owner to a room of theirs that they left; return whether they had.

        To be done only if they asked for it, by an invite of their own or a `!new`.
        """
        try:
            membership = await persist(lambda: self._client.states.membership(room_id, owner))
            if membership in {Membership.JOIN, Membership.INVITE}:
                return False  # or the first invite is still open
            await persist(lambda: self._client.invite(room_id, owner))
        except MatrixError as error:
            logger.info("%s not invited to %s again: %s", owner, room_id, error)
            return False
        return True

    async def _put(
        self, room_id: RoomId, kind: str, state_key: str, content: dict[str, object]
    ) -> None:
        await self._outbox.in_turn(
            lambda: self._client.put_state(room_id, kind, state_key, content)
        )
