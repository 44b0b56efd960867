"""Questions taken in: within limits, in the right context, for the first time or again."""

import logging
import secrets
from typing import assert_never

from attrs import evolve, frozen

from lambda_matrix import logs
from lambda_matrix.conversation.limits import QueueFull, Take, TooFast
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId
from lambda_matrix.store.conversations import earlier
from lambda_matrix.store.questions import changes, confirmations, requests
from lambda_matrix.store.records import Question, Request
from lambda_matrix.surface.admission import Admission
from lambda_matrix.surface.commands.order import Order, Said
from lambda_matrix.surface.files.receiving import Receiving
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.runs.running import Running
from lambda_matrix.surface.stories import about_request

logger = logging.getLogger(__name__)
said = logging.getLogger(logs.TEXTS)


@frozen
class Taking:
    """Makes requests of questions. `runs` answer them."""

    _means: Means
    _bindings: Bindings
    _admission: Admission
    _running: Running
    _runs: Lanes[RoomId]
    _receiving: Receiving

    async def ask(self, order: Said, text: str) -> None:
        """Have the message answered, if its sender has not asked too much."""
        if not await self._admit(order):
            return
        question = await self._question(order, text, in_reply_to=order.message.in_reply_to)
        request = await self._means.store.transact(requests.ask, order.message, question)
        await self._taken(order, request)

    async def ask_again(self, order: Order, earlier: Request) -> None:
        """Have what was asked earlier answered once more: the same text, with the same files.

        A word on what an agent asked goes to where it was asked.
        """
        if not await self._admit(order):
            return
        origin = earlier.origin or earlier.question
        question = await self._question(
            order, earlier.text, in_reply_to=earlier.in_reply_to, origin=origin
        )
        if earlier.resume is not None:
            question = evolve(
                question,
                agent=earlier.agent,
                platform_chat_id=earlier.platform_chat_id,
                resume=earlier.resume,
            )
        request = await self._means.store.transact(changes.ask_again, order.message, question)
        await self._taken(order, request)

    async def destination(self, order: Said) -> tuple[AgentId, PlatformChatId]:
        """Return to which agent what is said here goes, and in which context."""
        assert order.room.agent is not None  # noqa: S101 - intents.complete wrote the whole binding
        context = await self._earlier_context(order) if order.is_doubted else None
        if context is None:
            context = await self._bindings.context_of(order.room, order.message.thread_root)
        return order.room.agent, context

    async def _earlier_context(self, order: Said) -> PlatformChatId | None:
        """Return the context of what was said before the one in force had begun; None of the rest.

        If nobody knows any more which one that was, it is a fresh one: what was cleared stays so.
        """
        room, store = order.room, self._means.store
        if room.own_threads and order.message.thread_root is not None:
            return None
        since = await store.transact(earlier.cleared_after, room, order.message.event_id)
        if since is None:
            return None
        number = await store.transact(earlier.number_before, room, since)
        if number is None:
            number = await self._bindings.new_number()
        await store.transact(earlier.note, room, number)
        return number

    async def _question(
        self,
        order: Said,
        text: str,
        *,
        in_reply_to: EventId | None,
        origin: EventId | None = None,
    ) -> Question:
        agent, platform_chat_id = await self.destination(order)
        return Question(
            request_id=new_request_id(),
            text=text,
            agent=agent,
            platform_chat_id=platform_chat_id,
            thread_root=order.message.thread_root,
            in_reply_to=in_reply_to,
            origin=origin,
            as_reply=not order.room.is_private,
        )

    async def _taken(self, order: Said, request: Request | None) -> None:
        self._receiving.look_again(order.room_id)
        self._runs.wake([order.room_id])
        if request is None:
            return  # it had been settled before
        self._means.metrics.question_taken()
        with about_request(request):
            logger.debug("taken, for agent %s", request.agent)
            said.debug("asked: %s", request.text[: logs.LONGEST_TEXT])
        if request.as_reply:
            self._running.note_waiting(order.room_id)
        if not order.room.is_private and await self._means.store.transact(
            confirmations.waits_for_another, request.platform_chat_id, request.asker
        ):
            cause = f"waits:{request.request_id}"
            text = order.texts.confirmations.waits_for_another
            await self._means.say_new(order.room_id, text, cause)

    async def _admit(self, order: Said) -> bool:
        """Return whether the question is taken; say why, if it is not."""
        waiting = await self._means.store.transact(requests.waiting, order.room_id)
        behind = max(0, len(waiting) - self._running.is_running(order.room_id))
        verdict = self._admission.admit(order.message, behind)
        match verdict:
            case Take():
                return True
            case TooFast(wait):
                logger.debug("not taken: too many questions at a time")
                await self._means.decline(order.message, order.texts.questions.too_fast(wait))
            case QueueFull(count):
                logger.debug("not taken: %d questions wait here", count)
                await self._means.decline(order.message, order.texts.questions.queue_full(count))
            case _:
                assert_never(verdict)
        return False


def new_request_id() -> RequestId:
    """Return an id that no other request has."""
    return RequestId(secrets.token_hex(8))
