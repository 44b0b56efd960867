"""Files of people: wanted, fetched into the workspace, staged, and taken along by a request.

The theory. A row begins as "wanted" in the transaction that settles its message, so what has to be
fetched is never forgotten. A person's files wait in their room (`request` NULL) until something is
asked; they lie in the folder of one context, and are fetched once more if they go along to another.
A file that was taken off or taken back is "removed" until its bytes are gone, too.
"""

from sqlite_utils import Database

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId, UserId
from lambda_matrix.matrix_events import MediaMessage
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records import FetchedFile, Question, StagedFile
from lambda_matrix.store.rows import columns, read

_FILE = f"SELECT {columns(StagedFile)} FROM attachments"  # noqa: S608 - column names


def want(
    db: Database, message: MediaMessage, agent: AgentId, platform_chat_id: PlatformChatId
) -> None:
    """The file of the message is to be fetched into the folder of that context."""
    db.execute(
        "INSERT OR IGNORE INTO attachments (event_id, room_id, sender, thread_root, name, url,"
        " agent, platform_chat_id, mime_type, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            message.event_id,
            message.room_id,
            message.sender,
            message.thread_root,
            message.filename,
            message.url,
            agent,
            platform_chat_id,
            message.mimetype,
            message.size,
        ),
    )


def are_wanted(db: Database, request_id: RequestId) -> bool:
    """Return whether a file that the request takes along is still on its way."""
    row = db.execute(
        "SELECT 1 FROM attachments WHERE request = ? AND state = 'wanted'", (request_id,)
    ).fetchone()
    return row is not None


def take_along(db: Database, message: Incoming, question: Question) -> None:
    """The question takes along what its asker has staged in the room, and its own file."""
    if isinstance(message, MediaMessage):
        want(db, message, question.agent, question.platform_chat_id)
    db.execute(
        "UPDATE attachments SET request = ? WHERE request IS NULL AND room_id = ? AND sender = ?"
        " AND state IN ('wanted', 'ready')",
        (question.request_id, message.room_id, message.sender),
    )
    _follow(db, question.request_id)


def _follow(db: Database, request_id: RequestId) -> None:
    """Want those files once more that lie in the folder of another context than the request's."""
    (platform_chat_id,) = db.execute(
        "SELECT platform_chat_id FROM requests WHERE request_id = ?", (request_id,)
    ).fetchone()
    db.execute(
        "UPDATE attachments SET state = 'wanted', path = NULL, platform_chat_id = ?"
        " WHERE request = ? AND (state = 'refused' OR platform_chat_id <> ?)",
        (platform_chat_id, request_id, platform_chat_id),
    )


def of_request(db: Database, request_id: RequestId) -> tuple[FetchedFile, ...]:
    """Return the files that the request takes along, in the order they were sent.

    They lie in the folder of its context.
    """
    rows = db.execute(
        f"SELECT {columns(FetchedFile)} FROM attachments"  # noqa: S608 - column names
        " WHERE request = ? AND state = 'ready' ORDER BY position",
        (request_id,),
    )
    return tuple(read(FetchedFile, row) for row in rows)


def staged(db: Database, room_id: RoomId, sender: UserId) -> tuple[StagedFile, ...]:
    """Return what the person's next message in the room takes along, in the order it was sent."""
    rows = db.execute(
        f"{_FILE} WHERE request IS NULL AND room_id = ? AND sender = ?"
        " AND state IN ('wanted', 'ready') ORDER BY position",
        (room_id, sender),
    )
    return tuple(read(StagedFile, row) for row in rows)


def pass_on(db: Database, origin: EventId, later: RequestId) -> None:
    """The files that went along with a question go along with it again.

    So do those that could not be had then.
    """
    db.execute(
        "UPDATE attachments SET request = ? WHERE request IN"
        " (SELECT request_id FROM requests WHERE question = ? OR origin = ?)",
        (later, origin, origin),
    )
    _follow(db, later)


def next_to_do(db: Database, room_id: RoomId) -> StagedFile | None:
    """Return the room's oldest file that is to be fetched ("wanted") or deleted ("removed")."""
    row = db.execute(
        f"{_FILE} WHERE room_id = ? AND state IN ('wanted', 'removed') ORDER BY position LIMIT 1",
        (room_id,),
    ).fetchone()
    return None if row is None else read(StagedFile, row)


def rooms_to_serve(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms in which a file is to be fetched or deleted."""
    rows = db.execute(
        "SELECT DISTINCT room_id FROM attachments WHERE state IN ('wanted', 'removed')"
    )
    return tuple(RoomId(row[0]) for row in rows)


def rooms_with_files(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms in which files were sent that are not forgotten."""
    return tuple(RoomId(row[0]) for row in db.execute("SELECT DISTINCT room_id FROM attachments"))


def withdraw(db: Database, event_id: EventId, room_id: RoomId) -> None:
    """The message of the file was taken back: it goes nowhere, and is deleted."""
    db.execute(
        "UPDATE attachments SET state = 'removed', request = NULL"
        " WHERE event_id = ? AND room_id = ?",
        (event_id, room_id),
    )


def deleted(db: Database, event_id: EventId) -> None:
    """The bytes of the file are gone, and so is the row."""
    db.execute("DELETE FROM attachments WHERE event_id = ? AND state = 'removed'", (event_id,))
