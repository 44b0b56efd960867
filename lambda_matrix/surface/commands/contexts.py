"""`!clear`, `!context`: what a chat, or a thread of it, remembers."""

import time

from attrs import frozen

from lambda_matrix.account_data import SavedContext
from lambda_matrix.conversation.settings import Threads
from lambda_matrix.conversation.texts import ContextFacts
from lambda_matrix.conversation.thread import MOST_MESSAGES
from lambda_matrix.store.records import Context
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.commands.saving import SavingCommands
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.contexts import Contexts


@frozen
class ContextCommands:
    """The commands about the context of a chat, or of a thread that has its own."""

    _means: Means
    _contexts: Contexts
    _saving: SavingCommands

    async def clear(self, order: Order) -> None:
        """Go on in a fresh context; what was said before never goes to an agent again."""
        await self._contexts.rotate(order.room, order.message, order.texts.contexts.cleared)

    async def tell(self, order: Order) -> None:
        """Say what is remembered here, and what the sender has saved."""
        here = await self._contexts.in_force(order.room, order.message)
        # In a thread in which nothing was asked yet it is the chat's.
        number = order.room.platform_chat_id if here is None else here.platform_chat_id
        assert number is not None  # noqa: S101 - a chat has one
        context = await self._contexts.counted(number, order.message.event_id)
        assert context is not None  # noqa: S101 - the chat's own was begun when it was bound
        saved = await self._saving.list_of(order)
        facts = await self._facts(order, context, saved)
        await self._means.reply(order.message, order.texts.contexts.context(facts))

    async def _facts(
        self, order: Order, context: Context, saved: tuple[SavedContext, ...]
    ) -> ContextFacts:
        agent = self._means.agents.get(context.agent)
        is_told_all = agent is not None and agent.history == "client"
        counts = bool(context.input_tokens or context.output_tokens)
        return ContextFacts(
            agent=context.agent if agent is None else agent.name,
            platform_chat_id=context.platform_chat_id,
            messages=context.message_count,
            age=max(0.0, time.time() - context.begun_at),
            input_tokens=context.input_tokens if counts else None,
            output_tokens=context.output_tokens if counts else None,
            loaded=await self._goes_on_from(order, context, saved),
            threads=Threads.OWN if order.room.own_threads else Threads.SHARED,
            sent_limit=MOST_MESSAGES if is_told_all else None,
            is_stale=agent is None,
            saved=await self._saving.lines(saved),
        )

    async def _goes_on_from(
        self, order: Order, context: Context, saved: tuple[SavedContext, ...]
    ) -> str | None:
        """Return where the context comes from: the name of another chat, for its owner alone."""
        return await self._saving.name_of(context.loaded, saved) if order.is_by_owner else None
