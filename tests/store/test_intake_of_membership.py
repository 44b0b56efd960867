"""The bot enters rooms and leaves them: what counts, and what is owed, from then on."""

from __future__ import annotations

from attrs import evolve

from lambda_matrix.ids import EventId, RequestId, SyncToken, UserId
from lambda_matrix.matrix_events import (
    InvitedRoom,
    LeftRoom,
    MemberChange,
    Membership,
    RoomState,
    SyncBatch,
)
from lambda_matrix.store import intake, outbox, timeline
from lambda_matrix.store.questions import requests
from lambda_matrix.store.topology import rooms
from tests.store.telling import (
    ALICE,
    BOB,
    BOT,
    OTHER_ROOM,
    OWN,
    ROOM,
    Told,
    draft,
    echo,
    joined,
    joining,
    malformed,
    mark,
    said,
)
from tests.store.test_timeline import gaps


async def test_a_new_name_of_the_bot_is_no_join(told: Told) -> None:
    renamed = evolve(joining("$name"), previous=Membership.JOIN)
    assert timeline.is_own_join(joining("$join"), OWN)
    assert not timeline.is_own_join(renamed, OWN)
    await told.events(joining("$join"), said("$q1"), renamed, said("$q2"))
    assert await told.waits() == ["$q1", "$q2"]


async def test_nothing_from_before_the_bots_join_counts(told: Told) -> None:
    accepted = await told.events(said("$old"), joining("$join"), said("$new"))
    assert await told.waits() == ["$new"]
    assert accepted.entered == (ROOM,)
    assert accepted.gaps == ()


async def test_others_and_other_memberships_are_no_join_of_ours(told: Told) -> None:
    invite = MemberChange(
        room_id=ROOM,
        event_id=EventId("$invite"),
        sender=ALICE,
        target=BOT,
        membership=Membership.INVITE,
    )
    await told.events(said("$q1"), joining("$alice", ALICE), invite)
    assert await told.waits() == ["$q1"]


async def test_after_a_limited_timeline_with_the_join_nothing_is_missing(told: Told) -> None:
    accepted = await told.batch(
        joined(said("$old"), joining("$join"), said("$new"), prev_batch="p1")
    )
    assert accepted.gaps == ()
    assert await told.waits() == ["$new"]


async def test_in_a_known_room_a_new_name_of_the_bots_is_no_entrance(told: Told) -> None:
    await told.events(said("$q1"))
    await told.events(said("$q2"), joining("$renamed"), said("$q3"))
    assert await told.waits() == ["$q1", "$q2", "$q3"]


async def test_what_a_room_is_comes_with_the_batch(told: Told) -> None:
    state = RoomState(name="Chat", joined_member_count=2, encrypted=True)
    accepted = await told.batch(joined(state=state), joined(room=OTHER_ROOM))
    assert accepted.entered == (ROOM, OTHER_ROOM)
    assert accepted.encrypted == (ROOM,)
    room = await told.store.transact(rooms.room, ROOM)
    assert room is not None
    assert (room.name, room.member_count, room.encrypted) == ("Chat", 2, True)
    assert (await told.batch(joined())).entered == ()


async def test_an_invite_is_noted(told: Told) -> None:
    batch = SyncBatch(next_batch=SyncToken("s1"), invited=(InvitedRoom(room_id=ROOM, inviter=BOB),))
    accepted = await told.store.transact(intake.accept_batch, batch, OWN)
    assert accepted.invites == (ROOM,)
    assert await told.store.transact(rooms.unwelcomed) == (ROOM,)


async def test_leaving_closes_what_is_open_and_parks_what_is_owed(told: Told) -> None:
    await told.asked("$q1")
    (seq,) = await told.commit(draft(mark(None, "greeting")))
    await told.batch(joined(said("$q2"), prev_batch="p1"))
    await told.batch(left=(LeftRoom(room_id=ROOM),))
    assert await told.outcome() == "left"
    assert await told.waits() == []
    assert await gaps(told) == ()
    assert await told.next_row() is None
    assert await told.store.transact(outbox.rooms_to_serve) == ()
    assert await told.store.transact(requests.rooms_with_work) == ()
    assert await told.state(seq) == "pending"
    assert not await told.store.transact(rooms.is_joined, ROOM)


async def test_a_run_that_ends_after_the_bot_has_left_says_nothing(told: Told) -> None:
    await told.asked()
    await told.batch(left=(LeftRoom(room_id=ROOM),))
    assert not await told.finish("q1", draft(mark("$q1")))
    assert await told.value("SELECT count(*) FROM outbox") == 0


async def test_what_is_said_to_a_room_that_was_left_is_not_taken_in(told: Told) -> None:
    left = LeftRoom(room_id=ROOM, timeline=(said("$q1"), malformed()))
    await told.batch(left=(left,))
    assert await told.waits() == []
    assert await told.value("SELECT count(*) FROM malformed") == 1


async def test_an_echo_told_with_the_leave_settles_its_row(told: Told) -> None:
    await told.asked()
    (seq,) = await told.commit(draft(mark("$q1")))
    await told.batch(left=(LeftRoom(room_id=ROOM, timeline=(echo("$e", mark("$q1")),)),))
    assert await told.state(seq) == "sent"
    assert await told.outcome() == "answered"


async def test_a_new_join_owes_again_what_was_owed(told: Told) -> None:
    (first, second) = await told.commit(draft(mark(None, "a")), draft(mark(None, "b")))
    await told.batch(left=(LeftRoom(room_id=ROOM),))
    accepted = await told.events(said("$old"), joining("$join"), said("$new"))
    assert accepted.entered == (ROOM,)
    assert await told.store.transact(outbox.rooms_to_serve) == (ROOM,)
    assert (await told.row()).seq == first
    await told.store.transact(outbox.sent, first, EventId("$e"))
    assert (await told.row()).seq == second
    assert await told.waits() == ["$new"]


async def test_leaving_and_joining_between_two_batches_owes_again_too(told: Told) -> None:
    """The homeserver said 403, so the rows were parked; by sync the room was never left."""
    await told.events(said("$q1"))
    (seq,) = await told.commit(draft(mark("$q1")))
    await told.store.transact(outbox.park, ROOM)
    kick = MemberChange(
        room_id=ROOM,
        event_id=EventId("$kick"),
        sender=ALICE,
        target=BOT,
        membership=Membership.LEAVE,
    )
    accepted = await told.events(kick, joining("$join"), said("$q2"))
    assert accepted.entered == (ROOM,)
    assert (await told.row()).seq == seq
    assert await told.waits() == ["$q1", "$q2"]


async def test_leaving_one_room_leaves_the_others_alone(told: Told) -> None:
    await told.events(said("$x", room=OTHER_ROOM), room=OTHER_ROOM)
    await told.commit(draft(mark(None, "a"), room=OTHER_ROOM))
    await told.batch(left=(LeftRoom(room_id=ROOM),))
    assert await told.waits(OTHER_ROOM) == ["$x"]
    assert (await told.row(OTHER_ROOM)).request == RequestId("a")


async def test_an_invite_that_was_refused_is_left(told: Told) -> None:
    batch = SyncBatch(
        next_batch=SyncToken("s1"),
        invited=(InvitedRoom(room_id=ROOM, inviter=UserId("@x:y")),),
        left=(LeftRoom(room_id=ROOM),),
    )
    await told.store.transact(intake.accept_batch, batch, OWN)
    assert await told.store.transact(rooms.unwelcomed) == ()
