"""`!archive`, `!unarchive`: chats out of their Space, and back."""

from attrs import evolve, frozen

from lambda_matrix.ids import RoomId
from lambda_matrix.store.topology import chats
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.spaces import Spaces
from lambda_matrix.surface.runs.running import Running


@frozen
class ArchiveCommands:
    """`runs` answer what waits, if only that it was stopped.

    The Space first, since it may refuse; then the binding; then what is known here.

    Cut off in between, the command is found unsettled, and does all of it again.
    """

    _means: Means
    _bindings: Bindings
    _spaces: Spaces
    _running: Running
    _runs: Lanes[RoomId]

    async def archive(self, order: Order) -> None:
        """Take the chat out of its owner's Space, and answer there no more.

        Raises:
            MatrixError: the homeserver refuses.
        """
        if order.room.archived:
            await self._means.reply(order.message, order.texts.rooms.already_archived)
        else:
            await self._set(order, archived=True)

    async def unarchive(self, order: Order) -> None:
        """Put the chat back, and answer there again; raises as `archive`."""
        if order.room.archived:
            await self._set(order, archived=False)
        else:
            await self._means.reply(order.message, order.texts.rooms.not_archived)

    async def _set(self, order: Order, *, archived: bool) -> None:
        texts = order.texts.rooms
        async with self._bindings.changing(order.room_id):
            binding = await self._bindings.of(order.room_id)
            assert binding is not None  # noqa: S101 - the command works in chats alone
            if archived:
                await self._spaces.take_out(binding.owner, order.room_id)
            else:
                await self._spaces.put_in(binding.owner, order.room_id)
            await self._bindings.note(order.room_id, evolve(binding, archived=archived))
            reply = self._means.reply_to(
                order.message, texts.archived if archived else texts.unarchived
            )
            await self._means.store.transact(
                chats.archive, order.message, reply, self._means.ourselves, archived=archived
            )
        if archived:
            self._running.stop(order.room_id)
            self._runs.wake([order.room_id])
        self._means.outbox.wake([order.room_id])
