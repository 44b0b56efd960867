"""Rows as the operations give them out, and the shapes in which they take them in."""

from __future__ import annotations

from enum import Enum, IntEnum
from typing import Literal

from attrs import frozen

from lambda_matrix.agent_events import Interrupt, JsonText, ResumeEntry, ThreadMessage
from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import (
    AgentId,
    DeviceId,
    EventId,
    InstanceId,
    PlatformChatId,
    RequestId,
    RoomId,
    SyncToken,
    TransactionId,
    UserId,
)
from lambda_matrix.matrix_events import AnswerMark, AnswerState
from lambda_matrix.store.facts import Incoming, Stretch

PERSON_AND_BOT = 2


@frozen
class Ourselves:
    """Who we are on the homeserver: whose echoes are our own, whose transaction ids are valid."""

    user_id: UserId
    device_id: DeviceId
    instance: InstanceId


class RoomKind(Enum):
    """What a room is to the service."""

    SPACE = "space"
    CHAT = "chat"
    DIRECT = "direct"  # where the bot was invited; commands work, questions are sent on
    MOVED = "moved"  # was a Space or a chat until it was upgraded; goes on in `replaced_by`
    UNREGISTERED = "unregistered"


@frozen(kw_only=True)
class Room:
    """A room that the bot is, was, or is asked to be in.

    `platform_chat_id` is the context of what is said there now; `own_threads` gives each thread a
    context of its own. `untitled` waits to be named after its first question; `ended` was deleted
    by its owner, and is left once all is said. `replaced_by` is where it goes on after an upgrade
    by `upgrader`.
    """

    room_id: RoomId
    membership: str
    inviter: UserId | None
    is_direct: bool
    creator: UserId | None
    intent: str | None
    name: str | None
    encrypted: bool
    member_count: int | None
    version: str | None = None
    replaced_by: RoomId | None = None
    upgrader: UserId | None = None
    kind: RoomKind
    owner: UserId | None
    agent: AgentId | None
    platform_chat_id: PlatformChatId | None
    archived: bool = False
    own_threads: bool = False
    untitled: bool = False
    ended: bool = False
    told: frozenset[str]

    @property
    def is_private(self) -> bool:
        """Whether nobody is there but one person and us."""
        return (self.member_count or 0) <= PERSON_AND_BOT


@frozen
class Look:
    """What an intake lane finds: the room as it is known, and what waits in its inbox."""

    room: Room | None
    events: tuple[Incoming, ...]


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
class Context:
    """What an agent remembers by one number; see the table of contexts. `begun_at` in seconds."""

    platform_chat_id: PlatformChatId
    room_id: RoomId
    thread_root: EventId | None
    agent: AgentId
    since_event: EventId | None
    loaded: tuple[Stretch, ...]
    begun_at: float
    is_whole: bool
    message_count: int
    input_tokens: int
    output_tokens: int


@frozen(kw_only=True)
class NewContext:
    """A context to begin, with the messages that are loaded into it from the stretches `loaded`.

    Nothing from before `since_event` goes to an agent. With `thread_root` it is that thread's own.
    """

    platform_chat_id: PlatformChatId
    room_id: RoomId
    agent: AgentId
    thread_root: EventId | None = None
    since_event: EventId | None = None
    loaded: tuple[Stretch, ...] = ()
    messages: tuple[ThreadMessage, ...] = ()


@frozen(kw_only=True)
class SavedContext:
    """A conversation under a name of its owner's: where it stands, `size` in bytes of text.

    `agent` is the one that it was led with. `saved_at` is in seconds since the epoch.
    """

    user_id: UserId
    name: str
    stretches: tuple[Stretch, ...]
    agent: AgentId
    messages: int
    size: int
    saved_at: float


@frozen(kw_only=True)
class Binding:
    """What a chat is bound to; kept on the homeserver, too.

    `since_event`: nothing from before it goes to an agent. `loaded`: the history that the context
    began with. `threads`: the contexts of threads that have their own, by their roots.
    """

    owner: UserId
    agent: AgentId
    platform_chat_id: PlatformChatId
    since_event: EventId | None = None
    loaded: tuple[Stretch, ...] = ()
    archived: bool = False
    own_threads: bool = False
    threads: tuple[tuple[EventId, PlatformChatId], ...] = ()


@frozen(kw_only=True)
class Thread:
    """What an agent may be told of a context: what was loaded, what was said, its own state."""

    loaded: tuple[ThreadMessage, ...]
    messages: tuple[ThreadMessage, ...]
    state: JsonText | None
    interrupts: tuple[Interrupt, ...]


@frozen(kw_only=True)
class Exchange:
    """What a run added to its context. `state` and `interrupts` None: as they were."""

    messages: tuple[ThreadMessage, ...] = ()
    state: JsonText | None = None
    interrupts: tuple[Interrupt, ...] | None = ()
    input_tokens: int = 0
    output_tokens: int = 0


@frozen(kw_only=True)
class StagedFile:
    """A file that somebody sent. `path` and `kind` are known once it is "ready".

    Until then `name`, `mime_type` and `size` (bytes) are what its sender claims. A "removed" one is
    to be deleted.
    """

    event_id: EventId
    room_id: RoomId
    sender: UserId
    thread_root: EventId | None
    name: str
    url: str
    agent: AgentId
    platform_chat_id: PlatformChatId
    state: Literal["wanted", "ready", "refused", "removed"]
    path: str | None
    kind: Literal["image", "audio", "video", "document"] | None
    mime_type: str | None
    size: int | None
    request: RequestId | None


@frozen(kw_only=True)
class FetchedFile:
    """What somebody's file is, now that it lies in a workspace: `path` is relative to that."""

    path: str
    name: str
    kind: Literal["image", "audio", "video", "document"]
    mime_type: str
    size: int


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
class OfferedFile:
    """A file of an agent's for the room; `path` as the agent said it, believed by nobody."""

    position: int
    room_id: RoomId
    request: RequestId
    agent: AgentId
    platform_chat_id: PlatformChatId
    path: str
    caption: str | None


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

    `root` is the row of the preview that it takes over, if there is one; `settings`: the asker's.
    """

    request: Request
    number: int
    root: int | None
    settings: PersonSettings


class Priority(IntEnum):
    """Who goes first when the homeserver limits the rate."""

    FINAL = 0
    FIRST = 1
    PREVIEW = 2


@frozen(kw_only=True)
class Draft:
    """An event to be sent to `room_id`.

    `content` is its JSON. With `replaces` (a row) it lacks `m.relates_to`, which the outbox adds
    once that row's event id is known: always the same, so the bytes under the transaction id are.
    """

    room_id: RoomId
    content: bytes
    mark: AnswerMark
    priority: Priority = Priority.FINAL
    replaces: int | None = None
    last_resort: bool = False


@frozen(kw_only=True)
class OutboxRow:
    """A committed event on its way. `root` is the event id of the row that it replaces.

    `root_lost` says that the row to be replaced was refused for good: send it as a fresh event.
    """

    seq: int
    transaction_id: TransactionId
    device_id: DeviceId
    created_at: float
    room_id: RoomId
    content: bytes
    replaces: int | None
    root: EventId | None
    root_lost: bool
    request: RequestId
    question: EventId | None
    part: int
    parts: int
    answer_state: AnswerState
    instance: InstanceId
    priority: Priority
    last_resort: bool

    @property
    def mark(self) -> AnswerMark:
        """The mark that the event carries."""
        return AnswerMark(
            question=self.question,
            request=self.request,
            part=self.part,
            state=self.answer_state,
            instance=self.instance,
            parts=self.parts,
        )


@frozen
class Gap:
    """A stretch of a timeline to be read from `/messages`, newest first, before the room goes on.

    `to_token` None: back to the bot's own join.
    """

    room_id: RoomId
    batch: int
    from_token: SyncToken
    to_token: SyncToken | None


@frozen(kw_only=True)
class Intent:
    """A room that is to be made: a user's Space or a chat room in it."""

    intent_id: str
    kind: RoomKind
    owner: UserId
    command: EventId | None
    origin: RoomId | None
    name: str | None
    agent: AgentId | None
    platform_chat_id: PlatformChatId | None
    tries: int
    room_id: RoomId | None
    done: bool


@frozen
class Accepted:
    """What a batch brought, by rooms: to be reacted in, with gaps to read, newly encrypted ...

    `entered` are those that the bot joined, maybe once more. `deserted` are those from which
    somebody went away, and `stopped` the requests of theirs. `archived` are those that were taken
    out of their Space by hand. `withdrawn` are those with events of ours to be redacted, `upgraded`
    those that go on elsewhere. `unnoted` are chats whose binding is to be told to the homeserver,
    `untitled` those whose first question has its answer, and gives them their name. `foreign` is
    the newest instance under our name that this store never knew.
    """

    wake: frozenset[RoomId] = frozenset()
    gaps: tuple[Gap, ...] = ()
    invites: tuple[RoomId, ...] = ()
    encrypted: tuple[RoomId, ...] = ()
    entered: tuple[RoomId, ...] = ()
    left: tuple[RoomId, ...] = ()
    deserted: tuple[RoomId, ...] = ()
    stopped: tuple[Request, ...] = ()
    withdrawn: tuple[RoomId, ...] = ()
    upgraded: tuple[RoomId, ...] = ()
    archived: tuple[RoomId, ...] = ()
    unnoted: tuple[RoomId, ...] = ()
    untitled: tuple[RoomId, ...] = ()
    foreign: InstanceId | None = None
