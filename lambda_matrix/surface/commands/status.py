"""`!status`: is the agent reachable, is the service well."""

from attrs import frozen

from lambda_matrix import __version__
from lambda_matrix.agent.probe import probe
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.texts import StatusFacts
from lambda_matrix.ids import UserId
from lambda_matrix.surface.commands.chats import ChatCommands
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.people import People
from lambda_matrix.surface.rounds import Rounds


@frozen
class StatusCommand:
    """The command that looks around."""

    _means: Means
    _rounds: Rounds
    _people: People
    _chats: ChatCommands

    async def tell(self, order: Order) -> None:
        """Say how the room's agent, the homeserver and the sender's questions are."""
        agent_id = order.room.agent or await self._people.agent_of_new_chats(order.sender)
        agent = self._means.agents.get(agent_id)
        chats = await self._chats.lines(order)
        facts = StatusFacts(
            agent=agent_id if agent is None else agent.name,
            failure=await self._failure(agent, order.sender),
            running=sum(chat.is_busy for chat in chats),
            waiting=sum(chat.waiting for chat in chats),
            version=__version__,
            sync_age=self._rounds.age,
        )
        await self._means.reply(order.message, order.texts.service.status(facts))

    async def _failure(self, agent: AgentEntry | None, user_id: UserId) -> RunFailure | None:
        """Return why the agent would not answer this person; None if it would."""
        if agent is None:
            return RunFailure.NO_AGENT
        if not self._means.agents.may_use(agent.id, user_id):
            return RunFailure.NOT_ALLOWED
        return await probe(agent)
