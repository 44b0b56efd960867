"""`!status`: is the agent reachable, is the service well."""

import time

from attrs import frozen

from lambda_matrix import __version__
from lambda_matrix.agent.probe import probe
from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.catalogue.service import AgentState, ServiceFigures, StatusFacts
from lambda_matrix.ids import PersonId, UserId
from lambda_matrix.surface.commands.chats import ChatCommands
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.overview import overview
from lambda_matrix.surface.people import People
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.runs.running import Running


@frozen
class StatusCommand:
    """The command that looks around."""

    _means: Means
    _rounds: Rounds
    _people: People
    _chats: ChatCommands
    _running: Running

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
            service=await self._figures(order.sender),
        )
        await self._means.reply(order.message, order.texts.service.status(facts))

    async def _figures(self, user_id: UserId) -> ServiceFigures | None:
        """Return how the whole service is, to who runs it."""
        means = self._means
        if not means.policy.admins.allows(PersonId(user_id)):
            return None
        seen = await overview(means.store, self._running)
        return ServiceFigures(
            up_for=max(time.time() - means.metrics.started_at, 0.0),
            rooms=seen.figures.rooms,
            people=seen.figures.people,
            running=len(seen.runs),
            waiting=seen.figures.waiting,
            oldest=seen.figures.longest_wait,
            unsent=seen.figures.owed,
            oldest_unsent=seen.figures.oldest_owed,
            agents=tuple(map(self._agent, means.agents.registry.agents.values())),
        )

    def _agent(self, entry: AgentEntry) -> AgentState:
        heard = self._means.metrics.heard(entry.id)
        return AgentState(name=entry.name, is_up=None if heard is None else heard.is_up)

    async def _failure(self, agent: AgentEntry | None, user_id: UserId) -> RunFailure | None:
        """Return why the agent would not answer this person; None if it would."""
        if agent is None:
            return RunFailure.NO_AGENT
        if not self._means.agents.may_use(agent.id, user_id):
            return RunFailure.NOT_ALLOWED
        return await probe(agent)
