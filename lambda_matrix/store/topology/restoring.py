"""What is recorded again from what the homeserver says: one operation for each repair.

Each is idempotent, and says nothing to anybody: whoever has all that is told nothing of it.
"""

import time

from sqlite_utils import Database

from lambda_matrix.account_data import Binding, KeptSaved, KeptSettings
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId
from lambda_matrix.store import meta, people
from lambda_matrix.store.conversations import contexts, saved
from lambda_matrix.store.facts import dump_stretches
from lambda_matrix.store.topology import chats, rooms
from lambda_matrix.store.topology.intents import command_of

_MILLI = 1000


def restore_space(db: Database, room_id: RoomId, owner: UserId, intent: str) -> None:
    """The room is the owner's Space, made for that intent."""
    db.execute("UPDATE rooms SET kind = 'space', owner = ? WHERE room_id = ?", (owner, room_id))
    db.execute(
        "INSERT OR IGNORE INTO intents (intent_id, kind, owner, room_id, done)"
        " VALUES (?, 'space', ?, ?, 1)",
        (intent, owner, room_id),
    )


def restore_chat(
    db: Database,
    room_id: RoomId,
    binding: Binding,
    intent: str | None = None,
    created_at: int | None = None,
) -> None:
    """The room is a chat, bound like that; what was said in it is read back when it is needed.

    Nobody knows when its contexts began: not before the room did (`created_at`, milliseconds).
    """
    begun_at = time.time() if created_at is None else created_at / _MILLI
    number = binding.platform_chat_id
    _restore_context(db, room_id, binding, number, begun_at)
    for thread_root, thread_number in binding.threads:
        _restore_context(db, room_id, binding, thread_number, begun_at, thread_root)
    for each in (number, *(thread_number for _, thread_number in binding.threads)):
        meta.note_platform_chat_id(db, each)
    # What was done by hand since the binding was looked at is newer than the binding.
    db.execute(
        "UPDATE rooms SET kind = 'chat', owner = ?, agent = ?, platform_chat_id = ?,"
        " archived = CASE noted WHEN 0 THEN archived ELSE ? END, own_threads = ? WHERE room_id = ?",
        (binding.owner, binding.agent, number, binding.archived, binding.own_threads, room_id),
    )
    if binding.archived:
        chats.stop_all(db, room_id)
    if intent is not None:
        _restore_intent(db, intent, binding.owner, room_id, number, binding.agent)


def take_up_chat(db: Database, room_id: RoomId, binding: Binding) -> bool:
    """The bot is back in a room that is bound like that; False if a number of it is another's."""
    numbers = (binding.platform_chat_id, *(number for _, number in binding.threads))
    others = (contexts.context(db, number) for number in numbers)
    if any(other is not None and other.room_id != room_id for other in others):
        return False
    restore_chat(db, room_id, binding)
    return True


def _restore_context(
    db: Database,
    room_id: RoomId,
    binding: Binding,
    number: PlatformChatId,
    begun_at: float,
    thread_root: EventId | None = None,
) -> None:
    of_room = thread_root is None
    db.execute(
        "INSERT OR IGNORE INTO contexts (platform_chat_id, room_id, thread_root, agent,"
        " since_event, loaded, begun_at, is_whole) VALUES (?, ?, ?, ?, ?, ?, ?, 0)",
        (
            number,
            room_id,
            thread_root,
            binding.agent,
            binding.since_event if of_room else None,
            dump_stretches(binding.loaded) if of_room else None,
            begun_at,
        ),
    )


def _restore_intent(
    db: Database,
    intent: str,
    owner: UserId,
    room_id: RoomId,
    number: PlatformChatId | None,
    agent: AgentId | None,
    *,
    done: bool = True,
) -> None:
    db.execute(
        "INSERT OR IGNORE INTO intents (intent_id, kind, owner, command, agent, platform_chat_id,"
        " room_id, done) VALUES (?, 'chat', ?, ?, ?, ?, ?, ?)",
        (intent, owner, command_of(intent), agent, number, room_id, done),
    )
    db.execute(  # set back to before the room was made: whoever takes it up finds it
        "UPDATE intents SET room_id = ?, platform_chat_id = ? WHERE intent_id = ? AND done = 0",
        (room_id, number, intent),
    )


def note_moved(db: Database, room_id: RoomId, owner: UserId | None, intent: str | None) -> None:
    """The room was a chat, and goes on in the one that replaces it."""
    db.execute("UPDATE rooms SET kind = 'moved', owner = ? WHERE room_id = ?", (owner, room_id))
    if intent is not None and owner is not None:
        _restore_intent(db, intent, owner, room_id, None, None)
        db.execute("UPDATE intents SET done = 1 WHERE intent_id = ?", (intent,))


def finish_chat(
    db: Database,
    room_id: RoomId,
    owner: UserId,
    intent: str,
    number: PlatformChatId,
    agent: AgentId,
) -> None:
    """The room was made for that intent, and the rest of it is still to be done."""
    _restore_intent(db, intent, owner, room_id, number, agent, done=False)


def note_by_hand(db: Database, room_id: RoomId, *, archived: bool) -> None:
    """Somebody has archived the chat by hand, or put it back: its binding is to follow."""
    db.execute(
        "UPDATE rooms SET archived = ?, noted = 0 WHERE room_id = ? AND kind = 'chat'",
        (archived, room_id),
    )
    if archived:
        chats.stop_all(db, room_id)


def restore_direct(db: Database, room_id: RoomId, owner: UserId, *, is_greeted: bool) -> None:
    """The room is where its owner invited the bot; they are not greeted there a second time."""
    rooms.make_direct(db, room_id, owner)
    if is_greeted:
        room = rooms.room(db, room_id)
        rooms.tell_once(db, room_id, "way")
        if room is not None and room.encrypted:
            rooms.tell_once(db, room_id, "encrypted")


def restore_settings(db: Database, kept: KeptSettings) -> None:
    """The person chose that."""
    people.put_settings(db, "users", kept)


def restore_saved(db: Database, kept: KeptSaved) -> None:
    """The person saved these, and no others."""
    db.execute("DELETE FROM saved_contexts WHERE user_id = ?", (kept.user_id,))
    saved.restore(db, kept.saved)
