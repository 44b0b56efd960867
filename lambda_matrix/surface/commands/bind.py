"""`!bind`: a room that somebody else made becomes a chat."""

import logging

from attrs import frozen

from lambda_matrix.account_data import Binding
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.power import Power
from lambda_matrix.conversation.command_table import CommandName, Place, usage
from lambda_matrix.store.records import NewContext, RoomKind
from lambda_matrix.store.topology import chats
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.people import People
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.spaces import Spaces

logger = logging.getLogger(__name__)


@frozen
class BindCommand:
    """Binds the room in which it is given.

    Nothing from before the command goes to an agent: it was not said to one. Cut off before the
    transaction, the command is given again; a number is left unused then.
    """

    _means: Means
    _people: People
    _bindings: Bindings
    _spaces: Spaces

    async def bind(self, order: Order) -> None:
        """Make the room a chat of whoever says so, if they have the power to.

        Raises:
            MatrixError: the homeserver refuses.
        """
        texts = order.texts
        if order.room.kind is RoomKind.CHAT:
            refusal: str | None = texts.rooms.already_bound
        elif order.room.kind in {RoomKind.SPACE, RoomKind.MOVED}:
            written = usage(CommandName.BIND, texts.language, self._means.policy.command_prefix)
            refusal = texts.commands.not_here(written, Place.LOBBY)
        elif order.room.encrypted:
            way = await self._means.way_to_chats(order.sender)
            refusal = texts.onboarding.encrypted_room(None if way is None else way.chat)
        elif not self._means.agents.agents_for(order.sender):
            refusal = texts.settings.agents(())
        else:
            refusal = None if await self._has_power(order) else texts.rooms.bind_needs_power
        if refusal is not None:
            await self._means.reply(order.message, refusal)
            return
        async with self._bindings.changing(order.room_id):
            await self._bind(order)

    async def _has_power(self, order: Order) -> bool:
        """Return whether the sender could also give the room another name."""
        states, room_id = self._means.client.states, order.room_id
        create = await persist(lambda: states.create_event(room_id))
        levels = await persist(lambda: states.power_levels(room_id))
        return Power(create, levels).may_set(order.sender, "m.room.name")

    async def _bind(self, order: Order) -> None:
        binding = Binding(
            owner=order.sender,
            agent=await self._people.agent_of_new_chats(order.sender),
            platform_chat_id=await self._bindings.new_number(),
            since_event=order.message.event_id,
        )
        await self._bindings.note(order.room_id, binding)
        try:
            await self._spaces.put_in(binding.owner, order.room_id)
        except MatrixError as error:
            # A chat it is all the same; its owner may put it into the Space by hand.
            logger.info("room %s not put into a Space: %s", order.room_id, error)
        context = NewContext(
            platform_chat_id=binding.platform_chat_id,
            room_id=order.room_id,
            agent=binding.agent,
            since_event=binding.since_event,
        )
        reply = self._means.reply_to(order.message, order.texts.rooms.bound)
        await self._means.store.transact(
            chats.bind, order.message, binding.agent, context, reply, self._means.ourselves
        )
        self._means.outbox.wake([order.room_id])
        logger.debug("room %s bound for %s", order.room_id, order.sender)
