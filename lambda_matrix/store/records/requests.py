"""Questions, the runs that answer them, and what people are asked in turn."""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from lambda_matrix.agent_events import ResumeEntry
from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId, UserId
from lambda_matrix.store.records.contexts import Exchange
from lambda_matrix.store.records.files import FetchedFile
from lambda_matrix.store.records.outbox import Draft


@frozen(kw_only=True)
class Request:
    """One question and what became of it; `outcome` None: not answered yet.

    `attempts` are those that count against it, `runs` all that were begun. `as_reply`: the answer
    names its question, since others may have been said in between. `edited` counts the edits of the
    question: an answer is to the text that was there when its run began. With `resume` it is
    no question, but a person's word on what a run was interrupted for. `origin` is the question
    that it goes on with so, or asks again (`!retry`): `question` is the command then.
    """

    request_id: RequestId
    question: EventId
    room_id: RoomId
    asker: UserId
    text: str
    agent: AgentId
    platform_chat_id: PlatformChatId
    thread_root: EventId | None = None
    in_reply_to: EventId | None = None
    origin: EventId | None = None
    resume: tuple[ResumeEntry, ...] | None = None
    as_reply: bool
    edited: int = 0
    attempts: int
    runs: int
    stopped: bool
    outcome: str | None


@frozen(kw_only=True)
class Question:
    """What is to become a request: see `Request`."""

    request_id: RequestId
    text: str
    agent: AgentId
    platform_chat_id: PlatformChatId
    thread_root: EventId | None = None
    in_reply_to: EventId | None = None
    origin: EventId | None = None
    resume: tuple[ResumeEntry, ...] | None = None
    as_reply: bool = False


@frozen(kw_only=True)
class Confirmation:
    """One thing that a person is asked in a room; only they may answer, until `expires_at`.

    `platform_chat_id` is the context whose run waits (kind "interrupts"), `request` its request.
    """

    user_id: UserId
    room_id: RoomId
    kind: Literal["interrupts", "delete"]
    platform_chat_id: PlatformChatId | None = None
    request: RequestId | None = None
    expires_at: float


@frozen(kw_only=True)
class Done:
    """How a request ended: a word for the journal, the answer's events, and what comes with it.

    `files` are (path, caption) as the agent said them.
    """

    outcome: str
    answer: tuple[Draft, ...] = ()
    exchange: Exchange | None = None
    asked: Confirmation | None = None
    files: tuple[tuple[str, str | None], ...] = ()


@frozen
class Stopped:
    """What a `!stop` ended: its sender's requests, and what they were asked, if it was dropped."""

    requests: tuple[RequestId, ...]
    dropped: Confirmation | None


@frozen
class Attempt:
    """A run about to begin, the `number`th of its request, counted from 1.

    `root` is the row of the preview that it takes over, if there is one; `settings`: the asker's;
    `files` go along with it. `waits` was said before its question and waits to be answered, too.
    """

    request: Request
    number: int
    root: int | None
    settings: PersonSettings
    files: tuple[FetchedFile, ...] = ()
    waits: EventId | None = None
