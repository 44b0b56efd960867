"""Contexts: what an agent remembers by one number, and the conversation that it is told.

A room has one context at a time (and one more for each thread, if it is set so). `!clear` and
`!load` give it another; requests keep the one that they were asked in. `messages` is a cache of
what the room's history says, kept so that no run waits for the homeserver.
"""

import time
from collections.abc import Iterable

from sqlite_utils import Database

from lambda_matrix.account_data import Binding
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.ids import EventId, PlatformChatId, RoomId
from lambda_matrix.store.facts import (
    dump_interrupts,
    dump_message,
    dump_stretches,
    load_interrupts,
    load_message,
)
from lambda_matrix.store.records import Context, Exchange, NewContext, Request, Room, Thread
from lambda_matrix.store.rows import columns, read
from lambda_matrix.store.topology import rooms

MESSAGES_KEPT = 400
"""Messages of one context that are kept; agents are told half as many at most."""

CHARACTERS_KEPT = 1_000_000
"""Of one context before its newest question; agents are told a quarter of that at most.

All that is kept is read when a run begins, and a tool may give back a whole file each time.
"""

THREADS_BOUND = 500
"""Threads of one room whose contexts are kept on the homeserver, the newest."""

_CONTEXT = f"SELECT {columns(Context)} FROM contexts"  # noqa: S608 - column names


def context(db: Database, platform_chat_id: PlatformChatId) -> Context | None:
    """Return the context of that number."""
    row = db.execute(f"{_CONTEXT} WHERE platform_chat_id = ?", (platform_chat_id,)).fetchone()
    return None if row is None else read(Context, row)


def of_thread(db: Database, room_id: RoomId, thread_root: EventId) -> Context | None:
    """Return the newest context of that thread's own, if it has one."""
    row = db.execute(
        f"{_CONTEXT} WHERE room_id = ? AND thread_root = ? ORDER BY platform_chat_id DESC LIMIT 1",
        (room_id, thread_root),
    ).fetchone()
    return None if row is None else read(Context, row)


def of_place(db: Database, room: Room, thread_root: EventId | None) -> Context | None:
    """Return the context of what is said there: the thread's own where it has one, else the room's.

    None for a thread that is to have its own and has none yet.
    """
    if room.own_threads and thread_root is not None:
        return of_thread(db, room.room_id, thread_root)
    return None if room.platform_chat_id is None else context(db, room.platform_chat_id)


def all_of_room(db: Database, room_id: RoomId) -> tuple[Context, ...]:
    """Return every context that the room has had, its threads' too."""
    rows = db.execute(f"{_CONTEXT} WHERE room_id = ?", (room_id,))
    return tuple(read(Context, row) for row in rows)


def binding(db: Database, room_id: RoomId) -> Binding | None:
    """Return what the chat is bound to; None for what is no chat."""
    room = rooms.room(db, room_id)
    if room is None or room.owner is None or room.agent is None or room.platform_chat_id is None:
        return None
    bound = context(db, room.platform_chat_id)
    threads = db.execute(
        "SELECT thread_root, max(platform_chat_id) AS number FROM contexts"
        " WHERE room_id = ? AND thread_root IS NOT NULL GROUP BY thread_root"
        " ORDER BY number DESC LIMIT ?",
        (room_id, THREADS_BOUND),
    )
    return Binding(
        owner=room.owner,
        agent=room.agent,
        platform_chat_id=room.platform_chat_id,
        since_event=None if bound is None else bound.since_event,
        loaded=() if bound is None else bound.loaded,
        archived=room.archived,
        own_threads=room.own_threads,
        threads=tuple((EventId(row[0]), PlatformChatId(row[1])) for row in threads),
    )


def begin(db: Database, new: NewContext) -> None:
    """Begin a context; the room's own from now on, unless it is a thread's."""
    db.execute(
        "INSERT OR IGNORE INTO contexts (platform_chat_id, room_id, thread_root, agent,"
        " since_event, loaded, begun_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            new.platform_chat_id,
            new.room_id,
            new.thread_root,
            new.agent,
            new.since_event,
            dump_stretches(new.loaded),
            time.time(),
        ),
    )
    if new.thread_root is None:
        db.execute(
            "UPDATE rooms SET platform_chat_id = ? WHERE room_id = ?",
            (new.platform_chat_id, new.room_id),
        )
    _add(db, new.platform_chat_id, new.messages, question=None, is_loaded=True)


def thread(db: Database, platform_chat_id: PlatformChatId) -> Thread:
    """Return what an agent may be told of the context, oldest first."""
    rows = db.execute(
        "SELECT message, is_loaded FROM messages WHERE platform_chat_id = ? ORDER BY position",
        (platform_chat_id,),
    ).fetchall()
    known = db.execute(
        "SELECT state, interrupts FROM contexts WHERE platform_chat_id = ?", (platform_chat_id,)
    ).fetchone()
    state, interrupts = (None, None) if known is None else known
    return Thread(
        loaded=tuple(load_message(row[0]) for row in rows if row[1]),
        messages=tuple(load_message(row[0]) for row in rows if not row[1]),
        state=state,
        interrupts=load_interrupts(interrupts),
    )


def whole_thread(db: Database, platform_chat_id: PlatformChatId) -> Thread | None:
    """Return the same; None if it is to be read back from the room's history first."""
    known = context(db, platform_chat_id)
    return None if known is None or not known.is_whole else thread(db, platform_chat_id)


def first_question(db: Database, platform_chat_id: PlatformChatId) -> EventId | None:
    """Return the oldest question that was asked in the context; None if none was."""
    row = db.execute(
        "SELECT question FROM messages WHERE platform_chat_id = ? AND is_loaded = 0"
        " ORDER BY position LIMIT 1",
        (platform_chat_id,),
    ).fetchone()
    return None if row is None else EventId(row[0])


def text_of(db: Database, room_id: RoomId, event_id: EventId) -> str | None:
    """Return what a person asked in that event, if it is remembered as said in that room."""
    row = db.execute(
        "SELECT message FROM messages JOIN contexts USING (platform_chat_id)"
        " WHERE question = ? AND room_id = ? AND is_loaded = 0"
        " AND json_extract(message, '$.role') = 'user' LIMIT 1",
        (event_id, room_id),
    ).fetchone()
    return None if row is None else load_message(row[0]).content


def complete(
    db: Database,
    before: Context,
    loaded: tuple[ThreadMessage, ...],
    messages: tuple[ThreadMessage, ...],
) -> None:
    """The context was read back from the room's history: this is all of it.

    Unless something was said in it since it was as `before`: then it is to be read once more.
    """
    platform_chat_id = before.platform_chat_id
    now = context(db, platform_chat_id)
    if now is None or now.message_count != before.message_count:
        return
    db.execute("DELETE FROM messages WHERE platform_chat_id = ?", (platform_chat_id,))
    _add(db, platform_chat_id, loaded, question=None, is_loaded=True)
    count = _add(db, platform_chat_id, messages, question=None, is_loaded=False)
    db.execute(
        "UPDATE contexts SET is_whole = 1, message_count = max(message_count, ?)"
        " WHERE platform_chat_id = ?",
        (count, platform_chat_id),
    )


def forget_event(db: Database, event_id: EventId) -> None:
    """The event was taken back: nobody is told what it said, nor what was answered to it."""
    db.execute("DELETE FROM messages WHERE question = ? OR message_id = ?", (event_id, event_id))
    # An answer of ours: the question stays, what the agent made of it does not.
    db.execute(
        "DELETE FROM messages WHERE json_extract(message, '$.role') <> 'user' AND question IN"
        " (SELECT question FROM outbox WHERE event_id = ?)",
        (event_id,),
    )


def note_exchange(db: Database, request: Request, exchange: Exchange) -> None:
    """Note what a run added to its context (part of T2)."""
    number = request.platform_chat_id
    added = _add(db, number, exchange.messages, question=request.question, is_loaded=False)
    db.execute(
        "UPDATE contexts SET message_count = message_count + ?, state = coalesce(?, state),"
        " interrupts = iif(?, interrupts, ?), input_tokens = input_tokens + ?,"
        " output_tokens = output_tokens + ?"
        " WHERE platform_chat_id = ?",
        (
            added,
            exchange.state,
            exchange.interrupts is None,
            dump_interrupts(exchange.interrupts or ()),
            exchange.input_tokens,
            exchange.output_tokens,
            number,
        ),
    )
    db.execute(
        "DELETE FROM messages WHERE platform_chat_id = ? AND is_loaded = 0 AND position <="
        " (SELECT position FROM messages WHERE platform_chat_id = ? ORDER BY position DESC"
        "  LIMIT 1 OFFSET ?)",
        (number, number, MESSAGES_KEPT),
    )
    if any(map(_is_long, exchange.messages)):  # so many short ones are never too much
        db.execute(
            "DELETE FROM messages WHERE question <> ? AND position IN (SELECT position FROM"
            " (SELECT position, sum(length(message)) OVER (ORDER BY position DESC) AS kept"
            "  FROM messages WHERE platform_chat_id = ? AND is_loaded = 0) WHERE kept > ?)",
            (request.question, number, CHARACTERS_KEPT),
        )


def _is_long(message: ThreadMessage) -> bool:
    arguments = sum(len(call.arguments) for call in message.tool_calls)
    return len(message.content) + arguments > CHARACTERS_KEPT // MESSAGES_KEPT


def _add(
    db: Database,
    number: PlatformChatId,
    messages: Iterable[ThreadMessage],
    *,
    question: EventId | None,
    is_loaded: bool,
) -> int:
    """Append the messages that the context does not have yet; return how many those are."""
    added = 0
    for message in messages:
        inserted = db.execute(
            "INSERT OR IGNORE INTO messages (platform_chat_id, message_id, question, is_loaded,"
            " message) VALUES (?, ?, ?, ?, ?)",
            (
                number,
                message.id,
                question or EventId(message.id),
                is_loaded,
                dump_message(message),
            ),
        )
        added += inserted.rowcount
    return added
