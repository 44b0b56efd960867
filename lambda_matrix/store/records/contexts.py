"""Contexts: what an agent remembers by one number, and the conversation in it."""

from __future__ import annotations

from attrs import frozen

from lambda_matrix.account_data import Stretch
from lambda_matrix.agent_events import Interrupt, JsonText, ThreadMessage
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId


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
