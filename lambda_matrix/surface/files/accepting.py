"""What happens when somebody sends a file: it is wanted, or it is said why it is not.

Nothing is fetched here, so that nothing in the room waits for a download.
"""

from attrs import frozen

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import AgentId
from lambda_matrix.matrix_events import MediaMessage
from lambda_matrix.store.files import staging
from lambda_matrix.surface.commands.order import Said
from lambda_matrix.surface.files.receiving import Receiving
from lambda_matrix.surface.files.transfers import SizeLimits
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.runs.taking import Taking


@frozen
class Accepting:
    """Looks at files before they are fetched."""

    _means: Means
    _workspaces: Workspaces
    _limits: SizeLimits
    _receiving: Receiving
    _taking: Taking

    async def stage(self, said: Said, message: MediaMessage) -> None:
        """Keep the file for its sender's next question in the room, or say why it is not taken."""
        agent, platform_chat_id = said.room.agent, said.room.platform_chat_id
        assert agent is not None  # noqa: S101 - intents.complete wrote the whole binding
        assert platform_chat_id is not None  # noqa: S101 - the same
        refusal = await self._refusal(message, agent, said.texts)
        if refusal is not None:
            await self._means.reply(message, refusal)
            return
        await self._means.store.transact(staging.stage, message, agent, platform_chat_id)
        self._receiving.begin(message.room_id)

    async def ask(self, said: Said, message: MediaMessage, text: str) -> None:
        """Have what is said with the file answered, or say why it is not even asked."""
        assert said.room.agent is not None  # noqa: S101 - intents.complete wrote the whole binding
        refusal = await self._refusal(message, said.room.agent, said.texts)
        if refusal is None:
            self._receiving.note(message.room_id)
            await self._taking.ask(said, text)
            return
        if text:
            refusal = f"{refusal} {said.texts.files.caption_only(message.filename)}"
        await self._means.reply(message, refusal)

    async def _refusal(self, message: MediaMessage, agent: AgentId, texts: Texts) -> str | None:
        """Return why the file cannot be taken in; None if it may be."""
        name, say = message.filename, texts.files
        entry = self._means.agents.get(agent)
        if entry is None:
            return texts.rooms.stale(agent)
        if not self._means.agents.may_use(agent, message.sender):
            return texts.answers.failure(RunFailure.NOT_ALLOWED)
        if self._workspaces.of(agent) is None:
            return say.voice_not_heard if message.is_voice else say.no_workspace(entry.name)
        if message.url is None:
            return say.encrypted(name)
        limit = self._limits.incoming(agent)
        if message.size is not None and message.size > limit:
            return say.too_large(name, limit)
        most = self._means.policy.files_in_line
        waiting = await self._means.store.transact(staging.count, message.room_id, message.sender)
        return say.too_many(most) if waiting >= most else None
