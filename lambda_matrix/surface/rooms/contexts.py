"""The contexts of chats: which one is in force where, all that is said in it, and the next one."""

import logging

from attrs import evolve, frozen

from lambda_matrix.account_data import Binding, Stretch
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import EventId, PlatformChatId, RoomId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store.conversations import contexts, rotations
from lambda_matrix.store.records import Context, NewContext, Room, Thread
from lambda_matrix.surface.history import History
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.bindings import Bindings, with_thread
from lambda_matrix.surface.runs.running import Running

logger = logging.getLogger(__name__)


@frozen
class Contexts:
    """A chat has one context at a time, and one more for each thread if it is set so."""

    _means: Means
    _bindings: Bindings
    _history: History
    _running: Running
    _runs: Lanes[RoomId]

    async def in_force(self, room: Room, message: TextMessage) -> Context | None:
        """Return the context that the message belongs to; None for a thread before its first."""
        return await self._means.store.transact(contexts.of_place, room, message.thread_root)

    async def counted(self, number: PlatformChatId, last: EventId) -> Context | None:
        """Return a context; one that was restored, and nobody counted yet, is read back first."""
        context = await self._means.store.transact(contexts.context, number)
        if context is None or context.is_whole or context.message_count:
            return context
        await self._read_back(context, last)
        return await self._means.store.transact(contexts.context, number)

    async def thread(self, number: PlatformChatId, last: EventId) -> Thread:
        """Return all that is known of the context; what is not here is read back, up to `last`."""
        known = await self._means.store.transact(contexts.whole_thread, number)
        if known is not None:
            return known
        context = await self._means.store.transact(contexts.context, number)
        if context is not None:
            await self._read_back(context, last)
        return await self._means.store.transact(contexts.thread, number)

    async def _read_back(self, context: Context, last: EventId) -> None:
        """Have the context's messages here again; if that cannot be, those count that are."""
        try:
            loaded = await self._history.recall(context.loaded)
            said = await self._history.read(
                context.room_id, context.platform_chat_id, first=context.since_event, last=last
            )
        except MatrixError as error:
            logger.warning("context %d cannot be read: %s", context.platform_chat_id, error)
            return
        await self._means.store.transact(contexts.complete, context, loaded.messages, said.messages)

    async def rotate(
        self,
        room: Room,
        command: TextMessage,
        reply: str,
        stretches: tuple[Stretch, ...] = (),
        messages: tuple[ThreadMessage, ...] = (),
    ) -> None:
        """Go on in another context, with what was said in `stretches`, and settle the command.

        The number is used up and the binding kept on the homeserver before anything is noted here:
        cut off in between, the command is done again, with another number.

        Raises:
            MatrixError: the homeserver refuses; everything is as it was.
        """
        async with self._bindings.changing(room.room_id):
            old = await self.in_force(room, command)
            binding = await self._bindings.of(room.room_id)
            assert binding is not None  # noqa: S101 - the commands that do this work in chats alone
            new = NewContext(
                platform_chat_id=await self._bindings.new_number(),
                room_id=room.room_id,
                agent=binding.agent,
                thread_root=command.thread_root if room.own_threads else None,
                since_event=command.event_id,
                loaded=stretches,
                messages=messages,
            )
            await self._bindings.note(room.room_id, _bound_to(binding, new))
            stopped = await self._means.store.transact(
                rotations.rotate,
                command,
                None if old is None else old.platform_chat_id,
                new,
                self._means.reply_to(command, reply),
                self._means.ourselves,
                at_work=self._running.at_work(room.room_id),
            )
        if stopped is not None:
            self._running.stop(room.room_id, stopped)
        self._runs.wake([room.room_id])  # what waited for a word that nobody will give now
        self._means.outbox.wake([room.room_id])


def _bound_to(binding: Binding, new: NewContext) -> Binding:
    """Return the binding of the room once `new` is in force there."""
    if new.thread_root is not None:
        return with_thread(binding, new.thread_root, new.platform_chat_id)
    return evolve(
        binding,
        platform_chat_id=new.platform_chat_id,
        since_event=new.since_event,
        loaded=new.loaded,
    )
