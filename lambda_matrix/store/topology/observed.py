"""What the homeserver says of the topology, word for word: part of T1, and of nothing else.

What was made of it stands in other tables, and whether the two agree is looked at once per start
(`lambda_matrix.reconcile`). So what is noted here depends on nothing that is known of a room.
"""

from collections.abc import Sequence
from typing import assert_never

from sqlite_utils import Database

from lambda_matrix.account_data import (
    Binding,
    KeptOfPerson,
    KeptSaved,
    KeptSettings,
    NothingChosen,
    Unbound,
)
from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import SpaceChild
from lambda_matrix.store import people
from lambda_matrix.store.facts import dump_binding, dump_saved


def note_children(db: Database, space_id: RoomId, children: Sequence[SpaceChild]) -> None:
    """Note what was put into a Space, or taken out of it, and by whom."""
    for child in children:
        db.execute(
            "INSERT OR REPLACE INTO space_children (space_id, room_id, has_via, sender)"
            " VALUES (?, ?, ?, ?)",
            (space_id, child.room_id, child.has_via, child.sender),
        )


def note_binding(db: Database, room_id: RoomId, binding: Binding | Unbound) -> None:
    """Note what a room is bound to."""
    db.execute(
        "INSERT OR REPLACE INTO kept_bindings (room_id, binding) VALUES (?, ?)",
        (room_id, None if isinstance(binding, Unbound) else dump_binding(binding)),
    )


def note_kept(db: Database, kept: KeptOfPerson) -> None:
    """Note what a person chose or saved."""
    match kept:
        case KeptSettings():
            people.put_settings(db, "kept_settings", kept)
        case NothingChosen(user_id):
            db.execute("DELETE FROM kept_settings WHERE user_id = ?", (user_id,))
        case KeptSaved(user_id, saved):
            db.execute(
                "INSERT OR REPLACE INTO kept_saved (user_id, saved) VALUES (?, ?)",
                (user_id, dump_saved(saved)),
            )
        case _:
            assert_never(kept)


def forget_children(db: Database, space_id: RoomId) -> None:
    """The bot is not in the Space: it hears no more of it, and is told all of it if it returns."""
    db.execute("DELETE FROM space_children WHERE space_id = ?", (space_id,))


def forget_all(db: Database) -> None:
    """All of it is about to be told anew; what is told of rooms themselves is then overwritten."""
    for table in ("space_children", "kept_bindings", "kept_settings", "kept_saved"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608 - tables of ours
