"""What a person may set for themselves, and the one thing that is set for a chat.

How they are written in `!set` is `setting_table`'s.
"""

from enum import Enum
from typing import assert_never

from attrs import evolve, frozen

from lambda_matrix.conversation.language import Language
from lambda_matrix.ids import AgentId


class ReplyStyle(Enum):
    """How answers look: with Markdown made visible, or as the plain text that it is."""

    FORMATTED = "formatted"
    PLAIN = "plain"


class Threads(Enum):
    """What a chat's threads remember: the same context as the chat, or each one of its own."""

    SHARED = "shared"
    OWN = "own"


@frozen(kw_only=True)
class PersonSettings:
    """A person's settings. `language` None: the operator's default; `agent` None: likewise.

    `streaming`: answers grow visibly. `tool_lines`: a line tells which tool is at work. `agent` is
    the one that new chats are bound to; it is chosen by `!agent`, not by `!set`.
    """

    language: Language | None = None
    streaming: bool = True
    reply_style: ReplyStyle = ReplyStyle.FORMATTED
    tool_lines: bool = True
    agent: AgentId | None = None


@frozen
class SetLanguage:
    """`!set language ru`."""

    language: Language


@frozen
class SetStreaming:
    """`!set streaming off`."""

    is_on: bool


@frozen
class SetReplyStyle:
    """`!set style plain`."""

    style: ReplyStyle


@frozen
class SetToolLines:
    """`!set tools off`."""

    is_on: bool


@frozen
class SetThreads:
    """`!set threads own`: of this chat, for everybody in it."""

    threads: Threads


PersonChange = SetLanguage | SetStreaming | SetReplyStyle | SetToolLines
SettingChange = PersonChange | SetThreads


def changed(settings: PersonSettings, change: PersonChange) -> PersonSettings:
    """Return `settings` after `change`."""
    match change:
        case SetLanguage(language):
            return evolve(settings, language=language)
        case SetStreaming(is_on):
            return evolve(settings, streaming=is_on)
        case SetReplyStyle(style):
            return evolve(settings, reply_style=style)
        case SetToolLines(is_on):
            return evolve(settings, tool_lines=is_on)
        case _:
            assert_never(change)
