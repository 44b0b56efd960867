"""Names of chats that nobody has named: from their first question, once it has its answer.

The name is put at the homeserver before it is noted here. A crash in between puts the same name
once more, or finds that sync has told it, which counts as named.
"""

import logging

from attrs import define, field

from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.conversation.titles import title_of
from lambda_matrix.ids import RoomId
from lambda_matrix.store.topology import chats, rooms
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist

logger = logging.getLogger(__name__)


@define
class Titles:
    """Names rooms, one lane per room."""

    _means: Means
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("title", self.serve)

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        self.lanes.wake(await self._means.store.transact(chats.to_be_named))

    async def serve(self, room_id: RoomId) -> None:
        """Name the room, unless somebody has in the meantime."""
        room = await self._means.store.transact(rooms.room, room_id)
        questions = await self._means.store.transact(chats.first_questions, room_id)
        title = next(filter(None, map(title_of, questions)), None)
        if room is None or not room.untitled:
            return
        if title is None:
            if len(questions) == chats.LOOKED_AT_FOR_A_NAME:  # it stays as it is
                await self._means.store.transact(chats.note_name, room_id, room.name or "")
            return
        client, outbox = self._means.client, self._means.outbox
        content: dict[str, object] = {"name": title}
        try:
            await persist(
                lambda: outbox.in_turn(
                    lambda: client.put_state(room_id, "m.room.name", "", content)
                )
            )
        except MatrixError as error:
            logger.info("room %s not named after its first question: %s", room_id, error)
            title = room.name or ""
        await self._means.store.transact(chats.note_name, room_id, title)
