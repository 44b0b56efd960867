"""Rows as the operations give them out, and the shapes in which they take them in."""

from enum import Enum, IntEnum

from attrs import frozen

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
from lambda_matrix.store.facts import Incoming


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
    UNREGISTERED = "unregistered"


@frozen(kw_only=True)
class Room:
    """A room that the bot is, was, or is asked to be in."""

    room_id: RoomId
    membership: str
    inviter: UserId | None
    is_direct: bool
    creator: UserId | None
    intent: str | None
    name: str | None
    encrypted: bool
    member_count: int | None
    kind: RoomKind
    owner: UserId | None
    agent: AgentId | None
    platform_chat_id: PlatformChatId | None
    told: frozenset[str]


@frozen
class Look:
    """What an intake lane finds: the room as it is known, and what waits in its inbox."""

    room: Room | None
    events: tuple[Incoming, ...]


@frozen(kw_only=True)
class Request:
    """One question and what became of it; `outcome` None: not answered yet.

    `attempts` are those that count against it, `runs` all that were begun. `as_reply`: the answer
    names its question, since others may have been said in between.
    """

    request_id: RequestId
    question: EventId
    room_id: RoomId
    asker: UserId
    text: str
    agent: AgentId
    platform_chat_id: PlatformChatId
    as_reply: bool
    attempts: int
    runs: int
    stopped: bool
    outcome: str | None


@frozen
class Stopped:
    """What a `!stop` ended: so many requests, and whether the one at work is among them."""

    count: int
    is_running: bool


@frozen
class Attempt:
    """A run about to begin, the `number`th of its request, counted from 1.

    `root` is the row of the preview that it takes over, if there is one; `language` is the one
    that the asker chose.
    """

    request: Request
    number: int
    root: int | None
    language: str | None = None


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

    `entered` are those that the bot joined, maybe once more. `foreign` is the newest instance under
    our name that this store never knew.
    """

    wake: frozenset[RoomId] = frozenset()
    gaps: tuple[Gap, ...] = ()
    invites: tuple[RoomId, ...] = ()
    encrypted: tuple[RoomId, ...] = ()
    entered: tuple[RoomId, ...] = ()
    left: tuple[RoomId, ...] = ()
    foreign: InstanceId | None = None
