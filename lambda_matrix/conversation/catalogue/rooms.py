"""What is said of chats as places."""

from collections.abc import Callable, Sequence

from attrs import frozen

from lambda_matrix.conversation.catalogue.places import Link


@frozen
class ChatLine:
    """One chat in the list of them.

    `waiting` counts the questions behind the running one. `agent` is its name, None to leave it
    out; `is_stale`: that agent is gone.
    """

    link: Link
    is_busy: bool
    waiting: int = 0
    agent: str | None = None
    is_archived: bool = False
    is_stale: bool = False


@frozen(kw_only=True)
class RoomTexts:
    """Names of rooms, and what becomes of them."""

    space_name: str
    space_topic: str
    chat_name: Callable[[int], str]
    """The name of the user's n-th chat, from 1, until its first question gives it one."""
    chat_topic: str

    new_chat: Callable[[Link], str]
    new_chat_delayed: Callable[[float], str]
    """The homeserver lets no more rooms be made just now; the chat is there in so many seconds."""
    new_chat_failed: str
    chats: Callable[[Sequence[ChatLine]], str]

    renamed: Callable[[str], str]
    rename_refused: str
    """The homeserver does not let us change the name."""
    archived: str
    already_archived: str
    archived_question: str
    """Something was asked in an archived chat."""
    unarchived: str
    not_archived: str
    """`!unarchive` where nothing is archived."""
    delete_prompt: Callable[[float], str]
    """`!delete` asks; the question expires in so many seconds."""
    deleted: str
    """The last thing said in a chat."""
    kept: str
    """The answer to `!delete` was `!no`."""
    refused: str
    """The homeserver does not let us do what the command asks for."""
    owner_only: str
    """The command is for the chat's owner."""

    bound: str
    """The room has become a chat."""
    already_bound: str
    bind_needs_power: str
    """Whoever may change the room's name may bind it, and nobody else."""

    moved_here: str
    """Said in the room that an upgraded chat goes on in."""
    moved_to: Callable[[Link], str]
    """Somebody speaks in a room that was upgraded: where the chat goes on."""
    not_invited: str
    """The room was upgraded, and we are not let into the new one."""
    space_not_moved: str
    """The Space was upgraded by somebody, or in a way, that cannot be followed."""
    not_moved: str
    """The room was upgraded by somebody, or in a way, that cannot be followed."""
    stale: Callable[[str], str]
    """The chat's agent, of this id, is no longer there."""
