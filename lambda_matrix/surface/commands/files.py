"""`!files`, `!remove`: the sender's files that wait for their next question in the room."""

from attrs import frozen

from lambda_matrix.store.files import attachments, staging
from lambda_matrix.store.records import Draft, StagedFile
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.files.receiving import Receiving, staged_line
from lambda_matrix.surface.means import Means


@frozen
class FileCommands:
    """The commands about files."""

    _means: Means
    _receiving: Receiving

    async def list_all(self, order: Order) -> None:
        """Say what waits."""
        waiting = await self._means.store.transact(attachments.staged, order.room_id, order.sender)
        lines = tuple(map(staged_line, waiting))
        await self._means.reply(order.message, order.texts.files.staged_list(lines))

    async def remove(self, order: Order, numbers: tuple[int, ...] | None) -> None:
        """Take files off by their numbers in the list, all of them for None."""

        def reply(gone: tuple[StagedFile, ...], count: int) -> Draft:
            say = order.texts.files
            text = say.removed([file.name for file in gone]) if gone else say.no_such_number(count)
            return self._means.reply_to(order.message, text)

        await self._means.store.transact(
            staging.remove, order.message, numbers, reply, self._means.ourselves
        )
        self._receiving.look_again(order.room_id)
        self._means.outbox.wake([order.room_id])
