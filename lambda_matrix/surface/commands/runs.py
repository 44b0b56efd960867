"""`!stop`, `!retry`: the requests of a room, and what their asker may do about them."""

from attrs import frozen

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.ids import RoomId
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.questions import changes
from lambda_matrix.store.records import Draft, Request, Stopped
from lambda_matrix.surface.commands.confirmations import ConfirmationCommands
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.runs.running import Running
from lambda_matrix.surface.runs.taking import Taking

CUT_OFF = frozenset({"stopped", *(failure.value for failure in RunFailure)})
"""Outcomes of runs that did not come to their own end."""


@frozen
class RunCommands:
    """The commands about requests. `runs` answer what waits."""

    _means: Means
    _running: Running
    _runs: Lanes[RoomId]
    _taking: Taking
    _confirmations: ConfirmationCommands

    async def stop(self, order: Order, *, everything: bool) -> None:
        """End the sender's running request, or what waits for their word; or all that they want."""

        def reply(stopped: Stopped) -> Draft:
            text = _stopped(order, stopped, everything=everything)
            return self._means.reply_to(order.message, text)

        stopped = await self._means.store.transact(
            changes.stop,
            order.message,
            everything=everything,
            at_work=self._running.at_work(order.room_id),
            reply=reply,
            own=self._means.ourselves,
        )
        for request_id in stopped.requests:
            self._running.stop(order.room_id, request_id)
        self._means.outbox.wake([order.room_id])
        self._runs.wake([order.room_id])

    async def retry(self, order: Order) -> None:
        """Ask the sender's last question again, or give their last word again if it got lost."""
        last = await self._means.store.transact(
            changes.last_asked, order.room_id, order.sender, order.message.thread_root
        )
        questions = order.texts.questions
        if last is None:
            await self._means.reply(order.message, questions.nothing_to_retry)
        elif order.room.archived:
            await self._means.reply(order.message, order.texts.rooms.archived_question)
        elif last.outcome is None:
            await self._means.reply(order.message, questions.retry_running)
        elif not await self._confirmations.remind_if_asked(order):
            await self._ask_again(order, last)

    async def _ask_again(self, order: Order, last: Request) -> None:
        again = last
        if last.resume is not None and not await self._is_still_asked(order, last):
            question = await self._means.store.transact(changes.question_of, last)
            if question is None:
                await self._means.reply(order.message, order.texts.questions.nothing_to_retry)
                return
            again = question
        await self._taking.ask_again(order, again)

    async def _is_still_asked(self, order: Order, last: Request) -> bool:
        """Return whether the sender's word did not get through, and is still waited for."""
        if last.outcome not in CUT_OFF or last.resume is None:
            return False
        here = await self._means.store.transact(
            contexts.of_place, order.room, order.message.thread_root
        )
        if here is None or here.platform_chat_id != last.platform_chat_id:
            return False
        thread = await self._means.store.transact(contexts.thread, last.platform_chat_id)
        told = {entry.interrupt_id for entry in last.resume}
        return told == {interrupt.id for interrupt in thread.interrupts}


def _stopped(order: Order, stopped: Stopped, *, everything: bool) -> str:
    texts = order.texts
    if stopped.requests:
        count = len(stopped.requests)
        return texts.questions.stopped_all(count) if everything else texts.questions.stopped
    if stopped.dropped is None:
        return texts.questions.nothing_to_stop
    return texts.rooms.kept if stopped.dropped.kind == "delete" else texts.confirmations.refused
