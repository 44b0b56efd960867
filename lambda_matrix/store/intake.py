"""T1: a sync batch becomes durable as one transaction, and the sync token moves with it.

What is here is all that is ever lost or doubled by taking things in:

- An event is in the inbox at most once (its id is the key), however often it is told: by sync, by
  `/messages`, by a sync answer that was sent twice.
- The token moves in the same transaction, so what was told is either stored or told again.
- Our own events come back as echoes. They settle the outbox rows that they are, and the questions
  that they answer; a question that is told after its answer (from a gap) finds its place taken.
- A limited timeline leaves a durable gap. Its room waits until the gap is read; others go on.
- Nothing from before the bot's own join counts.
"""

import time
from collections.abc import Iterable
from typing import TypeGuard

from attrs import field, frozen
from sqlite_utils import Database

from lambda_matrix.ids import InstanceId, RoomId, UserId
from lambda_matrix.matrix_events import (
    JoinedRoom,
    LeftRoom,
    MalformedEvent,
    MediaMessage,
    MemberChange,
    Membership,
    SyncBatch,
    TextMessage,
    TimelineEvent,
)
from lambda_matrix.store import echoes, meta, outbox, recovery, timeline
from lambda_matrix.store.facts import INCOMING, Incoming, dump_fact
from lambda_matrix.store.questions import withdrawals
from lambda_matrix.store.records import Accepted, Gap, Ourselves
from lambda_matrix.store.topology import chats, departures, observed, rooms

MALFORMED_KEPT = 1000


def accept_batch(db: Database, batch: SyncBatch, ourselves: Ourselves) -> Accepted:
    """Take in everything that `batch` tells, and move the sync token (T1)."""
    since = meta.sync_token(db)
    number = meta.next_batch_number(db)
    if number == 1 and batch.joined:
        recovery.doubt(db, number)  # an empty store, and there are rooms: it is not the first one
    wake: set[RoomId] = set()
    gaps: list[Gap] = []
    foreign = _announced(db, batch)
    entered: list[RoomId] = []
    archived: list[RoomId] = []
    gone: list[departures.Departure] = []
    for room in batch.joined:
        # Left and joined again between two batches: the room never stopped being joined here.
        if (
            not rooms.is_joined(db, room.room_id)
            or timeline.own_join(room.timeline, ourselves) is not None
        ):
            outbox.unpark(db, room.room_id)
            entered.append(room.room_id)
        events, gap = timeline.enter(db, room, ourselves, number, since)
        if gap is not None:
            gaps.append(gap)
        taking = _Taking(ourselves, number, goes_on=since is not None, foreign=foreign)
        if _take_in(db, events, taking, first_place=0):
            wake.add(room.room_id)
        gone += [departures.note_gone(db, room.room_id, who) for who in _gone(room, ourselves)]
        observed.note_children(db, room.room_id, room.state.children)
        if room.binding is not None:
            observed.note_binding(db, room.room_id, room.binding)
        archived += chats.note_children(db, room.room_id, room.state.children, ourselves.user_id)
    for invite in batch.invited:
        rooms.note_invite(db, invite)
    for left in batch.left:
        leave_room(db, left, ourselves)
    for kept in batch.kept:
        observed.note_kept(db, kept)
    meta.set_sync_token(db, batch.next_batch)
    return Accepted(
        wake=frozenset(wake),
        gaps=tuple(gaps),
        invites=tuple(invite.room_id for invite in batch.invited),
        entered=tuple(entered),
        left=tuple(left.room_id for left in batch.left),
        encrypted=tuple(room.room_id for room in batch.joined if room.state.encrypted),
        deserted=tuple(room_id for each in gone for room_id in each.rooms),
        stopped=tuple(request for each in gone for request in each.stopped),
        withdrawn=withdrawals.rooms_with_withdrawals(db),
        upgraded=tuple(room.room_id for room in batch.joined if room.state.tombstone),
        archived=tuple(archived),
        unnoted=chats.unnoted(db),
        untitled=chats.to_be_named(db),
        foreign=max(foreign, default=None),
    )


def _announced(db: Database, batch: SyncBatch) -> list[InstanceId]:
    """Note which start of the service announced itself; return it if it is none of this store's."""
    if batch.instance is None:
        return []
    meta.note_announced(db, batch.instance)
    if meta.is_own_instance(db, batch.instance):
        return []
    meta.note_foreign(db, batch.instance)
    return [batch.instance]


def _gone(room: JoinedRoom, ourselves: Ourselves) -> frozenset[UserId]:
    """Return who is not in the room any more, of those that this batch speaks of."""
    members = {change.target: change for change in room.state.members}
    members |= {event.target: event for event in room.timeline if isinstance(event, MemberChange)}
    return frozenset(
        user_id
        for user_id, change in members.items()
        if change.membership in {Membership.LEAVE, Membership.BAN} and user_id != ourselves.user_id
    )


def fill_gap(
    db: Database, gap: Gap, events: tuple[TimelineEvent, ...], ourselves: Ourselves
) -> None:
    """Take in the events of `gap`, oldest first, before those of its batch; the gap is no more."""
    taking = _Taking(ourselves, gap.batch, goes_on=gap.to_token is not None)
    _take_in(db, events, taking, first_place=-len(events))
    db.execute("DELETE FROM gaps WHERE room_id = ? AND batch = ?", (gap.room_id, gap.batch))


def leave_room(db: Database, left: LeftRoom, ourselves: Ourselves) -> None:
    """The bot is out of the room: its rows wait for a new join, its open questions are closed."""
    rooms.note_left(db, left.room_id)
    observed.forget_children(db, left.room_id)
    outbox.park(db, left.room_id)
    # The answers that we had already given there are echoes like any other.
    own = [event for event in left.timeline if not wants_reaction(event, ourselves)]
    _take_in(db, own, _Taking(ourselves, 0, goes_on=False), first_place=0)
    db.execute(
        "UPDATE requests SET outcome = 'left' WHERE room_id = ? AND outcome IS NULL",
        (left.room_id,),
    )
    db.execute(
        "UPDATE inbox SET settled_at = ?, fact = NULL WHERE room_id = ? AND settled_at IS NULL",
        (time.time(), left.room_id),
    )
    db.execute("DELETE FROM gaps WHERE room_id = ?", (left.room_id,))


@frozen
class _Taking:
    """How events are taken in: as what is told in batch `number`, newly (`goes_on`) or all of it.

    `foreign` gathers the instances that are not ours.
    """

    ourselves: Ourselves
    number: int
    goes_on: bool
    foreign: list[InstanceId] = field(factory=list)


def _take_in(
    db: Database, events: Iterable[TimelineEvent], taking: _Taking, *, first_place: int
) -> bool:
    """Store what wants a reaction, settle what is our own; return whether the inbox grew."""
    grew = False
    for place, event in enumerate(events, first_place):
        if isinstance(event, MalformedEvent):
            _keep_malformed(db, event)
        elif wants_reaction(event, taking.ourselves):
            grew = _enter(db, event, taking.number, place) or grew
        elif (
            isinstance(event, TextMessage | MediaMessage)
            and event.sender == taking.ourselves.user_id
        ):
            _settle(db, event, taking)
    return grew


def _enter(db: Database, event: Incoming, number: int, place: int) -> bool:
    """Put the event into the inbox; return whether it was not there.

    If its answer was there first, its place is taken: now it is known which place that is.
    """
    inserted = db.execute(
        "INSERT OR IGNORE INTO inbox (event_id, room_id, batch, place, fact)"
        " VALUES (?, ?, ?, ?, ?)",
        (event.event_id, event.room_id, number, place, dump_fact(event)),
    )
    if inserted.rowcount == 0:
        db.execute(
            "UPDATE inbox SET batch = ?, place = ? WHERE event_id = ? AND batch = 0",
            (number, place, event.event_id),
        )
    return inserted.rowcount > 0


def wants_reaction(event: TimelineEvent, ourselves: Ourselves) -> TypeGuard[Incoming]:
    """Return whether somebody else said something, or changed what they had said.

    A notice is a bot's, and never answered.
    """
    if isinstance(event, MalformedEvent) or event.sender == ourselves.user_id:
        return False
    if isinstance(event, TextMessage):
        return event.msgtype != "m.notice"
    return isinstance(event, INCOMING)


def _settle(db: Database, event: TextMessage | MediaMessage, taking: _Taking) -> None:
    instance = echoes.settle(
        db, event, taking.ourselves, batch=taking.number, goes_on=taking.goes_on
    )
    if instance is not None:
        taking.foreign.append(instance)


def _keep_malformed(db: Database, event: MalformedEvent) -> None:
    db.execute(
        "INSERT INTO malformed (room_id, event_id, why, raw) VALUES (?, ?, ?, ?)",
        (event.room_id, event.event_id, event.why, event.raw),
    )
    db.execute(
        "DELETE FROM malformed WHERE id <= (SELECT max(id) FROM malformed) - ?", (MALFORMED_KEPT,)
    )
