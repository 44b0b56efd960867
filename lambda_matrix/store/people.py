"""What each person chose, the lists that they were shown, and how much they ask."""

import json
import time
from collections.abc import Sequence
from typing import Literal

import attrs
from attrs import frozen
from sqlite_utils import Database

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store.records import Person
from lambda_matrix.store.rows import columns, read

PICK_LIFETIME = 600.0
"""Seconds for which a bare number picks from a list (DECISIONS: 10 minutes)."""


def person(db: Database, user_id: UserId) -> Person:
    """Return what the person chose; nothing, if they never did."""
    row = db.execute(
        f"SELECT {columns(Person)} FROM users WHERE user_id = ?",  # noqa: S608 - column names
        (user_id,),
    ).fetchone()
    return Person(user_id=user_id) if row is None else read(Person, row)


def note_person(db: Database, chosen: Person) -> None:
    """Note what the person chose, in place of what they chose before."""
    db.execute(
        f"INSERT OR REPLACE INTO users ({columns(Person)}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 - column names
        attrs.astuple(chosen),
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


# -- how much they ask --


def asked_since(db: Database, user_id: UserId, since: float) -> Sequence[float]:
    """Return when the person asked, newest last, since then (seconds since the epoch)."""
    rows = db.execute(
        "SELECT asked_at FROM requests WHERE asker = ? AND asked_at > ? ORDER BY asked_at",
        (user_id, since),
    )
    return [row[0] for row in rows]
