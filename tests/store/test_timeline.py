"""What sync left out of a room: known as a gap, waited for, and taken in in its place."""

from __future__ import annotations

import pytest
from attrs import evolve

from lambda_matrix.ids import EventId, SyncToken
from lambda_matrix.matrix_events import AnswerState, TimelineEvent
from lambda_matrix.store import intake, timeline
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Gap
from tests.store.telling import (
    BOB,
    OTHER_ROOM,
    OWN,
    ROOM,
    Told,
    echo,
    joined,
    malformed,
    mark,
    said,
)


async def gaps(told: Told) -> tuple[Gap, ...]:
    return await told.store.transact(timeline.open_gaps, ROOM)


async def fill(told: Told, *events: TimelineEvent) -> None:
    """Fill the room's oldest gap."""
    gap = (await gaps(told))[0]
    await told.store.transact(intake.fill_gap, gap, events, OWN)


async def test_a_gap_of_a_known_room_ends_where_the_last_batch_ended(told: Told) -> None:
    await told.events(said("$q1"))
    accepted = await told.batch(joined(said("$q4"), prev_batch="p1"))
    assert accepted.gaps == (Gap(ROOM, 2, SyncToken("p1"), SyncToken("s1")),)
    assert accepted.wake == {ROOM}
    assert await gaps(told) == accepted.gaps
    assert await told.store.transact(timeline.rooms_with_gaps) == (ROOM,)


async def test_a_gap_of_a_new_room_ends_at_the_bots_join(told: Told) -> None:
    await told.events(said("$x", room=OTHER_ROOM), room=OTHER_ROOM)
    accepted = await told.batch(joined(said("$q1"), prev_batch="p1"))
    assert accepted.gaps == (Gap(ROOM, 2, SyncToken("p1"), None),)


async def test_what_is_told_anew_need_not_be_read_back_behind_an_answer(told: Told) -> None:
    answered = echo("$a", mark("$q1"))
    accepted = await told.batch(joined(said("$q1"), answered, said("$q2"), prev_batch="p1"))
    assert accepted.gaps == ()
    assert await told.waits() == ["$q2"]
    accepted = await told.batch(joined(said("$q3"), echo("$b", mark("$q3")), prev_batch="p2"))
    assert len(accepted.gaps) == 1, "nothing is told anew"


@pytest.mark.parametrize(
    "timeline",
    [
        (echo("$a", mark("$q1")), said("$q2")),
        (said("$q1"), echo("$a", mark("$q1", state=AnswerState.OPEN))),
        (said("$q1"), echo("$a", mark("$q1", parts=2))),
        (said("$q1"), echo("$a", mark("$q1"), by=BOB)),
        (said("$c"), echo("$a", mark("$c", request="command:$c"))),
        (said("$q1"), echo("$a", evolve(mark("$q1"), waits=EventId("$q0")))),
        (said("$q1"), echo("$a", mark("$q1")), echo("$b", mark("$q0"))),
        (said("$q1"), malformed("$q1"), echo("$a", None)),
    ],
    ids=["no question", "begun", "a part", "another's", "a command's", "waits", "older", "no mark"],
)
async def test_what_proves_nothing_leaves_a_gap(
    told: Told, timeline: tuple[TimelineEvent, ...]
) -> None:
    accepted = await told.batch(joined(*timeline, prev_batch="p1"))
    assert accepted.gaps == (Gap(ROOM, 1, SyncToken("p1"), None),)


async def test_an_older_message_that_waited_may_be_in_sight(told: Told) -> None:
    answered = echo("$a", evolve(mark("$q1"), waits=EventId("$q0")))
    accepted = await told.batch(
        joined(malformed(), said("$q0"), said("$q1"), answered, prev_batch="p1")
    )
    assert accepted.gaps == ()


async def test_a_limited_timeline_that_leads_nowhere_leaves_no_gap(told: Told) -> None:
    room = joined(said("$q1"), prev_batch="p1")
    accepted = await told.batch(
        type(room)(room_id=ROOM, timeline=room.timeline, limited=True, prev_batch=None)
    )
    assert accepted.gaps == ()
    assert await told.waits() == ["$q1"]


async def test_a_room_waits_for_its_gap_and_the_others_do_not(told: Told) -> None:
    await told.batch(
        joined(said("$q4"), prev_batch="p1"),
        joined(said("$x", room=OTHER_ROOM), room=OTHER_ROOM),
    )
    assert await told.waits() == []
    assert await told.waits(OTHER_ROOM) == ["$x"]
    await fill(told, said("$q2"), said("$q3"))
    assert await gaps(told) == ()
    assert await told.store.transact(timeline.rooms_with_gaps) == ()
    assert await told.waits() == ["$q2", "$q3", "$q4"]


async def test_no_run_begins_while_the_answer_may_be_in_a_gap(told: Told) -> None:
    await told.asked()
    await told.batch(joined(said("$q2"), prev_batch="p1"))
    assert await told.store.transact(requests.begin_next, ROOM) is None
    await fill(told, echo("$a", mark("$q1")))
    assert await told.store.transact(requests.begin_next, ROOM) is None, "it was answered"
    assert await told.waits() == ["$q2"]


async def test_a_place_that_an_answer_took_is_no_end_of_a_gap(told: Told) -> None:
    await told.events(said("$q1"), echo("$a", mark("$help")))
    assert await told.store.transact(timeline.is_known, EventId("$q1"))
    assert not await told.store.transact(timeline.is_known, EventId("$help"))


async def test_a_gap_comes_after_what_was_told_before_it(told: Told) -> None:
    await told.events(said("$q1"))
    await told.batch(joined(said("$q4"), prev_batch="p1"))
    await told.events(said("$q5"))
    await fill(told, said("$q1"), said("$q2"), malformed(), said("$q3"))
    assert await told.waits() == ["$q1", "$q2", "$q3", "$q4", "$q5"]


async def test_of_two_gaps_the_older_is_read_first(told: Told) -> None:
    await told.events(said("$q1"))
    await told.batch(joined(said("$q3"), prev_batch="p1"))
    await told.batch(joined(said("$q5"), prev_batch="p2"))
    assert [gap.from_token for gap in await gaps(told)] == ["p1", "p2"]
    await fill(told, said("$q2"))
    assert await told.waits() == []
    await fill(told, said("$q4"))
    assert await told.waits() == ["$q1", "$q2", "$q3", "$q4", "$q5"]


async def test_an_answer_in_a_gap_settles_its_question(told: Told) -> None:
    await told.batch(joined(said("$q2"), prev_batch="p1"))
    await fill(told, said("$q1"), echo("$e1", mark("$q1", "lost")))
    assert await told.waits() == ["$q2"]
