"""`!status`: is the agent reachable, is the service well."""

from attrs import frozen

from lambda_matrix import __version__
from lambda_matrix.agent.probe import probe
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.texts import StatusFacts
from lambda_matrix.surface.commands.chats import ChatCommands
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rounds import Rounds


@frozen
class StatusCommand:
    """The command that looks around."""

    _means: Means
    _rounds: Rounds
    _chats: ChatCommands

    async def tell(self, order: Order) -> None:
        """Say how the room's agent, the homeserver and the sender's questions are."""
        agent = self._means.agents.get(order.room.agent or self._means.agents.default)
        chats = await self._chats.lines(order)
        facts = StatusFacts(
            agent=agent.name if agent is not None else str(order.room.agent),
            failure=RunFailure.NO_AGENT if agent is None else await probe(agent),
            running=sum(chat.is_busy for chat in chats),
            waiting=sum(chat.waiting for chat in chats),
            version=__version__,
            sync_age=self._rounds.age,
        )
        await self._means.reply(order.message, order.texts.service.status(facts))
