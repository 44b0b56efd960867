"""What an agent is asked: the input of a run, put together when the run begins."""

from attrs import frozen

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RunId
from lambda_matrix.store.records import Attempt
from lambda_matrix.surface.means import Means


@frozen
class Asking:
    """Puts the inputs of runs together."""

    _means: Means

    async def run_input(self, attempt: Attempt, _entry: AgentEntry, texts: Texts) -> RunInput:
        """Return what the agent is to get for this attempt."""
        request = attempt.request
        return RunInput(
            thread_id=request.platform_chat_id,
            run_id=RunId(f"{request.request_id}.{attempt.number}"),
            request_id=request.request_id,
            messages=(ThreadMessage(id=request.question, role="user", content=request.text),),
            user=request.asker,
            room=request.room_id,
            locale=texts.language.value,
        )
