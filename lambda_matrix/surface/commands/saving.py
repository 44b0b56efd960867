"""`!save`, `!load`, `!forget`: conversations under names, to go on from in any of one's chats."""

import time
from itertools import count

from attrs import frozen

from lambda_matrix.account_data import SavedContext, Stretch
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.conversation.nearest import nearest
from lambda_matrix.conversation.parsing import NAME_LIMIT
from lambda_matrix.conversation.texts import LoadedFacts, SavedLine
from lambda_matrix.store import choices
from lambda_matrix.store.conversations import contexts, saved as stored
from lambda_matrix.store.people import Pick
from lambda_matrix.store.records import Context, Thread
from lambda_matrix.store.topology import rooms
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.history import History, Recalled
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.contexts import Contexts
from lambda_matrix.surface.rooms.saved import SavedContexts, chosen, named

MOST_STRETCHES = 20
"""Stretches of one saved conversation, the newest: more than anybody is told."""
_ROOM_FOR_NUMBER = 8
"""Characters of a default name that its number may take."""


@frozen
class SavingCommands:
    """The commands about saved conversations. Saving and loading are the chat's owner's."""

    _means: Means
    _contexts: Contexts
    _saved: SavedContexts
    _history: History

    # -- !save --

    async def save(self, order: Order, name: str | None) -> None:
        """Save the conversation of this context, up to here."""
        async with self._saved.changing(order.sender):
            await self._save(order, name)

    async def _save(self, order: Order, name: str | None) -> None:
        texts = order.texts.contexts
        conversation = await self._conversation(order)
        if conversation is None:
            await self._means.reply(order.message, texts.nothing_to_save)
            return
        known = await self._saved.of(order.sender)
        wanted = self._default_name(order, known, conversation) if name is None else name
        before = named(known, wanted)
        if before is not None and not _is_same(before, conversation):
            await self._means.reply(order.message, texts.name_taken(before.name))
        elif before is None and len(known) >= stored.MOST_SAVED:
            await self._means.reply(order.message, texts.too_many_saved(stored.MOST_SAVED))
        else:
            now = _as_saved(order, wanted if before is None else before.name, conversation)
            is_again = before is not None and not _is_by(before, order)
            said = texts.saved_again if is_again else texts.saved
            others = tuple(each for each in known if each is not before)
            await self._saved.replace(order.message, (*others, now), said(now.name, now.messages))

    async def _conversation(self, order: Order) -> "_Conversation | None":
        """Return what there is to be saved; None if nothing was said yet."""
        context = await self._contexts.in_force(order.room, order.message)
        if context is None:
            return None
        number, here = context.platform_chat_id, order.message.event_id
        thread = await self._contexts.thread(number, here)
        first = await self._means.store.transact(contexts.first_question, number)
        stretches = context.loaded
        if first is not None:
            said_here = Stretch(
                room_id=order.room_id, first_event=first, last_event=here, platform_chat_id=number
            )
            stretches = (*stretches, said_here)[-MOST_STRETCHES:]
        return _Conversation(context, thread, stretches) if stretches else None

    def _default_name(
        self, order: Order, known: tuple[SavedContext, ...], conversation: "_Conversation"
    ) -> str:
        """Return the chat's name, with a number if another conversation has that."""
        chat = " ".join((order.room.name or order.room_id).split())
        chat = chat[: NAME_LIMIT - _ROOM_FOR_NUMBER].strip()
        names = (order.texts.contexts.default_name(chat, number) for number in count(1))
        return next(
            name
            for name in names
            if (before := named(known, name)) is None or _is_same(before, conversation)
        )

    # -- !load --

    async def load(self, order: Order, choice: str | None) -> None:
        """Go on here from a saved conversation, in a fresh context; without a choice list them."""
        known = await self._saved.of(order.sender)
        if choice is None:
            await self._offer(order, known)
        elif (found := chosen(known, choice)) is not None:
            await self._go_on_from(order, found)
        else:
            await self._deny(order, known, choice)

    async def _offer(self, order: Order, known: tuple[SavedContext, ...]) -> None:
        """Show the list; the sender's next bare number picks from it."""
        text = order.texts.contexts.saved_list(await self.lines(known))
        if not known:
            await self._means.reply(order.message, text)
            return
        await self._means.store.transact(
            choices.show_list,
            order.message,
            Pick("load", tuple(each.name for each in known)),
            self._means.reply_to(order.message, text),
            self._means.ourselves,
        )
        self._means.outbox.wake([order.room_id])

    async def _go_on_from(self, order: Order, found: SavedContext) -> None:
        texts = order.texts.contexts
        recalled, stretches = await self._recall(order, found)
        if recalled is None:
            await self._means.reply(order.message, texts.source_gone(found.name))
            return
        facts = LoadedFacts(
            name=found.name,
            messages=len(recalled.messages),
            left_out=recalled.left_out,
            is_cut=recalled.is_cut,
        )
        await self._contexts.rotate(
            order.room, order.message, texts.loaded(facts), stretches, recalled.messages
        )

    async def _recall(
        self, order: Order, found: SavedContext
    ) -> tuple[Recalled | None, tuple[Stretch, ...]]:
        """Read what was saved, as far as it is still the sender's to read."""
        theirs = await self._means.store.transact(
            rooms.owned_of, order.sender, tuple(each.room_id for each in found.stretches)
        )
        stretches = tuple(each for each in found.stretches if each.room_id in theirs)
        if not stretches:
            return None, ()
        try:
            recalled = await self._history.recall(stretches)
        except MatrixError:
            return None, ()
        return recalled, stretches

    # -- !forget --

    async def forget(self, order: Order, name: str) -> None:
        """Delete one of the sender's saved conversations; the messages stay where they are."""
        async with self._saved.changing(order.sender):
            known = await self._saved.of(order.sender)
            found = chosen(known, name)
            if found is None:
                await self._deny(order, known, name)
                return
            others = tuple(each for each in known if each is not found)
            await self._saved.replace(
                order.message, others, order.texts.contexts.forgotten(found.name)
            )

    # -- what is shown of them --

    async def list_of(self, order: Order) -> tuple[SavedContext, ...]:
        """Return what the sender saved.

        Raises:
            MatrixError: nothing is noted here, and the homeserver refuses to say.
        """
        return await self._saved.of(order.sender)

    async def lines(self, known: tuple[SavedContext, ...]) -> tuple[SavedLine, ...]:
        """Return saved conversations as they are listed."""
        return tuple(
            [
                SavedLine(
                    name=each.name,
                    chat=await self._chat_of(each.stretches[-1]),
                    messages=each.messages,
                    size=each.size,
                    age=max(0.0, time.time() - each.saved_at),
                )
                for each in known
            ]
        )

    async def name_of(
        self, stretches: tuple[Stretch, ...], known: tuple[SavedContext, ...]
    ) -> str | None:
        """Return what these are saved as, else the name of the chat that they are from."""
        if not stretches:
            return None
        names = (each.name for each in known if each.stretches[-1] == stretches[-1])
        return next(names, None) or await self._chat_of(stretches[-1])

    async def _chat_of(self, stretch: Stretch) -> str:
        room = await self._means.store.transact(rooms.room, stretch.room_id)
        return (None if room is None else room.name) or stretch.room_id

    async def _deny(self, order: Order, known: tuple[SavedContext, ...], word: str) -> None:
        near = nearest(word, [each.name for each in known])
        await self._means.reply(order.message, order.texts.contexts.no_such_saved(word, near))


@frozen
class _Conversation:
    """What a `!save` saves."""

    context: Context
    thread: Thread
    stretches: tuple[Stretch, ...]

    @property
    def spoken(self) -> tuple[ThreadMessage, ...]:
        """What was said in it, without calls of tools and their results."""
        both = (*self.thread.loaded, *self.thread.messages)
        return tuple(each for each in both if each.content and each.role != "tool")


def _as_saved(order: Order, name: str, conversation: _Conversation) -> SavedContext:
    return SavedContext(
        user_id=order.sender,
        name=name,
        stretches=conversation.stretches,
        agent=conversation.context.agent,
        messages=len(conversation.spoken),
        size=sum(len(each.content.encode()) for each in conversation.spoken),
        saved_at=time.time(),
    )


def _is_by(before: SavedContext, order: Order) -> bool:
    """Return whether this very command saved it, and was cut off before it had noted so."""
    return before.stretches[-1].last_event == order.message.event_id


def _is_same(before: SavedContext, conversation: _Conversation) -> bool:
    """Return whether it is the same conversation, as far as it had gone then.

    Not what was loaded of it elsewhere, before it went on: that is less than what is saved by now.
    """
    then, now = before.stretches[-1], conversation.stretches[-1]
    is_less = len(conversation.spoken) < before.messages
    return not is_less and (then.room_id, then.platform_chat_id, then.first_event) == (
        now.room_id,
        now.platform_chat_id,
        now.first_event,
    )
