"""What each person chose, here and in the bot's account data, where it outlives the database."""

from attrs import frozen

from lambda_matrix.client_server_api.account_data import person_content, person_key
from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import AgentId, UserId
from lambda_matrix.store import choices, people
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records import Draft
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist


@frozen
class People:
    """Reads and notes what people chose."""

    _means: Means

    async def settings(self, user_id: UserId) -> PersonSettings:
        """Return what the person chose, and the defaults of the rest."""
        return await self._means.store.transact(people.settings, user_id)

    async def agent_of_new_chats(self, user_id: UserId) -> AgentId:
        """Return the agent that the person's next chat gets: the chosen one while it is theirs."""
        chosen = (await self.settings(user_id)).agent
        if chosen is not None and self._means.agents.may_use(chosen, user_id):
            return chosen
        return self._means.agents.choose(user_id)

    async def choose(self, event: Incoming, chosen: PersonSettings, reply: Draft) -> None:
        """Note what `event`'s sender chose, and settle it.

        The homeserver has it first: cut off in between, the command is obeyed once more.

        Raises:
            MatrixError: the homeserver refuses to keep it, and no waiting will change that.
        """
        key, content = person_key(event.sender), person_content(chosen)
        await persist(lambda: self._means.client.account.put_data(key, content))
        await self._means.store.transact(
            choices.choose, event, chosen, reply, self._means.ourselves
        )
        self._means.outbox.wake([event.room_id])
