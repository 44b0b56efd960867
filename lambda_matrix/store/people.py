"""What each person chose, and the lists that they were shown."""

import json
import time
from typing import Literal

from attrs import astuple, frozen
from sqlite_utils import Database

from lambda_matrix.account_data import KeptSettings
from lambda_matrix.conversation.settings import PersonSettings
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store.rows import columns, read

PICK_LIFETIME = 600.0
"""Seconds for which a bare number picks from a list (DECISIONS: 10 minutes)."""


def settings(db: Database, user_id: UserId) -> PersonSettings:
    """Return what the person chose, and the defaults of the rest."""
    row = db.execute(
        f"SELECT {columns(PersonSettings)} FROM users WHERE user_id = ?",  # noqa: S608 - column names
        (user_id,),
    ).fetchone()
    return PersonSettings() if row is None else read(PersonSettings, row)


def note_settings(db: Database, user_id: UserId, chosen: PersonSettings) -> None:
    """Note what the person chose, in place of what they chose before."""
    kept = KeptSettings(
        user_id=user_id,
        language=None if chosen.language is None else chosen.language.value,
        streaming=chosen.streaming,
        reply_style=chosen.reply_style.value,
        tool_lines=chosen.tool_lines,
        agent=chosen.agent,
    )
    put_settings(db, "users", kept)


def put_settings(
    db: Database, table: Literal["users", "kept_settings"], kept: KeptSettings
) -> None:
    """Write what a person chose, in place of what the table had of them."""
    values = astuple(kept)
    db.execute(
        f"INSERT OR REPLACE INTO {table} ({columns(KeptSettings)})"  # noqa: S608 - names of ours
        f" VALUES ({', '.join('?' * len(values))})",
        values,
    )


# -- picks --


@frozen
class Pick:
    """A list that was shown: the next bare number of its reader picks one of `choices`."""

    command: Literal["load", "agent"]
    choices: tuple[str, ...]


def offer_pick(db: Database, user_id: UserId, room_id: RoomId, pick: Pick) -> None:
    """Remember the list that is shown to the person in this room; the newest counts."""
    db.execute(
        "INSERT OR REPLACE INTO picks (user_id, room_id, command, choices, expires_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (user_id, room_id, pick.command, json.dumps(pick.choices), time.time() + PICK_LIFETIME),
    )


def open_pick(db: Database, user_id: UserId, room_id: RoomId) -> Pick | None:
    """Return the list from which the person may pick in this room."""
    row = db.execute(
        "SELECT command, choices FROM picks WHERE user_id = ? AND room_id = ? AND expires_at > ?",
        (user_id, room_id, time.time()),
    ).fetchone()
    return None if row is None else Pick(row[0], tuple(json.loads(row[1])))


def close_pick(db: Database, user_id: UserId, room_id: RoomId) -> None:
    """Whatever the person said next, the list is over."""
    db.execute("DELETE FROM picks WHERE user_id = ? AND room_id = ?", (user_id, room_id))


def close_picks(db: Database, room_id: RoomId) -> None:
    """Nobody picks from a list in this room any more."""
    db.execute("DELETE FROM picks WHERE room_id = ?", (room_id,))
