"""What a reset tells: what there is, what becomes of it, what was done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import assert_never

from lambda_matrix.client_server_api.account_data import SEQUENCE_KEY, read_sequence
from lambda_matrix.client_server_api.survey import Standing, Survey, SurveyedRoom
from lambda_matrix.config.settings import HomeserverSection
from lambda_matrix.reconcile.local_state import Fate, LocalItem
from lambda_matrix.reconcile.reset import (
    EmptyAccountData,
    ForgetRoom,
    LeaveRoom,
    Refusal,
    Step,
    Unbind,
    in_order,
    is_of_person,
)
from lambda_matrix.service.monitoring.listening import STATUS_SOCKET
from lambda_matrix.service.session import SESSION_FILE
from lambda_matrix.upkeep.tables import Row, outcome, size, table

WHAT_COMES_BACK = """\
The homeserver is left as it is. The next start restores from it: people, Spaces, chats, agents,
contexts, settings, saved conversations, and questions without an answer. Lost are open
confirmations, numbered lists to pick from, and files that no message took along yet."""
WHAT_IS_OVER = """\
Nothing of this comes back. People keep the rooms and what was said in them, but nobody answers
there any more; who invites the bot anew begins from the beginning."""

_WHY_KEPT = {
    SESSION_FILE: "kept: no new login",
    "lock": "kept: it is held now",
    STATUS_SOCKET: "kept: the next start makes it anew",
}


def local(directory: Path, items: Sequence[LocalItem], *, all_rows: bool) -> str:
    """Tell what lies in the state directory, and what becomes of it."""
    title = f"In the state directory {directory}:"
    if not items:
        return f"{title}\n\n  nothing"
    rows: list[Row] = [
        (item.path.name, item.files, size(item.size), _local_fate(item)) for item in items
    ]
    return f"{title}\n\n{table(('what', 'files', 'size', 'will be'), rows, all_rows=all_rows)}"


def _local_fate(item: LocalItem) -> str:
    if item.fate is Fate.DROPPED:
        return "dropped"
    return _WHY_KEPT.get(item.path.name, "kept: not the service's")


def server(homeserver: HomeserverSection, survey: Survey, *, all_rows: bool) -> str:
    """Tell what the bot has at the homeserver, and what becomes of it."""
    kinds = Counter(map(_kind, survey.rooms))
    rows: list[Row] = [
        (plural, kinds[kind], fate) for kind, (plural, fate) in _KINDS.items() if kinds[kind]
    ]
    chosen = sum(is_of_person(kind) for kind, _ in survey.account_data)
    if chosen:
        rows.append(("settings and saved conversations", chosen, "emptied"))
    for kind, content in survey.account_data:
        if kind == SEQUENCE_KEY:
            highest = read_sequence(content)
            rows.append(("number sequence", 1, f"kept: the next context is {highest + 1:,}"))
    title = f"At the homeserver {homeserver.url}, as {homeserver.user_id}:"
    if not rows:
        return f"{title}\n\n  nothing"
    summary = table(("what", "number", "will be"), rows)
    if not survey.rooms:
        return f"{title}\n\n{summary}"
    details = table(
        ("what", "name", "room"),
        [(_kind(room), room.name, room.room_id) for room in in_order(survey.rooms)],
        all_rows=all_rows,
    )
    return f"{title}\n\n{summary}\n\n{details}"


_KINDS = {
    "chat": ("chats", "unbound, left and forgotten"),
    "other room": ("direct chats and other rooms", "left and forgotten"),
    "invite": ("invites", "declined and forgotten"),
    "left": ("rooms left earlier", "forgotten"),
    "Space": ("Spaces", "left and forgotten, after all others"),
}
"""The kinds of rooms, in the order of the table: in plural, and what becomes of them."""


def _kind(room: SurveyedRoom) -> str:
    match room.standing:
        case Standing.INVITED:
            return "invite"
        case Standing.LEFT:
            return "left"
        case Standing.JOINED if room.is_space:
            return "Space"
        case Standing.JOINED if room.bound:
            return "chat"
        case Standing.JOINED:
            return "other room"
        case _:
            assert_never(room.standing)


def doing(step: Step) -> str:
    """Tell what is being done, in a few words."""
    match step:
        case Unbind(room):
            return f"unbinding {_called(room)}"
        case EmptyAccountData():
            return "emptying settings and saved conversations"
        case LeaveRoom(room):
            return f"leaving {_called(room)}"
        case ForgetRoom(room):
            return f"forgetting {_called(room)}"
        case _:
            assert_never(step)


def _called(room: SurveyedRoom) -> str:
    return f"{room.room_id} ({room.name})" if room.name else room.room_id


def done(steps: Sequence[Step], refused: Sequence[Refusal], *, all_rows: bool) -> str:
    """Tell what was done at the homeserver, and what was refused there."""
    taken, failed = Counter(map(type, steps)), Counter(type(each.step) for each in refused)
    rows: list[Row] = [
        (said, taken[kind] - failed[kind], failed[kind])
        for kind, said in _SAID.items()
        if taken[kind]
    ]
    if not rows:
        return "At the homeserver there was nothing to do."
    reasons = [f"{doing(each.step)}: {each.why}" for each in refused]
    return outcome("Done at the homeserver:", rows, reasons, all_rows=all_rows)


_SAID: dict[type[Step], str] = {
    Unbind: "bindings emptied",
    EmptyAccountData: "settings and saved conversations emptied",
    LeaveRoom: "rooms left, invites declined",
    ForgetRoom: "rooms forgotten",
}


def dropped(items: Iterable[LocalItem]) -> str:
    """Tell what was removed locally."""
    gone = [item for item in items if item.fate is Fate.DROPPED]
    if not gone:
        return "There was no local state to drop."
    freed = size(sum(item.size for item in gone))
    return f"The local state is dropped: {', '.join(item.path.name for item in gone)} ({freed})."
