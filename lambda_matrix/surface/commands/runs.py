"""`!stop`: the requests of a room, and what their asker may do about them."""

from attrs import frozen

from lambda_matrix.store import requests
from lambda_matrix.store.records import Draft
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.runs.running import Running


@frozen
class RunCommands:
    """The commands about requests."""

    _means: Means
    _running: Running

    async def stop(self, order: Order, *, everything: bool) -> None:
        """End the sender's running request; with `everything` also those that wait."""

        def reply(stopped: int) -> Draft:
            if not stopped:
                text = order.texts.questions.nothing_to_stop
            else:
                text = (
                    order.texts.questions.stopped_all(stopped)
                    if everything
                    else order.texts.questions.stopped
                )
            return self._means.reply_to(order.message, text)

        stopped = await self._means.store.transact(
            requests.stop,
            order.message,
            everything=everything,
            reply=reply,
            own=self._means.ourselves,
        )
        if stopped.is_running:
            self._running.stop(order.room_id)
        self._means.outbox.wake([order.room_id])
