"""What a reconciliation tells: what both sides say, what differs, what was done about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lambda_matrix.account_data import Binding
from lambda_matrix.reconcile.reconciliation import Done
from lambda_matrix.reconcile.repairs import (
    BindRoom,
    FinishChat,
    FinishTree,
    FollowBinding,
    KeepBinding,
    LeaveDuplicate,
    LinkChat,
    NoteByHand,
    NoteLeft,
    NoteMoved,
    Repair,
    RestoreChat,
    RestoreDirect,
    RestoreSaved,
    RestoreSettings,
    RestoreSpace,
    UnlinkChat,
    describe,
)
from lambda_matrix.reconcile.topology import Observed, Recorded
from lambda_matrix.store.records import RoomKind
from lambda_matrix.upkeep.tables import Row, outcome, table


def side_by_side(observed: Observed, recorded: Recorded) -> str:
    """Count what the homeserver says, and what is recorded here."""
    here = [room for room in observed.rooms if room.room_id in observed.joined]
    bindings = [
        binding
        for room_id, binding in observed.bindings.items()
        if isinstance(binding, Binding) and room_id in observed.joined
    ]
    spaces = [
        room.marker.owner
        for room in here
        if room.creator == observed.me and room.marker is not None and room.marker.kind == "space"
    ]
    chats = [room for room in recorded.rooms.values() if room.kind is RoomKind.CHAT]
    known_spaces = [room for room in recorded.rooms.values() if room.kind is RoomKind.SPACE]
    rows: list[Row] = [
        (
            "people",
            len({*spaces, *(binding.owner for binding in bindings)}),
            len({room.owner for room in (*chats, *known_spaces)}),
        ),
        ("rooms that the bot is in", len(observed.joined), len(recorded.rooms)),
        ("Spaces", len(spaces), len(known_spaces)),
        ("chats", len(bindings), len(chats)),
        (
            "archived chats",
            sum(binding.archived for binding in bindings),
            sum(room.archived for room in chats),
        ),
        ("settings of people", len(observed.settings), len(recorded.settings)),
        (
            "saved conversations",
            sum(len(kept.saved) for kept in observed.saved),
            sum(map(len, recorded.saved.values())),
        ),
    ]
    sides = table(("what", "homeserver", "database"), rows)
    return f"What the homeserver says, and what is recorded in the database:\n\n{sides}"


def to_do(repairs: Sequence[Repair], *, all_rows: bool) -> str:
    """Tell which repairs are to be made."""
    counts = Counter(map(type, repairs))
    summary: list[Row] = [(said, counts[kind]) for kind, said in _KINDS.items() if counts[kind]]
    details: list[Row] = [(describe(repair),) for repair in repairs]
    return (
        f"What differs:\n\n{table(('to be repaired', 'number'), summary)}\n\n"
        f"{table(('repair',), details, all_rows=all_rows)}"
    )


def done(made: Sequence[Done], *, all_rows: bool) -> str:
    """Tell which repairs were made, and which were refused."""
    refused = [each for each in made if each.refusal is not None]
    failed = Counter(type(each.repair) for each in refused)
    counts = Counter(type(each.repair) for each in made)
    rows: list[Row] = [
        (said, counts[kind] - failed[kind], failed[kind])
        for kind, said in _KINDS.items()
        if counts[kind]
    ]
    reasons = [f"{describe(each.repair)}: {each.refusal}" for each in refused]
    return outcome("Repaired:", rows, reasons, all_rows=all_rows)


_KINDS: dict[type[Repair], str] = {
    RestoreSettings: "settings restored",
    RestoreSaved: "saved conversations restored",
    NoteLeft: "rooms that the bot was put out of",
    RestoreSpace: "Spaces restored",
    RestoreChat: "chats restored",
    FollowBinding: "chats brought up to date",
    KeepBinding: "bindings put on the homeserver again",
    NoteMoved: "rooms that were upgraded",
    BindRoom: "rooms given their first context",
    FinishChat: "chats whose making goes on at the start",
    FinishTree: "first chats to be made at the start",
    LeaveDuplicate: "rooms made twice, left",
    NoteByHand: "chats archived or brought back by hand",
    LinkChat: "chats put into their Space",
    UnlinkChat: "archived chats taken out of their Space",
    RestoreDirect: "direct rooms restored",
}
"""The kinds of repairs, in the order of the tables. Each is there: a test holds that."""
