"""How a chat or a Space goes on in another room, or does not.

What has to be done at the homeserver is idempotent and comes before the one transaction that moves
the chat here; the new binding is there before the old one goes. A crash anywhere before that
transaction has everything done once more; after it nothing is left to do.
"""

import logging
from collections.abc import Awaitable, Callable

from attrs import evolve, frozen

from lambda_matrix.account_data import Binding, Stretch
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.store.records import Room, RoomKind
from lambda_matrix.store.topology import rooms, upgrades
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.spaces import Spaces
from lambda_matrix.surface.runs.running import End, Running
from lambda_matrix.surface.writing.wording import notice_draft

logger = logging.getLogger(__name__)


@frozen
class Moving:
    """Moves what was upgraded. `moved` is told each room in which there is something to do now."""

    _means: Means
    _bindings: Bindings
    _spaces: Spaces
    _running: Running
    _moved: Callable[[RoomId], None]

    async def move(self, room: Room) -> None:
        """Have the chat or Space go on in the room that replaces it, where we are.

        Raises:
            MatrixError: the homeserver does not let us.
        """
        assert room.replaced_by is not None  # noqa: S101 - only upgraded rooms come here
        assert room.owner is not None  # noqa: S101 - a chat or a Space has one
        if room.kind is RoomKind.SPACE:
            await self._move_space(room, room.replaced_by, room.owner)
        else:
            await self._move_chat(room, room.replaced_by, room.owner)
        logger.info("%s %s goes on in %s", room.kind.value, room.room_id, room.replaced_by)

    async def decline(self, room: Room) -> None:
        """Archive the chat, whose new room cannot be trusted, and say so."""
        texts = (await self._means.languages.of(room.owner)).rooms
        place, text = room.room_id, texts.not_moved
        if room.kind is RoomKind.SPACE:
            place, text = await self._first_chat(room), texts.space_not_moved
        else:
            binding = await self._bindings.of(room.room_id)
            if binding is not None:
                await self._bindings.note(room.room_id, evolve(binding, archived=True))
                await self._in_the_space(self._spaces.take_out(binding.owner, room.room_id))
        draft = notice_draft(
            place, text, self._means.ourselves, request=f"not moved:{room.replaced_by}"
        )
        await self._means.store.transact(
            upgrades.decline, room.room_id, draft, self._means.ourselves
        )
        self._means.outbox.wake([place])
        self._moved(room.room_id)

    async def _move_chat(self, room: Room, new: RoomId, owner: UserId) -> None:
        binding = await self._bindings.of(room.room_id)
        assert binding is not None  # noqa: S101 - a chat has one
        # Threads stay where their roots are, with their contexts.
        moved = evolve(
            binding,
            since_event=None,
            loaded=(*binding.loaded, *await self._history(room.room_id, binding)),
            threads=(),
        )
        await self._bindings.note(new, moved)
        if not binding.archived:
            await self._in_the_space(self._spaces.put_in(owner, new))
            await self._in_the_space(self._spaces.take_out(owner, room.room_id))
        space = await self._means.store.transact(rooms.space_of, owner)
        if space is not None:
            await self._in_the_space(self._spaces.name_parent(space, new))
        await self._bindings.clear(room.room_id)
        texts = (await self._means.languages.of(owner)).rooms
        draft = notice_draft(
            new, texts.moved_here, self._means.ourselves, request=f"moved:{room.room_id}"
        )
        await self._means.store.transact(
            upgrades.move_chat, room, new, moved, draft, self._means.ourselves
        )
        self._running.stop(room.room_id, why=End.EDITED)  # it is asked anew, over there
        self._means.outbox.wake([new])
        self._moved(new)

    async def _move_space(self, room: Room, new: RoomId, owner: UserId) -> None:
        chats = await self._means.store.transact(rooms.rooms_of, owner, RoomKind.CHAT)
        for chat in chats:
            if not chat.archived:
                await self._link(new, chat.room_id, owner)
            await self._in_the_space(self._spaces.name_parent(new, chat.room_id))
        await self._means.store.transact(upgrades.move_space, room, new)
        self._moved(new)

    async def _link(self, space: RoomId, chat: RoomId, owner: UserId) -> None:
        await persist(lambda: self._spaces.link(space, chat, owner))

    async def _history(self, room_id: RoomId, binding: Binding) -> tuple[Stretch, ...]:
        """Return what was said in the old room so far, as a stretch that the chat goes on from."""
        newest = await self._end_of(room_id, "b")
        first = binding.since_event or await self._end_of(room_id, "f")
        if first is None or newest is None:
            return ()
        return (
            Stretch(
                room_id=room_id,
                first_event=first,
                last_event=newest,
                platform_chat_id=binding.platform_chat_id,
            ),
        )

    async def _end_of(self, room_id: RoomId, direction: str) -> EventId | None:
        page = await persist(
            lambda: self._means.client.messages(room_id, limit=1, direction=direction)
        )
        return next((event.event_id for event in page.events), None)

    async def _first_chat(self, space: Room) -> RoomId:
        """Return where its owner is told something about their Space."""
        chats: tuple[Room, ...] = ()
        if space.owner is not None:
            chats = await self._means.store.transact(rooms.rooms_of, space.owner, RoomKind.CHAT)
        return chats[0].room_id if chats else space.room_id

    async def _in_the_space(self, step: Awaitable[None]) -> None:
        """Have something said about where a chat stands; that we may not is no obstacle."""
        try:
            await step
        except MatrixError as error:
            logger.debug("while a chat moves: %s", error)
