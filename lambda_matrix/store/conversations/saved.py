"""Saved conversations: stretches of history under names of their owners' own.

No copies: the homeserver is the archive. What is noted here is kept in the bot's account data, too,
and changed there first, so what is wanted is always the whole list that there will be.
"""

from sqlite_utils import Database

from lambda_matrix.account_data import SavedContext
from lambda_matrix.ids import UserId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store.facts import dump_stretches
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, Ourselves
from lambda_matrix.store.rows import columns, read

MOST_SAVED = 50
"""Saved conversations of one person."""


def saved_by(db: Database, user_id: UserId) -> tuple[SavedContext, ...]:
    """Return what the person saved, the oldest first: their numbers in lists stay."""
    rows = db.execute(
        f"SELECT {columns(SavedContext)} FROM saved_contexts WHERE user_id = ?"  # noqa: S608 - column names
        " ORDER BY saved_at, name",
        (user_id,),
    )
    return tuple(read(SavedContext, row) for row in rows)


def restore(db: Database, saved: tuple[SavedContext, ...]) -> None:
    """Take over what the homeserver has, where nothing is noted here."""
    for each in saved:
        _insert(db, each)


def replace(
    db: Database,
    command: TextMessage,
    saved: tuple[SavedContext, ...],
    reply: Draft,
    own: Ourselves,
) -> None:
    """Settle a `!save` or `!forget`: its sender has saved these from now on, and no others."""
    if not requests.settle(db, command, (reply,), own):
        return
    db.execute("DELETE FROM saved_contexts WHERE user_id = ?", (command.sender,))
    restore(db, saved)


def _insert(db: Database, saved: SavedContext) -> None:
    db.execute(
        "INSERT OR REPLACE INTO saved_contexts"
        " (user_id, name, stretches, agent, messages, size, saved_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            saved.user_id,
            saved.name,
            dump_stretches(saved.stretches),
            saved.agent,
            saved.messages,
            saved.size,
            saved.saved_at,
        ),
    )
