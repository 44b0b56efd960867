"""What is said of contexts, and of those that were saved."""

from collections.abc import Callable, Sequence

from attrs import frozen

from lambda_matrix.conversation.settings import Threads
from lambda_matrix.ids import PlatformChatId


@frozen
class SavedLine:
    """One saved conversation: `chat` is the name of the chat it is from, `age` since the saving."""

    name: str
    chat: str
    messages: int
    size: int
    age: float


@frozen(kw_only=True)
class ContextFacts:
    """What `!context` tells.

    `input_tokens`, `output_tokens`: None where the agent does not count. `age`: since the context
    began. `loaded`: the name of the saved conversation that it goes on from. `sent_limit`: at most
    so many of the newest messages go along with each question, None where the agent remembers.
    """

    agent: str
    platform_chat_id: PlatformChatId
    messages: int
    age: float
    input_tokens: int | None = None
    output_tokens: int | None = None
    loaded: str | None = None
    threads: Threads = Threads.SHARED
    sent_limit: int | None = None
    is_stale: bool = False
    saved: tuple[SavedLine, ...] = ()


@frozen(kw_only=True)
class LoadedFacts:
    """What became of a `!load`.

    `messages` were loaded, `left_out` could not be read or were redacted. `is_cut`: there were
    more, and the newest were taken.
    """

    name: str
    messages: int
    left_out: int = 0
    is_cut: bool = False


@frozen(kw_only=True)
class ContextTexts:
    """What a chat remembers, and what was saved of it."""

    context: Callable[[ContextFacts], str]
    cleared: str
    saved: Callable[[str, int], str]
    """The conversation was saved under this name; so many messages."""
    saved_again: Callable[[str, int], str]
    """The name was there, for the same conversation as far as it had gone then; now it is whole."""
    name_taken: Callable[[str], str]
    """The name is that of another conversation, which is kept."""
    default_name: Callable[[str, int], str]
    """The n-th name, from 1, for what is saved from the chat of this name without naming it."""
    nothing_to_save: str
    too_many_saved: Callable[[int], str]
    """No more than so many can be saved."""
    forgotten: Callable[[str], str]
    no_such_saved: Callable[[str, str | None], str]
    """Nothing is saved under this name or number; the nearest name."""
    saved_list: Callable[[Sequence[SavedLine]], str]
    """The list, numbered as it stands, and how to pick from it; also for an empty one."""
    loaded: Callable[[LoadedFacts], str]
    source_gone: Callable[[str], str]
    """The chat that this was saved from can no longer be read."""
