"""What their owners do with chats: commands' local effects, and what they did by hand.

What is done by hand in the Space (DECISIONS: the user's hand wins) is a fact of the homeserver's:
it is noted here at once (part of T1), and its binding afterwards, in a lane (`noted` is 0 until
then).
"""

from collections.abc import Sequence

from sqlite_utils import Database

from lambda_matrix.ids import AgentId, RoomId, UserId
from lambda_matrix.matrix_events import SpaceChild
from lambda_matrix.store import outbox
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, NewContext, Ourselves, RoomKind
from lambda_matrix.store.topology import rooms

LOOKED_AT_FOR_A_NAME = 10
"""Questions, of which not each gives a room a name: some are nothing but a picture."""


def rename(db: Database, command: Incoming, name: str, reply: Draft, own: Ourselves) -> None:
    """Settle a `!rename`: the homeserver has the name."""
    if requests.settle(db, command, (reply,), own):
        note_name(db, command.room_id, name)


def note_name(db: Database, room_id: RoomId, name: str) -> None:
    """The room has a name that somebody gave it."""
    db.execute("UPDATE rooms SET name = ?, untitled = 0 WHERE room_id = ?", (name, room_id))


def archive(
    db: Database, command: Incoming, reply: Draft, own: Ourselves, *, archived: bool
) -> None:
    """Settle an `!archive` or `!unarchive`: the homeserver has the binding."""
    if requests.settle(db, command, (reply,), own):
        db.execute(
            "UPDATE rooms SET archived = ?, noted = 1 WHERE room_id = ?",
            (archived, command.room_id),
        )
        if archived:
            stop_all(db, command.room_id)


def stop_all(db: Database, room_id: RoomId) -> None:
    """Stop whatever is asked in the room."""
    db.execute("UPDATE requests SET stopped = 1 WHERE room_id = ? AND outcome IS NULL", (room_id,))


def bind(
    db: Database, command: Incoming, agent: AgentId, new: NewContext, reply: Draft, own: Ourselves
) -> None:
    """Settle a `!bind`: the room is a chat of its sender's, with a context of its own."""
    if requests.settle(db, command, (reply,), own):
        db.execute(
            "UPDATE rooms SET kind = 'chat', owner = ?, agent = ?, archived = 0, noted = 1,"
            " untitled = 0 WHERE room_id = ?",
            (command.sender, agent, command.room_id),
        )
        contexts.begin(db, new)


# -- by hand --


def note_children(
    db: Database, space_id: RoomId, children: Sequence[SpaceChild], own: UserId
) -> tuple[RoomId, ...]:
    """Note what somebody else put into a person's Space or took out of it (part of T1).

    A room that goes on elsewhere was not archived: whoever upgrades it takes it out. Returns the
    chats that are archived with it: whatever is asked there is stopped.
    """
    space = rooms.room(db, space_id)
    if space is None or space.kind is not RoomKind.SPACE:
        return ()
    archived: list[RoomId] = []
    for child in children:
        if child.sender == own:
            continue
        changed = db.execute(
            "UPDATE rooms SET archived = ?, noted = 0 WHERE room_id = ? AND kind = 'chat'"
            " AND owner = ? AND archived <> ? AND replaced_by IS NULL AND ended = 0",
            (not child.has_via, child.room_id, space.owner, not child.has_via),
        )
        if changed.rowcount and not child.has_via:
            stop_all(db, child.room_id)
            archived.append(child.room_id)
    return tuple(archived)


def unnoted(db: Database) -> tuple[RoomId, ...]:
    """Return the chats that were archived or brought back by hand, and whose binding is older."""
    rows = db.execute("SELECT room_id FROM rooms WHERE noted = 0 AND membership = 'join'")
    return tuple(RoomId(row[0]) for row in rows)


def noted(db: Database, room_id: RoomId, draft: Draft, own: Ourselves, *, archived: bool) -> None:
    """The binding says so now, too; say it, unless it has changed once more meanwhile."""
    changed = db.execute(
        "UPDATE rooms SET noted = 1 WHERE room_id = ? AND noted = 0 AND archived = ?",
        (room_id, archived),
    )
    if changed.rowcount:
        outbox.add(db, (draft,), own)


# -- names --


def to_be_named(db: Database) -> tuple[RoomId, ...]:
    """Return the chats without a name of their own whose first question has its answer."""
    rows = db.execute(
        "SELECT room_id FROM rooms WHERE untitled = 1 AND membership = 'join' AND EXISTS"
        " (SELECT 1 FROM requests WHERE requests.room_id = rooms.room_id"
        " AND outcome = 'answered' AND resume IS NULL)"
    )
    return tuple(RoomId(row[0]) for row in rows)


def first_questions(db: Database, room_id: RoomId) -> tuple[str, ...]:
    """Return the questions that were answered in the room, the first few."""
    rows = db.execute(
        "SELECT text FROM requests WHERE room_id = ? AND outcome = 'answered' AND resume IS NULL"
        " ORDER BY batch, place LIMIT ?",
        (room_id, LOOKED_AT_FOR_A_NAME),
    )
    return tuple(str(row[0]) for row in rows)
