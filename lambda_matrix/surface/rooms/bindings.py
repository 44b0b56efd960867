"""What a chat is bound to, kept on the homeserver, and the numbers of contexts.

The high-water mark of the numbers stands in the bot's account data and is raised before a number
is used: whatever is lost here, no number is ever used twice.
"""

from weakref import WeakValueDictionary

import trio
from attrs import define, evolve, field

from lambda_matrix.account_data import Binding
from lambda_matrix.client_server_api.account_data import (
    BINDING_KEY,
    SEQUENCE_KEY,
    binding_content,
    read_binding,
    read_sequence,
    sequence_content,
)
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.ids import EventId, PlatformChatId, RoomId
from lambda_matrix.store import meta
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.records import NewContext, Room
from lambda_matrix.store.store import Store
from lambda_matrix.store.topology import restoring
from lambda_matrix.surface.patience import persist


@define
class Bindings:
    """Numbers contexts and notes bindings; idempotent, but that a number may be left unused."""

    _store: Store
    _client: Client
    _numbering: trio.Lock = field(factory=trio.Lock)
    _server_mark: PlatformChatId | None = None
    _changing: WeakValueDictionary[RoomId, trio.Lock] = field(factory=WeakValueDictionary)

    def changing(self, room_id: RoomId) -> trio.Lock:
        """Return what is to be held from the look at a room's binding until it is noted here.

        Otherwise of two who change it at once one may leave the other's on the homeserver.
        """
        return self._changing.setdefault(room_id, trio.Lock())

    async def new_number(self) -> PlatformChatId:
        """Return a `platform_chat_id` that was never used, and never will be again.

        Raises:
            MatrixError: the homeserver refuses to keep the mark, and no waiting will change that.
        """
        async with self._numbering:
            if self._server_mark is None:
                stored = await persist(lambda: self._client.account.get_data(SEQUENCE_KEY))
                self._server_mark = read_sequence(stored)
            number = await self._store.transact(
                meta.next_platform_chat_id, PlatformChatId(self._server_mark + 1)
            )
            content = sequence_content(number)
            await persist(lambda: self._client.account.put_data(SEQUENCE_KEY, content))
            self._server_mark = number
            return number

    async def of(self, room_id: RoomId) -> Binding | None:
        """Return what the chat is bound to; None for what is no chat."""
        return await self._store.transact(contexts.binding, room_id)

    async def note(self, room_id: RoomId, binding: Binding) -> None:
        """Keep the room's binding on the homeserver, in place of the one before.

        Raises:
            MatrixError: the homeserver refuses, and no waiting will change that.
        """
        content = binding_content(binding)
        await persist(lambda: self._client.account.put_room_data(room_id, BINDING_KEY, content))

    async def take_up(self, room_id: RoomId) -> bool:
        """Have the room be the chat that the homeserver says it is; return whether it is one.

        For rooms that the bot comes back to: their account data is not told again by /sync.

        Raises:
            MatrixError: the homeserver does not say, and no waiting will change that.
        """
        kept = await persist(lambda: self._client.account.get_room_data(room_id, BINDING_KEY))
        binding = None if kept is None else read_binding(kept)
        if not isinstance(binding, Binding):
            return False
        return await self._store.transact(restoring.take_up_chat, room_id, binding)

    async def clear(self, room_id: RoomId) -> None:
        """The room is bound to nothing any more.

        Raises:
            MatrixError: the homeserver refuses, and no waiting will change that.
        """
        await persist(lambda: self._client.account.put_room_data(room_id, BINDING_KEY, {}))

    async def context_of(self, room: Room, thread_root: EventId | None) -> PlatformChatId:
        """Return the context of what is said in this chat, or in this thread of it.

        A thread that is to have its own gets one now: cut off before that is noted, it gets another
        and the number stays unused.

        Raises:
            MatrixError: the homeserver refuses to keep it, and no waiting will change that.
        """
        current = await self._store.transact(contexts.of_place, room, thread_root)
        if current is not None:
            return current.platform_chat_id
        async with self.changing(room.room_id):
            current = await self._store.transact(contexts.of_place, room, thread_root)
            if current is not None:
                return current.platform_chat_id
            return await self._new_context_of(room.room_id, thread_root)

    async def _new_context_of(self, room_id: RoomId, thread_root: EventId | None) -> PlatformChatId:
        binding = await self.of(room_id)
        assert binding is not None  # noqa: S101 - chats are bound; a thread is in a chat
        assert thread_root is not None  # noqa: S101 - a chat's own context is there from the start
        number = await self.new_number()
        await self.note(room_id, with_thread(binding, thread_root, number))
        new = NewContext(
            platform_chat_id=number,
            room_id=room_id,
            agent=binding.agent,
            thread_root=thread_root,
        )
        await self._store.transact(contexts.begin, new)
        return number


def with_thread(binding: Binding, thread_root: EventId, number: PlatformChatId) -> Binding:
    """Return the binding with another context for this thread."""
    others = (pair for pair in binding.threads if pair[0] != thread_root)
    return evolve(binding, threads=((thread_root, number), *others))
