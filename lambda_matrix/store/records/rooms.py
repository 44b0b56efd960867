"""Rooms as the homeserver tells them and as we use them, and those that are to be made."""

from __future__ import annotations

from enum import Enum

from attrs import frozen

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId

PERSON_AND_BOT = 2


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
