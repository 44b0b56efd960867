"""Chats that somebody took out of their Space, or put back, by hand: archived, or no longer.

That it was done is noted with the batch that told it, so that nothing is answered any more at
once. Here the binding follows, on the homeserver, and the chat is told. A crash in between finds
the room still `noted = 0`, and does the same again; it is said in the transaction that ends that.
"""

from attrs import define, field

from lambda_matrix.ids import RoomId
from lambda_matrix.store.topology import chats
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.writing.wording import notice_draft


@define
class ByHand:
    """Brings bindings up to date, one lane per room."""

    _means: Means
    _bindings: Bindings
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("binding", self.serve)

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        self.lanes.wake(await self._means.store.transact(chats.unnoted))

    async def serve(self, room_id: RoomId) -> None:
        """Note the room's binding, and say what has become of it.

        Raises:
            MatrixError: the homeserver refuses; it is asked again later.
        """
        async with self._bindings.changing(room_id):
            binding = await self._bindings.of(room_id)
            unnoted = await self._means.store.transact(chats.unnoted)
            if binding is None or room_id not in unnoted:
                return
            await self._bindings.note(room_id, binding)
            texts = (await self._means.languages.of(binding.owner)).rooms
            text = texts.archived if binding.archived else texts.unarchived
            draft = notice_draft(
                room_id,
                text,
                self._means.ourselves,
                request=f"by hand:{room_id}:{binding.archived}",
            )
            await self._means.store.transact(
                chats.noted, room_id, draft, self._means.ourselves, archived=binding.archived
            )
        self._means.outbox.wake([room_id])
