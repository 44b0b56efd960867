"""What the homeserver told us, as frozen facts: the closed unions that the parsers make.

Above `client_server_api.parsing` nobody sees a dict of a homeserver's. Every fact of a timeline
keeps the ids that make it one (room, event, sender) and the time that its sender's server claims,
which decides nothing (no wall clock decides whether a message is answered).
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from attrs import field, frozen

from lambda_matrix.account_data import Binding, KeptOfPerson, Unbound
from lambda_matrix.ids import (
    EventId,
    InstanceId,
    PlatformChatId,
    RequestId,
    RoomId,
    SyncToken,
    TransactionId,
    UserId,
)

ANSWER_KEY = "ru.coredump.lambda.answer"
"""The content key by which every event of ours names what it answers (ADR 0002)."""
MARKER_KEY = "ru.coredump.lambda.room"
"""The `creation_content` key by which every room of ours names the intent that made it."""


class AnswerState(Enum):
    """Whether more of an answer is to come."""

    OPEN = "open"
    FINAL = "final"


@frozen
class AnswerMark:
    """`ru.coredump.lambda.answer`: which question an event of ours answers, and how far.

    `question` is None for what answers nobody (a greeting). `part` counts from 0 and a `FINAL`
    part says how many `parts` there are: the question is answered once the last of them is there.
    `context` is the one that the question was asked in, None for what no agent answers. The last
    `own` paragraphs of the whole answer are the service's words, not the agent's; with `asks` they
    ask for a person's word. `waits` is what was said before the question and waited to be answered
    still: whatever is older has its answer. Counts only when the event's sender is the bot itself.
    """

    question: EventId | None
    request: RequestId
    part: int
    state: AnswerState
    instance: InstanceId
    parts: int = 1
    context: PlatformChatId | None = None
    own: int = 0
    asks: bool = False
    waits: EventId | None = None

    @property
    def is_answer(self) -> bool:
        """True of answers to questions, in their turn; else it is one of our own words.

        Those name their cause, with a colon; what else is said to a question is no answer, either.
        """
        return self.question is not None and ":" not in self.request

    @property
    def completes(self) -> bool:
        """True on the event after which nothing more of this answer is to come."""
        return self.state is AnswerState.FINAL and self.part == self.parts - 1


@frozen
class RoomMarker:
    """`ru.coredump.lambda.room` in a room's `m.room.create`: made by the bot for this intent."""

    intent: str
    kind: Literal["space", "chat"]
    owner: UserId


@frozen(kw_only=True)
class TimelineFact:
    """What each event of a timeline has. `transaction_id` only on echoes to our own device."""

    room_id: RoomId
    event_id: EventId
    sender: UserId
    origin_server_ts: int = 0
    transaction_id: TransactionId | None = None


@frozen
class InvokedCommand:
    """`org.matrix.msc4391.command`: a command that the client spelled out, whatever the body says.

    `arguments` are (key, value) as text, in the order of the event; a list is joined by spaces.
    """

    name: str
    arguments: tuple[tuple[str, str], ...] = ()


@frozen(kw_only=True)
class TextMessage(TimelineFact):
    """`m.room.message` with msgtype m.text, m.notice or m.emote (11.2.1.6).

    `body` is the text of this event (of `m.new_content` where `replaces` is set), with a reply's
    fallback stripped. `answer` is the mark of an event of ours, read only by whoever checked the
    sender. `newest_body` and `newest_answer` are those of the newest edit, where the homeserver
    tells it with the event: who reads history needs no edits then. The edit was made by
    `sender`, and to a text.
    """

    msgtype: Literal["m.text", "m.notice", "m.emote"]
    body: str
    replaces: EventId | None = None
    in_reply_to: EventId | None = None
    thread_root: EventId | None = None
    mentions: frozenset[UserId] = frozenset()
    answer: AnswerMark | None = None
    newest_body: str | None = None
    newest_answer: AnswerMark | None = None
    command: InvokedCommand | None = None


@frozen(kw_only=True)
class MediaMessage(TimelineFact):
    """`m.room.message` with a file: msgtype m.image, m.audio, m.video or m.file (11.2.1.6).

    `url` is the file's `mxc://` address, None where the file is encrypted (and cannot be read).
    `caption` is what was written under it; None without. `mimetype` and `size` (bytes) are claims.
    `answer` is the mark of a file of ours, read only by whoever checked the sender.
    """

    msgtype: Literal["m.image", "m.audio", "m.video", "m.file"]
    filename: str
    url: str | None
    caption: str | None = None
    mimetype: str | None = None
    size: int | None = None
    is_voice: bool = False
    in_reply_to: EventId | None = None
    thread_root: EventId | None = None
    mentions: frozenset[UserId] = frozenset()
    answer: AnswerMark | None = None


@frozen(kw_only=True)
class OtherMessage(TimelineFact):
    """A message that is neither: `kind` is its msgtype or event type (m.location, m.poll.start)."""

    kind: str
    body: str = ""


@frozen(kw_only=True)
class EncryptedMessage(TimelineFact):
    """`m.room.encrypted`: somebody said something that the bot cannot read."""


@frozen(kw_only=True)
class Redaction(TimelineFact):
    """`m.room.redaction`: `redacts` was taken back."""

    redacts: EventId


class Membership(Enum):
    """`m.room.member`'s `membership`."""

    INVITE = "invite"
    JOIN = "join"
    KNOCK = "knock"
    LEAVE = "leave"
    BAN = "ban"


@frozen(kw_only=True)
class MemberChange(TimelineFact):
    """`m.room.member`: `target` is now `membership`, said `sender`.

    `previous` is what it was before, where the homeserver tells (`unsigned.prev_content`): a new
    display name is a member event, too.
    """

    target: UserId
    membership: Membership
    previous: Membership | None = None


@frozen(kw_only=True)
class StateChange(TimelineFact):
    """Any other state event of a timeline; what it changes stands in the room's `RoomState`."""

    type: str
    state_key: str


@frozen(kw_only=True)
class UnknownEvent(TimelineFact):
    """A well-formed event that the service has no use for; `is_redacted` if it was taken back."""

    type: str
    is_redacted: bool = False


@frozen
class MalformedEvent:
    """An event that could not be read: stored as it came, and skipped. `raw` is its JSON text."""

    room_id: RoomId
    event_id: EventId | None
    why: str
    raw: str


TimelineEvent = (
    TextMessage
    | MediaMessage
    | OtherMessage
    | EncryptedMessage
    | Redaction
    | MemberChange
    | StateChange
    | UnknownEvent
    | MalformedEvent
)


@frozen
class Tombstone:
    """`m.room.tombstone`: `sender` says that the room goes on in `replacement`."""

    replacement: RoomId
    sender: UserId


@frozen
class SpaceChild:
    """`m.space.child`: `sender` put a room into this Space, or took it out if it has no `via`."""

    room_id: RoomId
    has_via: bool
    sender: UserId


@frozen(kw_only=True)
class RoomState:
    """What a batch newly says about a room's state; None where it says nothing.

    `members` holds only the memberships that this batch carried (the filter is lazy-loading), and
    `children` only the links. `predecessor` is the room that this one goes on from.
    `joined_member_count` is the summary's `m.joined_member_count`.
    """

    creator: UserId | None = None
    created_at: int | None = None
    room_type: str | None = None
    room_version: str | None = None
    marker: RoomMarker | None = None
    name: str | None = None
    encrypted: bool | None = None
    tombstone: Tombstone | None = None
    predecessor: RoomId | None = None
    children: tuple[SpaceChild, ...] = ()
    members: tuple[MemberChange, ...] = ()
    joined_member_count: int | None = None


@frozen(kw_only=True)
class JoinedRoom:
    """`rooms.join`: what is new in a room that the bot is in.

    `limited` says that events lie between the last batch and `timeline`; `prev_batch` is where
    paging back for them begins. `timeline` is oldest first. `binding` is what the bot's own account
    data newly says of the room; None where it says nothing.
    """

    room_id: RoomId
    timeline: tuple[TimelineEvent, ...] = ()
    limited: bool = False
    prev_batch: SyncToken | None = None
    state: RoomState = field(factory=RoomState)
    binding: Binding | Unbound | None = None


@frozen(kw_only=True)
class InvitedRoom:
    """`rooms.invite`, from stripped state: unsigned, so nothing but the inviter is believed."""

    room_id: RoomId
    inviter: UserId
    is_direct: bool = False
    encrypted: bool = False
    room_type: str | None = None


@frozen(kw_only=True)
class LeftRoom:
    """`rooms.leave`: the bot left, was kicked or banned. `timeline` may hold unread messages."""

    room_id: RoomId
    timeline: tuple[TimelineEvent, ...] = ()


@frozen(kw_only=True)
class SyncBatch:
    """One answer of /sync: to be made durable as one transaction, together with `next_batch`.

    `kept` is what the bot's own account data newly says of people, `instance` which start of the
    service it says to be the one that answers.
    """

    next_batch: SyncToken
    joined: tuple[JoinedRoom, ...] = ()
    invited: tuple[InvitedRoom, ...] = ()
    left: tuple[LeftRoom, ...] = ()
    kept: tuple[KeptOfPerson, ...] = ()
    instance: InstanceId | None = None

    @property
    def is_empty(self) -> bool:
        """True when the batch moves nothing but the token."""
        return not (self.joined or self.invited or self.left or self.kept or self.instance)
