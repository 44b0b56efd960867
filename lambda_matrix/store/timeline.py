"""What of a room's timeline counts: not what was before the bot's join, nor what was answered.

A timeline that is limited has a hole before it, the gap. It is noted (part of T1), and its room
waits until it is read, unless the timeline itself proves that nothing is missed.
"""

from sqlite_utils import Database

from lambda_matrix.ids import EventId, RoomId, SyncToken
from lambda_matrix.matrix_events import (
    JoinedRoom,
    MalformedEvent,
    MemberChange,
    Membership,
    TextMessage,
    TimelineEvent,
)
from lambda_matrix.store import outbox
from lambda_matrix.store.records import Gap, Ourselves
from lambda_matrix.store.topology import rooms


def enter(
    db: Database, room: JoinedRoom, ourselves: Ourselves, number: int, since: SyncToken | None
) -> tuple[tuple[TimelineEvent, ...], Gap | None]:
    """Note what the room's state says; return what counts of its timeline, and its gap."""
    was_joined = rooms.note_joined(db, room)
    timeline = room.timeline
    to_token = since if was_joined else None  # else the join lies before the timeline
    joined_at = own_join(timeline, ourselves)
    if joined_at is not None and not (was_joined and _is_news(db, timeline, joined_at, ourselves)):
        return timeline[joined_at + 1 :], None
    if not room.limited or room.prev_batch is None:
        return timeline, None
    if to_token is None and _shows_all_before(timeline, ourselves):
        return timeline, None
    gap = Gap(room.room_id, number, room.prev_batch, to_token)
    db.execute(
        "INSERT INTO gaps (room_id, batch, from_token, to_token) VALUES (?, ?, ?, ?)",
        (gap.room_id, gap.batch, gap.from_token, gap.to_token),
    )
    return timeline, gap


def _shows_all_before(timeline: tuple[TimelineEvent, ...], ourselves: Ourselves) -> bool:
    """Return whether the timeline itself proves that whatever lies before it has been answered.

    So it is in nearly all rooms that are told anew, and none of those needs to be read back.
    """
    proofs = (all_before(event, ourselves) for event in reversed(timeline))
    proven = next((proof for proof in proofs if proof is not None), None)
    return proven is not None and any(
        not isinstance(event, MalformedEvent) and event.event_id == proven for event in timeline
    )


def all_before(event: TimelineEvent, ourselves: Ourselves) -> EventId | None:
    """Return the message before which, as `event` proves, all had been answered."""
    if not isinstance(event, TextMessage) or event.sender != ourselves.user_id:
        return None
    mark = event.answer
    # Commands are answered out of turn: only an answer proves anything of what was before it.
    if mark is None or not (mark.completes and mark.is_answer):
        return None
    return mark.waits or mark.question


def own_join(timeline: tuple[TimelineEvent, ...], ourselves: Ourselves) -> int | None:
    """Return the place of the bot's newest join in `timeline`."""
    for place in range(len(timeline) - 1, -1, -1):
        event = timeline[place]
        if is_own_join(event, ourselves):
            return place
    return None


def _is_news(
    db: Database, timeline: tuple[TimelineEvent, ...], joined_at: int, ourselves: Ourselves
) -> bool:
    """Return whether what lies before the join is to count, in a room that the bot was in before.

    That is so if it went out meanwhile, or merely has another name; not if all is told once more,
    from the beginning: then what comes after the join is known.
    """
    has_left = any(
        isinstance(event, MemberChange)
        and event.target == ourselves.user_id
        and event.membership in {Membership.LEAVE, Membership.BAN}
        for event in timeline[:joined_at]
    )
    return has_left or not any(
        is_known(db, event.event_id) or outbox.is_ours(db, event.event_id)
        for event in timeline[joined_at + 1 :]
        if not isinstance(event, MalformedEvent)
    )


def is_own_join(event: TimelineEvent, ourselves: Ourselves) -> bool:
    """Return whether `event` is the bot's own join: what lies before it does not count."""
    return (
        isinstance(event, MemberChange)
        and event.target == ourselves.user_id
        and event.membership is Membership.JOIN
        and event.previous is not Membership.JOIN
    )


def open_gaps(db: Database, room_id: RoomId) -> tuple[Gap, ...]:
    """Return the room's gaps that are still to be read, the oldest first."""
    rows = db.execute(
        "SELECT room_id, batch, from_token, to_token FROM gaps WHERE room_id = ? ORDER BY batch",
        (room_id,),
    )
    return tuple(Gap(*row) for row in rows)


def rooms_with_gaps(db: Database) -> tuple[RoomId, ...]:
    """Return the rooms that wait for a gap to be read."""
    return tuple(RoomId(row[0]) for row in db.execute("SELECT DISTINCT room_id FROM gaps"))


def is_known(db: Database, event_id: EventId) -> bool:
    """Return whether the event was told before (a place that an answer took is not a telling)."""
    row = db.execute("SELECT 1 FROM inbox WHERE event_id = ? AND batch > 0", (event_id,)).fetchone()
    return row is not None
