"""What an agent is asked: the input of a run, put together when the run begins.

An agent that remembers gets what was loaded into the context and the new question; it knows by the
ids what is new to it. One that does not gets the whole conversation, as much as is told at most.
"""

import logging
from collections.abc import Iterable
from hashlib import sha256

import trio
from attrs import evolve, frozen

from lambda_matrix.agent.registry import AgentEntry
from lambda_matrix.agent.run_input import RunInput
from lambda_matrix.agent_events import Interrupt, ResumeEntry, ThreadMessage
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.conversation.thread import bounded
from lambda_matrix.ids import EventId, RequestId, RoomId, RunId
from lambda_matrix.matrix_events import MediaMessage, TextMessage
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.records import Attempt, Request, Thread
from lambda_matrix.surface.files.carrying import Carried, Carrying
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.rooms.contexts import Contexts

logger = logging.getLogger(__name__)

LONGEST_QUOTE = 4_000
"""Characters of a message that is replied to which go along with the reply."""
QUOTE_WITHIN = 5.0
"""Seconds within which it must be had; else the reply goes without."""


@frozen
class Asked:
    """What the agent gets, and the thread as it is known here before the run.

    `dropped`, if there, goes first, and what the agent says to it is for nobody: what its last run
    had asked will not be answered any more, and AG-UI wants that said before anything else is.
    """

    run_input: RunInput
    thread: Thread
    dropped: RunInput | None = None


@frozen
class Asking:
    """Puts the inputs of runs together."""

    _means: Means
    _contexts: Contexts
    _carrying: Carrying

    async def prepare(self, attempt: Attempt, entry: AgentEntry, texts: Texts) -> Asked:
        """Return what the agent is to get for this attempt."""
        request = attempt.request
        thread = await self._contexts.thread(request.platform_chat_id, request.question)
        is_question = request.resume is None
        carried = await self._carrying.along(request, attempt.files)
        asked = (await self._question(request, carried),) if is_question else ()
        run_input = RunInput(
            thread_id=request.platform_chat_id,
            run_id=RunId(f"{request.request_id}.{attempt.number}"),
            request_id=wire_request_id(request),
            messages=_told(thread, asked, entry, resuming=not is_question),
            user=request.asker,
            room=request.room_id,
            locale=texts.language.value,
            resume=request.resume or (),
            state=thread.state,
            inlined=carried.inlined,
        )
        if not is_question or not thread.interrupts:
            return Asked(run_input, thread)
        dropped = evolve(
            run_input,
            run_id=RunId(f"{request.request_id}.{attempt.number}.dropped"),
            request_id=RequestId(f"{_name_of(request.question)}-dropped"),
            messages=_told(thread, (), entry, resuming=True),
            resume=tuple(_cancelled(thread.interrupts)),
            inlined={},
        )
        return Asked(run_input, thread, dropped)

    async def _question(self, request: Request, carried: Carried) -> ThreadMessage:
        """Return the question as a message, with its files, and what it replies to before it."""
        content = request.text
        if request.in_reply_to is not None:
            said = await self._said(request.room_id, request.in_reply_to)
            if said is not None and said.strip():
                content = f"{_quote(said)}\n\n{content}"
        return ThreadMessage(
            id=request.question, role="user", content=content, attachments=carried.attachments
        )

    async def _said(self, room_id: RoomId, event_id: EventId) -> str | None:
        """Return what that event says; None if it cannot be had at once."""
        known = await self._means.store.transact(contexts.text_of, room_id, event_id)
        if known is not None:
            return known
        with trio.move_on_after(QUOTE_WITHIN):
            try:
                event = await self._means.client.event(room_id, event_id)
            except MatrixError as error:
                logger.debug("%s, which is replied to, cannot be read: %s", event_id, error)
                return None
            match event:
                case TextMessage():
                    return event.body if event.newest_body is None else event.newest_body
                case MediaMessage():
                    return event.caption or event.filename
                case _:
                    return None
        return None


def wire_request_id(request: Request) -> RequestId:
    """Return the id by which the agent knows all attempts to have this question answered.

    It is made of the question's event alone, so that it is the same after the loss of the database,
    too; runs have the request's own id, and so one that was never used. An edited question is
    another one to an agent that has met it before, and may have answered it.
    """
    edition = f"-{request.edited}" if request.edited else ""
    return RequestId(f"{_name_of(request.question)}{edition}")


def _name_of(question: EventId) -> str:
    return sha256(question.encode()).hexdigest()[:24]


def _told(
    thread: Thread, asked: tuple[ThreadMessage, ...], entry: AgentEntry, *, resuming: bool
) -> tuple[ThreadMessage, ...]:
    if entry.history == "agent":
        return (*thread.loaded, *asked)
    return bounded((*thread.loaded, *thread.messages, *asked), resuming=resuming)


def _cancelled(interrupts: Iterable[Interrupt]) -> Iterable[ResumeEntry]:
    return (ResumeEntry(interrupt.id, "cancelled") for interrupt in interrupts)


def _quote(text: str) -> str:
    cut = text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
    return "\n".join(f"> {line}" for line in cut.strip().split("\n"))
