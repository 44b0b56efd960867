"""What is said of agents and settings."""

from collections.abc import Callable, Sequence

from attrs import frozen

from lambda_matrix.conversation.catalogue.places import Link
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.settings import PersonSettings, SettingChange, Threads
from lambda_matrix.ids import PlatformChatId


@frozen
class AgentLine:
    """One agent that a person may use. `is_selected`: new chats get it; `is_here`: this chat."""

    id: str
    name: str
    is_selected: bool = False
    is_here: bool = False


@frozen(kw_only=True)
class SettingFacts:
    """All settings as they stand. `language` is the one that is spoken; `threads` None: no chat."""

    language: Language
    settings: PersonSettings
    threads: Threads | None = None


@frozen(kw_only=True)
class ChatFacts:
    """This chat, for the dashboard. `agent` is its agent's name."""

    agent: str
    platform_chat_id: PlatformChatId
    messages: int
    is_archived: bool = False
    is_stale: bool = False


@frozen(kw_only=True)
class Dashboard:
    """What `!settings` shows. `agent` is the name of the one that new chats get."""

    person: str
    space: Link | None
    agent: str
    chat: ChatFacts | None
    settings: SettingFacts
    version: str


@frozen(kw_only=True)
class SettingTexts:
    """The agents to choose from, the dashboard, and what can be set."""

    agents: Callable[[Sequence[AgentLine]], str]
    """The list, numbered as it stands, and how to choose; also for one and for none."""
    agent_selected: Callable[[str, str | None], str]
    """New chats get the first; this chat, if it is one, stays with the second."""
    no_such_agent: Callable[[str, str | None], str]
    """There is none of this id, number or name; the nearest id."""
    dashboard: Callable[[Dashboard], str]
    all: Callable[[SettingFacts], str]
    """`!set` alone: the keys, their values, and how to change them."""
    changed: Callable[[SettingChange], str]
