"""`!new`, `!chats`, `!rename`: a person's chat rooms."""

from attrs import frozen

from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.conversation.texts import ChatLine
from lambda_matrix.ids import RoomId
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Room, RoomKind
from lambda_matrix.store.topology import chats, intents, rooms
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.links import room_link, server_name
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.people import People
from lambda_matrix.surface.rooms.provisioning import Provisioning
from lambda_matrix.surface.runs.running import Running


@frozen
class ChatCommands:
    """The commands about chat rooms."""

    _means: Means
    _people: People
    _provisioning: Provisioning
    _running: Running

    async def new(self, order: Order, name: str | None) -> None:
        """Want a chat room; the reply comes with it, unless there is nobody to answer there."""
        if not self._means.agents.agents_for(order.sender):
            await self._means.reply(order.message, order.texts.settings.agents(()))
            return
        agent = await self._people.agent_of_new_chats(order.sender)
        await self._means.store.transact(
            intents.order_chat, order.message, name, agent, self._means.ourselves
        )
        self._provisioning.lanes.wake([order.sender])

    async def list_all(self, order: Order) -> None:
        """Say which chats the sender has."""
        await self._means.reply(order.message, order.texts.rooms.chats(await self.lines(order)))

    async def rename(self, order: Order, name: str) -> None:
        """Give the chat another name: the homeserver first, which may refuse."""
        content: dict[str, object] = {"name": name}
        room_id, client, outbox = order.room_id, self._means.client, self._means.outbox
        try:
            await persist(
                lambda: outbox.in_turn(
                    lambda: client.put_state(room_id, "m.room.name", "", content)
                )
            )
        except MatrixError:
            await self._means.reply(order.message, order.texts.rooms.rename_refused)
            return
        reply = self._means.reply_to(order.message, order.texts.rooms.renamed(name))
        await self._means.store.transact(
            chats.rename, order.message, name, reply, self._means.ourselves
        )
        self._means.outbox.wake([room_id])

    async def lines(self, order: Order) -> tuple[ChatLine, ...]:
        """Return the sender's chats, as they are listed: those in the archive at the end."""
        found = await self._means.store.transact(rooms.rooms_of, order.sender, RoomKind.CHAT)
        in_order = sorted(found, key=lambda chat: chat.archived)
        return tuple([await self._line(chat) for chat in in_order])

    async def _line(self, chat: Room) -> ChatLine:
        agent = None if chat.agent is None else self._means.agents.get(chat.agent)
        via = server_name(self._means.ourselves.user_id)
        return ChatLine(
            link=room_link(chat.room_id, chat.name or chat.room_id, via),
            is_busy=self._running.is_running(chat.room_id),
            waiting=await self._waiting_behind(chat.room_id),
            agent=chat.agent if agent is None else agent.name,
            is_archived=chat.archived,
            is_stale=agent is None,
        )

    async def _waiting_behind(self, room_id: RoomId) -> int:
        waiting = await self._means.store.transact(requests.waiting, room_id)
        return max(0, len(waiting) - self._running.is_running(room_id))
