"""What the bot keeps in its own account data: the facts.

Nobody else can see or change account data, so what stands there is as good as what we remember. How
it is written, and read back strictly, is `client_server_api.account_data`'s.
"""

from __future__ import annotations

from typing import Literal

from attrs import frozen

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId


@frozen(kw_only=True)
class Stretch:
    """A stretch of a room's history, from one event to another; both are part of it.

    What was asked in another context than `platform_chat_id` is not, wherever it stands.
    """

    room_id: RoomId
    first_event: EventId
    last_event: EventId
    platform_chat_id: PlatformChatId


@frozen(kw_only=True)
class Binding:
    """What a chat is bound to (account data of its room).

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


@frozen
class Unbound:
    """A binding that was taken away again: the chat has ended, or goes on in another room."""


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
class KeptSettings:
    """What a person chose, as it is kept for them; `conversation.settings` says what it means."""

    user_id: UserId
    language: Literal["en", "ru"] | None
    streaming: bool
    reply_style: Literal["formatted", "plain"]
    tool_lines: bool
    agent: AgentId | None


@frozen
class NothingChosen:
    """What a person chose was taken away again: they are as somebody new."""

    user_id: UserId


@frozen
class KeptSaved:
    """All that a person saved, in the order kept."""

    user_id: UserId
    saved: tuple[SavedContext, ...]


KeptOfPerson = KeptSettings | NothingChosen | KeptSaved
