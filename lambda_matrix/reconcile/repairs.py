"""The repairs: each says what is to be true afterwards, and in one line what is done for it."""

from typing import assert_never

from attrs import frozen

from lambda_matrix.account_data import Binding, KeptSaved, KeptSettings
from lambda_matrix.ids import RoomId, UserId


@frozen(kw_only=True)
class RestoreSettings:
    """What a person chose is as their account data says."""

    kept: KeptSettings


@frozen(kw_only=True)
class RestoreSaved:
    """What a person saved, likewise."""

    kept: KeptSaved


@frozen(kw_only=True)
class NoteLeft:
    """The bot is not in the room any more, and was not told: kicked, while nobody listened."""

    room_id: RoomId


@frozen(kw_only=True)
class RestoreSpace:
    """The room is its owner's Space, as the marker says."""

    room_id: RoomId
    owner: UserId
    intent: str


@frozen(kw_only=True)
class RestoreChat:
    """The room is a chat, as its binding says. `intent` is the marker's, if we made the room."""

    room_id: RoomId
    binding: Binding
    intent: str | None = None
    created_at: int | None = None


@frozen(kw_only=True)
class FollowBinding:
    """The chat is bound as the homeserver says, which is newer than what is recorded."""

    room_id: RoomId
    binding: Binding


@frozen(kw_only=True)
class KeepBinding:
    """The homeserver knows what the chat is bound to, not only something older or nothing."""

    room_id: RoomId


@frozen(kw_only=True)
class NoteMoved:
    """The room was a chat until it was upgraded, and goes on in another one."""

    room_id: RoomId
    owner: UserId | None
    intent: str | None = None


@frozen(kw_only=True)
class BindRoom:
    """The room, from before there were bindings, is a chat with a context of its own."""

    room_id: RoomId
    owner: UserId


@frozen(kw_only=True)
class FinishChat:
    """The room was made to be a chat, and never bound: its making goes on."""

    room_id: RoomId
    owner: UserId
    intent: str


@frozen(kw_only=True)
class FinishTree:
    """The owner's Space never had a chat: the first one is made."""

    space_id: RoomId
    owner: UserId


@frozen(kw_only=True)
class LeaveDuplicate:
    """The room was made a second time for one intent; the bot is not in it."""

    room_id: RoomId
    kept: RoomId


@frozen(kw_only=True)
class NoteByHand:
    """Somebody took the chat out of its Space, or put it back: it is archived, or no longer."""

    room_id: RoomId
    archived: bool


@frozen(kw_only=True)
class LinkChat:
    """The chat stands in its owner's Space, where it never stood."""

    space_id: RoomId
    room_id: RoomId
    owner: UserId


@frozen(kw_only=True)
class UnlinkChat:
    """The archived chat stands no longer in its owner's Space."""

    space_id: RoomId
    room_id: RoomId
    owner: UserId


@frozen(kw_only=True)
class RestoreDirect:
    """The room is where its owner invited the bot. `is_greeted`: they were told the way there."""

    room_id: RoomId
    owner: UserId
    is_greeted: bool


Repair = (
    RestoreSettings
    | RestoreSaved
    | NoteLeft
    | RestoreSpace
    | RestoreChat
    | FollowBinding
    | KeepBinding
    | NoteMoved
    | BindRoom
    | FinishChat
    | FinishTree
    | LeaveDuplicate
    | NoteByHand
    | LinkChat
    | UnlinkChat
    | RestoreDirect
)
AtHomeserver = BindRoom | FinishChat | KeepBinding | LeaveDuplicate | LinkChat | UnlinkChat
"""Those for which the homeserver is asked for something."""


def describe(repair: Repair) -> str:  # noqa: C901, PLR0911, PLR0912 - a sentence each
    """Return what the repair does, in one line for the operator."""
    match repair:
        case RestoreSettings(kept=kept):
            return f"settings of {kept.user_id} restored"
        case RestoreSaved(kept=kept):
            return f"saved conversations of {kept.user_id} restored: {len(kept.saved)}"
        case NoteLeft(room_id=room_id):
            return f"room {room_id}: noted that the bot is not in it any more"
        case RestoreSpace(room_id=room_id, owner=owner):
            return f"Space {room_id} of {owner} restored"
        case RestoreChat(room_id=room_id, binding=binding):
            return f"chat {room_id} of {binding.owner} restored{_bound(binding)}"
        case FollowBinding(room_id=room_id, binding=binding):
            return f"chat {room_id} of {binding.owner} brought up to date{_bound(binding)}"
        case KeepBinding(room_id=room_id):
            return f"chat {room_id}: its binding put on the homeserver again"
        case NoteMoved(room_id=room_id):
            return f"room {room_id}: noted that it was upgraded, and goes on elsewhere"
        case BindRoom(room_id=room_id, owner=owner):
            return f"chat {room_id} of {owner} given its first context"
        case FinishChat(room_id=room_id, owner=owner):
            return f"chat {room_id} of {owner}: its making goes on"
        case FinishTree(space_id=space_id, owner=owner):
            return f"Space {space_id} of {owner}: a first chat is made for it"
        case LeaveDuplicate(room_id=room_id, kept=kept_room):
            return f"room {room_id} left: it was made a second time, besides {kept_room}"
        case NoteByHand(room_id=room_id, archived=archived):
            done = "taken out of its Space" if archived else "put back into its Space"
            return f"chat {room_id}: noted that it was {done} by hand"
        case LinkChat(space_id=space_id, room_id=room_id):
            return f"chat {room_id} put into Space {space_id}"
        case UnlinkChat(space_id=space_id, room_id=room_id):
            return f"chat {room_id}, which is archived, taken out of Space {space_id}"
        case RestoreDirect(room_id=room_id, owner=owner):
            return f"direct room {room_id} of {owner} restored"
        case _:
            assert_never(repair)


def _bound(binding: Binding) -> str:
    threads = f", {len(binding.threads)} threads" if binding.threads else ""
    archived = ", archived" if binding.archived else ""
    return f": agent {binding.agent}, context {binding.platform_chat_id}{threads}{archived}"
