"""Telling people what was forgotten, where something had been left open (`store.recovery`)."""

from attrs import define, field

from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import MediaMessage
from lambda_matrix.store import recovery
from lambda_matrix.store.files import staging
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.writing.wording import notice_draft


@define
class Recollection:
    """Looks, room by room, whether a person has to be told that something was lost."""

    _means: Means
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("recollection", self.serve)

    async def resume(self) -> None:
        """Look at the rooms whose past was not known."""
        self.lanes.wake(await self._means.store.transact(recovery.rooms_to_look_at))

    async def serve(self, room_id: RoomId) -> None:
        """Say that something was lost in the room, once, if something was."""
        cause = await self._means.store.transact(recovery.bereft, room_id)
        if cause is not None:
            texts = await self._means.languages.of_room(room_id)
            await self._means.say_new(room_id, texts.service.memory_lost, cause)

    async def lose_file(self, message: MediaMessage) -> None:
        """Settle a file that may have been taken in before; say so, if no answer took it along."""
        texts = await self._means.languages.of(message.sender)
        await self._means.store.transact(
            staging.lose,
            message,
            lambda cause: notice_draft(
                message.room_id, texts.service.memory_lost, self._means.ourselves, request=cause
            ),
            self._means.ourselves,
        )
        self._means.outbox.wake([message.room_id])
