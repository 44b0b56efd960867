"""What an agent is asked: the input of a run, put together when the run begins."""

from attrs import frozen

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RequestId, RunId
from lambda_matrix.store import contexts
from lambda_matrix.store.records import Attempt, Request, Thread
from lambda_matrix.surface.means import Means


@frozen
class Asked:
    """What the agent gets, and the thread as it is known here before the run."""

    run_input: RunInput
    thread: Thread


@frozen
class Asking:
    """Puts the inputs of runs together."""

    _means: Means

    async def prepare(self, attempt: Attempt, _entry: AgentEntry, texts: Texts) -> Asked:
        """Return what the agent is to get for this attempt."""
        request = attempt.request
        thread = await self._means.store.transact(contexts.thread, request.platform_chat_id)
        question = ThreadMessage(id=request.question, role="user", content=request.text)
        run_input = RunInput(
            thread_id=request.platform_chat_id,
            run_id=RunId(f"{request.request_id}.{attempt.number}"),
            request_id=wire_request_id(request),
            messages=() if request.resume else (question,),
            user=request.asker,
            room=request.room_id,
            locale=texts.language.value,
            resume=request.resume or (),
            state=thread.state,
        )
        return Asked(run_input, thread)


def wire_request_id(request: Request) -> RequestId:
    """Return the id by which the agent knows all attempts to have this question answered.

    An edited question is another one to an agent that has met it before, and may have answered it.
    """
    return RequestId(f"{request.request_id}{f'-{request.edited}' if request.edited else ''}")
