"""What becomes of people's files: each step one transaction, with what is said about it.

Who fetches a file works with a row that was read before; by the time the file is there, its message
may have been taken back, or it may go along to another context. So each step looks at the row as it
is, and says whether it still counted.
"""

from collections.abc import Callable

from sqlite_utils import Database

from lambda_matrix.ids import AgentId, PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import MediaMessage, TextMessage
from lambda_matrix.store import outbox, recovery
from lambda_matrix.store.files import attachments
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, FetchedFile, Ourselves, StagedFile


def stage(
    db: Database, message: MediaMessage, agent: AgentId, platform_chat_id: PlatformChatId
) -> bool:
    """Settle the message: its file is wanted, and waits for a question. False: it was settled."""
    if not requests.take(db, message.event_id):
        return False
    attachments.want(db, message, agent, platform_chat_id)
    return True


def lose(db: Database, message: MediaMessage, said: Callable[[str], Draft], own: Ourselves) -> None:
    """Settle a file of which nobody knows any more whether it was taken in.

    If it went along with a question that has its answer, that was all; else its sender is told,
    once for all of them, by what is `said` for this cause.
    """
    if not requests.take(db, message.event_id):
        return
    answered = recovery.newest_answered(db, message.room_id)
    if answered is not None and recovery.is_before(db, message.event_id, answered):
        return
    requests.say_new(db, said(recovery.memory_lost(message.room_id, answered)), own)


def fetched(
    db: Database,
    file: StagedFile,
    at: FetchedFile,
    reply: Callable[[tuple[StagedFile, ...]], Draft],
    own: Ourselves,
) -> bool:
    """The file is in the workspace. False: nobody wants it there (any more).

    `reply`, given all that waits, is said once the last of them is there, unless a question has
    taken them along: then its answer says enough.
    """
    updated = db.execute(
        "UPDATE attachments SET state = 'ready', name = ?, path = ?, kind = ?, mime_type = ?,"
        " size = ? WHERE event_id = ? AND state = 'wanted' AND platform_chat_id = ?"
        " RETURNING request",
        (at.name, at.path, at.kind, at.mime_type, at.size, file.event_id, file.platform_chat_id),
    ).fetchall()
    if not updated:
        return False
    if updated[0][0] is None:
        waiting = attachments.staged(db, file.room_id, file.sender)
        if all(each.state == "ready" for each in waiting):
            outbox.add_new(db, (reply(waiting),), own)
    return True


def refuse(db: Database, file: StagedFile, reply: Callable[[bool], Draft], own: Ourselves) -> None:
    """The file will not come in; `reply` says so, given whether it takes a question down with it.

    That is so for what was asked with this very file: without it there is no use in asking. What
    else would have gone along waits for the next question. Any other question goes on without it.
    """
    updated = db.execute(
        "UPDATE attachments SET state = 'refused' WHERE event_id = ? AND state = 'wanted'",
        (file.event_id,),
    )
    if not updated.rowcount:
        return
    given_up = db.execute(
        "UPDATE requests SET outcome = 'file refused' WHERE question = ? AND outcome IS NULL"
        " AND stopped = 0 RETURNING request_id",
        (file.event_id,),
    ).fetchall()
    for row in given_up:
        db.execute(
            "UPDATE attachments SET request = NULL WHERE request = ? AND state <> 'refused'", row
        )
    outbox.add_new(db, (reply(bool(given_up)),), own)


def remove(
    db: Database,
    command: TextMessage,
    numbers: tuple[int, ...] | None,
    reply: Callable[[tuple[StagedFile, ...], int], Draft],
    own: Ourselves,
) -> None:
    """Settle a `!remove`: take these of the sender's files off, or all of them (None).

    `reply` is given what was taken off, and how many there were; nothing is, if a number is wrong.
    """
    waiting = attachments.staged(db, command.room_id, command.sender)
    wanted = range(1, len(waiting) + 1) if numbers is None else dict.fromkeys(numbers)
    known = all(1 <= number <= len(waiting) for number in wanted)
    gone = tuple(waiting[number - 1] for number in wanted) if known else ()
    if not requests.settle(db, command, (reply(gone, len(waiting)),), own):
        return
    for file in gone:
        attachments.withdraw(db, file.event_id, file.room_id)


def count(db: Database, room_id: RoomId, sender: UserId) -> int:
    """Return how many files of the person wait in the room."""
    return len(attachments.staged(db, room_id, sender))
