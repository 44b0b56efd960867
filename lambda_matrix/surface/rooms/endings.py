"""Chats that their owners have deleted: left and forgotten, once everything there is said.

That a chat is over is one transaction, with which nothing is answered there any more. What follows
at the homeserver is idempotent, and done again from the beginning after a crash: the room is
`ended` until it is forgotten here, too.
"""

import logging
from collections.abc import Awaitable, Callable

from attrs import define, field

from lambda_matrix.client_server_api.errors import MatrixError, Retry, SessionDead, decide_retry
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RoomId
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.topology import endings, rooms
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.spaces import Spaces
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.runs.running import End, Running

logger = logging.getLogger(__name__)


@define
class Endings:
    """Ends chats, one lane per room. `withdrawals` are the lanes that redact."""

    _means: Means
    _bindings: Bindings
    _spaces: Spaces
    _workspaces: Workspaces
    _rounds: Rounds
    _running: Running
    _withdrawals: Lanes[RoomId]
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("ending", self.serve)

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        self.lanes.wake(await self._means.store.transact(endings.ended))

    async def end(self, consent: Incoming, texts: Texts) -> None:
        """End the chat in which its owner has consented to that; settle the consent."""
        farewell = self._means.reply_to(consent, texts.rooms.deleted)
        if await self._means.store.transact(
            endings.end_chat, consent, farewell, self._means.ourselves
        ):
            self._running.stop(consent.room_id, why=End.WITHDRAWN)
        self._withdrawals.wake([consent.room_id])
        self._means.outbox.wake([consent.room_id])
        self.lanes.wake([consent.room_id])

    async def serve(self, room_id: RoomId) -> None:
        """Wait until everything is said in the room, and leave it."""
        room = await self._means.store.transact(rooms.room, room_id)
        if room is None or not room.ended:
            return
        while await self._means.store.transact(endings.is_owed, room_id):
            await self._rounds.wait_next()  # whatever we say comes back with one
        for context in await self._means.store.transact(contexts.all_of_room, room_id):
            await self._workspaces.clear(context.agent, context.platform_chat_id)
        client = self._means.client
        if room.owner is not None:
            owner = room.owner
            await self._try(lambda: self._spaces.take_out(owner, room_id))
        await self._try(lambda: self._bindings.clear(room_id))
        await self._try(lambda: persist(lambda: client.leave(room_id)))
        await self._try(lambda: persist(lambda: client.forget(room_id)))
        await self._means.store.transact(endings.forget_chat, room_id)
        logger.debug("the chat is ended")

    async def _try(self, step: Callable[[], Awaitable[object]]) -> None:
        """Take a step; that the homeserver refuses it (we are not there any more) ends nothing.

        Raises:
            MatrixError: a passing one; all of it is done again.
        """
        try:
            await step()
        except MatrixError as error:
            if isinstance(decide_retry(error), Retry | SessionDead):
                raise
            logger.debug("while the chat is ended: %s", error)
