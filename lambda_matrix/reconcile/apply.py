"""Repairs are made: at the homeserver first, where each is idempotent, then in one transaction.

Cut off anywhere, what is left to do is found again by the next start.
"""

from typing import assert_never

from attrs import frozen

from lambda_matrix.account_data import Binding
from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import LeftRoom
from lambda_matrix.reconcile.repairs import (
    BindRoom,
    FinishChat,
    FinishTree,
    FollowBinding,
    KeepBinding,
    LeaveDuplicate,
    LinkChat,
    NoteByHand,
    NoteLeft,
    NoteMoved,
    Repair,
    RestoreChat,
    RestoreDirect,
    RestoreSaved,
    RestoreSettings,
    RestoreSpace,
    UnlinkChat,
)
from lambda_matrix.store import intake
from lambda_matrix.store.topology import intents, restoring
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.people import People
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.spaces import Spaces


@frozen
class Repairing:
    """Makes repairs, one at a time."""

    _means: Means
    _bindings: Bindings
    _spaces: Spaces

    async def make(self, repair: Repair) -> None:  # noqa: C901, PLR0912 - a case each
        """Make one repair.

        Raises:
            MatrixError: the homeserver refuses, and no waiting will change that.
        """
        transact = self._means.store.transact
        match repair:
            case RestoreSettings(kept=settings):
                await transact(restoring.restore_settings, settings)
            case RestoreSaved(kept=kept):
                await transact(restoring.restore_saved, kept)
            case NoteLeft(room_id=room_id):
                await self._note_left(room_id)
            case RestoreSpace(room_id=room_id, owner=owner, intent=intent):
                await transact(restoring.restore_space, room_id, owner, intent)
            case RestoreChat(room_id=room_id, binding=binding):
                await transact(
                    restoring.restore_chat, room_id, binding, repair.intent, repair.created_at
                )
            case FollowBinding(room_id=room_id, binding=binding):
                await transact(restoring.restore_chat, room_id, binding)
            case KeepBinding(room_id=room_id):
                await self._keep_binding(room_id)
            case NoteMoved(room_id=room_id, owner=moved_for, intent=moved):
                await transact(restoring.note_moved, room_id, moved_for, moved)
            case BindRoom():
                await self._bind(repair)
            case FinishChat():
                await self._finish_chat(repair)
            case FinishTree(owner=owner):
                agent = await People(self._means).agent_of_new_chats(owner)
                await transact(intents.order_first_chat, owner, agent)
            case LeaveDuplicate(room_id=room_id):
                await self._leave(room_id)
            case NoteByHand(room_id=room_id, archived=archived):
                await transact(restoring.note_by_hand, room_id, archived=archived)
            case LinkChat(space_id=space_id, room_id=room_id, owner=owner):
                await persist(lambda: self._spaces.link(space_id, room_id, owner))
            case UnlinkChat(owner=owner, room_id=room_id):
                await self._spaces.take_out(owner, room_id)
            case RestoreDirect(room_id=room_id, owner=owner, is_greeted=is_greeted):
                await transact(restoring.restore_direct, room_id, owner, is_greeted=is_greeted)
            case _:
                assert_never(repair)

    async def _note_left(self, room_id: RoomId) -> None:
        left = LeftRoom(room_id=room_id)
        await self._means.store.transact(intake.leave_room, left, self._means.ourselves)

    async def _keep_binding(self, room_id: RoomId) -> None:
        binding = await self._bindings.of(room_id)
        if binding is not None:
            await self._bindings.note(room_id, binding)

    async def _bind(self, repair: BindRoom) -> None:
        """Give the room a number: one that is lost in between stays unused."""
        binding = Binding(
            owner=repair.owner,
            agent=await People(self._means).agent_of_new_chats(repair.owner),
            platform_chat_id=await self._bindings.new_number(),
        )
        await self._bindings.note(repair.room_id, binding)
        await self._means.store.transact(restoring.restore_chat, repair.room_id, binding)

    async def _finish_chat(self, repair: FinishChat) -> None:
        agent = await People(self._means).agent_of_new_chats(repair.owner)
        number = await self._bindings.new_number()
        await self._means.store.transact(
            restoring.finish_chat, repair.room_id, repair.owner, repair.intent, number, agent
        )

    async def _leave(self, room_id: RoomId) -> None:
        client = self._means.client
        await persist(lambda: client.leave(room_id))
        await persist(lambda: client.forget(room_id))
        await self._note_left(room_id)
