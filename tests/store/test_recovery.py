"""What our own events tell of what this store has forgotten, and what is done about it."""

from __future__ import annotations

import pytest
from attrs import evolve

from lambda_matrix.ids import DeviceId, EventId, InstanceId
from lambda_matrix.matrix_events import AnswerMark, AnswerState, Membership, Redaction
from lambda_matrix.store import intake, meta, outbox, recovery, timeline
from lambda_matrix.store.questions import changes, requests, withdrawals
from lambda_matrix.store.records import Attempt, Look
from lambda_matrix.store.topology import intents, rooms
from tests.store.telling import (
    AGENT,
    ALICE,
    OTHER_ROOM,
    OWN,
    ROOM,
    Told,
    draft,
    echo,
    joined,
    joining,
    mark,
    said,
)

OPEN = AnswerState.OPEN
BEFORE = InstanceId("1600000000000-lost")


def lost(
    question: str | None, request: str = "lost", *, part: int = 0, parts: int = 1
) -> AnswerMark:
    """The mark of something that a start said of which this store knows nothing."""
    return mark(question, request, part=part, parts=parts, instance=BEFORE)


async def look(told: Told) -> Look:
    return await told.store.transact(requests.look, ROOM, 50)


async def begun(told: Told) -> Attempt:
    attempt = await told.store.transact(requests.begin_next, ROOM)
    assert attempt is not None
    return attempt


async def to_redact(told: Told) -> set[EventId]:
    return set(await told.store.transact(withdrawals.to_redact, ROOM))


async def entered(told: Told) -> None:
    """The bot has made the room; that batch is not the first one."""
    await told.batch()
    await told.events(joining("$join"))


# -- doubt --


async def test_an_empty_store_that_is_told_of_rooms_is_not_the_first(told: Told) -> None:
    await told.events(said("$c1", "!rename"))
    await told.events(said("$c2", "!rename"))
    assert (await look(told)).doubted == {"$c1"}


async def test_what_comes_to_a_store_that_was_there_is_not_doubted(told: Told) -> None:
    await entered(told)
    await told.commit(draft(mark(None, "greeting:1")))
    await told.events(echo("$greeting", mark(None, "greeting:1")), said("$c"))
    assert (await look(told)).doubted == frozenset()


@pytest.mark.parametrize("forgotten", [mark("$q"), lost("$q"), lost(None, "greeting:1")])
async def test_an_event_of_ours_that_is_not_known_makes_doubt(
    told: Told, forgotten: AnswerMark
) -> None:
    """The database is older than the rooms: the start may be one that it knows."""
    await entered(told)
    await told.events(said("$waits", "!rename"))
    await told.events(echo("$e", forgotten), said("$c", "!rename"))
    await told.events(said("$later", "!rename"))
    assert (await look(told)).doubted == {"$waits", "$c"}


async def test_what_was_forgotten_in_time_makes_no_doubt(told: Told) -> None:
    """Another device is told all from the beginning, also what is older than what is kept."""
    await entered(told)
    elsewhere = evolve(OWN, device_id=DeviceId("OTHER"), instance=InstanceId("later"))
    await told.store.transact(meta.begin_instance, elsewhere)
    await told.events(echo("$e", mark("$q")), said("$c", "!rename"))
    assert (await look(told)).doubted == frozenset()


async def test_the_growing_of_an_answer_makes_no_doubt(told: Told) -> None:
    await entered(told)
    await told.events(echo("$edit", mark("$q", state=OPEN), edits="$root"), said("$c"))
    assert (await look(told)).doubted == frozenset()


async def test_doubt_comes_from_a_gap_too(told: Told) -> None:
    await entered(told)
    await told.batch(joined(said("$c", "!rename"), prev_batch="p"))
    (gap,) = await told.store.transact(timeline.open_gaps, ROOM)
    await told.store.transact(intake.fill_gap, gap, (echo("$e", lost("$q")),), OWN)
    assert (await look(told)).doubted == {"$c"}


# -- what is adopted --


async def test_what_was_told_once_counts_as_told(told: Told) -> None:
    way = lost(None, f"way:{ROOM}")
    await told.events(echo("$way", way), echo("$another", lost(None, f"encrypted:{OTHER_ROOM}")))
    room = await told.store.transact(rooms.room, ROOM)
    assert room is not None
    assert room.told == {"way"}


async def test_another_starts_event_is_no_proof_of_a_row_here(told: Told) -> None:
    """After a loss two starts may have answered under the same request."""
    (seq,) = await told.commit(draft(mark("$q", "r", parts=2)))
    await told.events(echo("$old", lost("$q", "r", parts=2)))
    assert await told.state(seq) == "pending"
    await told.events(echo("$new", mark("$q", "r", parts=2)))
    assert await told.state(seq) == "sent"
    assert await told.answered_event(seq) == "$new"


async def test_an_answer_by_another_start_takes_the_place_of_what_was_to_be_said(
    told: Told,
) -> None:
    await told.asked("$q")
    root, final = await told.commit(
        draft(mark("$q", state=OPEN)), draft(mark("$q", parts=1), replaces=None)
    )
    await told.store.transact(outbox.sent, root, EventId("$root"))
    await told.events(echo("$theirs", lost("$q")))
    assert await told.outcome() == "answered"
    assert await told.state(final) == "undeliverable"
    assert await to_redact(told) == {"$root"}


async def test_what_it_was_begun_with_stays(told: Told) -> None:
    """The answer that comes late was begun in the same event."""
    await told.events(said("$q"), echo("$root", evolve(lost("$q"), state=OPEN)))
    await told.ask(said("$q"))
    assert (await begun(told)).root is not None
    await told.events(echo("$late", lost("$q"), edits="$root"))
    assert await to_redact(told) == set()


async def test_later_parts_are_left_behind_by_an_answer_made_anew(told: Told) -> None:
    first, second = (lost("$q", part=part, parts=3) for part in range(2))
    await told.events(said("$q"), echo("$1", first), echo("$2", second))
    await told.ask(said("$q"))
    attempt = await begun(told)
    assert attempt.root is not None
    assert await told.answered_event(attempt.root) == "$1"
    assert await to_redact(told) == {"$2"}


@pytest.mark.parametrize("backwards", [False, True])
async def test_left_behind_and_forgotten_they_go_all_the_same(
    told: Told, *, backwards: bool
) -> None:
    stray = echo("$stray", lost("$q", "old", part=1, parts=3))
    whole = (
        echo("$1", lost("$q", "new", parts=2)),
        echo("$2", lost("$q", "new", part=1, parts=2)),
    )
    events = (*whole, stray) if backwards else (stray, *whole)
    await told.events(said("$q"), *events)
    assert await to_redact(told) == {"$stray"}


async def test_a_forgotten_answer_goes_with_its_question(told: Told) -> None:
    await told.events(
        said("$q"), echo("$answer", lost("$q")), echo("$help", lost("$c", "command:$c"))
    )
    for redacts in ("$q", "$c"):
        redaction = Redaction(
            room_id=ROOM,
            event_id=EventId(f"$redaction of {redacts}"),
            sender=ALICE,
            redacts=EventId(redacts),
        )
        await told.events(redaction)
        await told.store.transact(changes.withdraw, redaction)
    assert await to_redact(told) == {"$answer"}, "what was said to a command stays"


async def test_nothing_is_said_twice_for_one_cause(told: Told) -> None:
    await told.events(echo("$e", lost("$c", "command:$c")))
    again = draft(mark("$c", "command:$c"))
    await told.store.transact(outbox.add_new, [again, draft(mark("$d", "command:$d"))], OWN)
    assert (await told.row()).question == "$d"


# -- what waits --


async def test_an_answer_names_the_oldest_that_waits(told: Told) -> None:
    new, first, second = said("$new", "!new"), said("$q1"), said("$q2")
    await told.events(new, first, second)
    await told.store.transact(intents.order_chat, new, None, AGENT, OWN)
    await told.ask(first, "q1")
    await told.ask(second, "q2")
    assert (await begun(told)).waits == "$new"
    await told.finish("q1")
    await told.store.transact(lambda db: db.execute("UPDATE intents SET done = 1").rowcount)
    assert (await begun(told)).waits is None


async def test_the_place_of_an_answered_question_is_known_once_it_is_told(told: Told) -> None:
    await told.events(said("$before"))
    await told.events(echo("$e", lost("$q")))
    assert not await told.store.transact(recovery.is_before, EventId("$before"), EventId("$q")), (
        "nobody knows yet"
    )
    await told.events(said("$q"), said("$after"))
    for one, other in (("$before", "$q"), ("$q", "$after")):
        assert await told.store.transact(recovery.is_before, EventId(one), EventId(other))
        assert not await told.store.transact(recovery.is_before, EventId(other), EventId(one))
    assert await told.store.transact(recovery.newest_answered, ROOM) == "$q"


# -- what is confessed --


async def bereft(told: Told) -> str | None:
    return await told.store.transact(recovery.bereft, ROOM)


def prompt(question: str) -> AnswerMark:
    return evolve(lost(question), asks=True)


async def test_a_prompt_as_the_newest_answer_is_lost(told: Told) -> None:
    await told.events(said("$q"), echo("$e", prompt("$q")))
    assert await bereft(told) == "memory_lost:$q"
    assert await told.store.transact(recovery.rooms_to_look_at) == (ROOM,)
    await told.events(said("$q2"), echo("$e2", lost("$q2", "second")))
    assert await bereft(told) is None


async def test_a_prompt_of_this_store_is_not_lost(told: Told) -> None:
    await told.events(said("$q"))
    await told.commit(draft(evolve(mark("$q"), asks=True)))
    await told.events(echo("$e", evolve(mark("$q"), asks=True)))
    assert await bereft(told) is None


async def test_a_file_after_the_newest_answer_is_lost(told: Told) -> None:
    await told.events(said("$file"), echo("$e1", lost("$file", "staged:$file")))
    assert await bereft(told) == f"memory_lost:{ROOM}"
    await told.events(said("$q"), echo("$e2", lost("$q")))
    assert await bereft(told) is None
    await told.events(said("$file2"), echo("$e3", lost("$file2", "staged:$file2")))
    assert await bereft(told) == "memory_lost:$q"


@pytest.mark.parametrize("change", ["archived = 1", "ended = 1", "membership = 'leave'"])
async def test_nothing_is_confessed_where_nobody_is_answered(told: Told, change: str) -> None:
    await told.events(said("$q"), echo("$e", prompt("$q")))
    await told.store.transact(lambda db: db.execute(f"UPDATE rooms SET {change}").rowcount)  # noqa: S608 - above
    assert await bereft(told) is None


async def test_nothing_is_confessed_while_a_gap_is_open(told: Told) -> None:
    await entered(told)
    await told.batch(joined(said("$q"), echo("$e", prompt("$q")), prev_batch="p"))
    assert await bereft(told) is None
    (gap,) = await told.store.transact(timeline.open_gaps, ROOM)
    await told.store.transact(intake.fill_gap, gap, (), OWN)
    assert await bereft(told) == "memory_lost:$q"


# -- all told once more --


async def test_told_once_more_a_room_begins_with_our_join_all_the_same(told: Told) -> None:
    room = (said("$before"), joining("$join"), said("$q1"))
    await told.events(*room)
    await told.events(*room, said("$q2"))
    assert await told.waits() == ["$q1", "$q2"]


async def test_what_was_said_before_we_were_out_for_a_while_counts(told: Told) -> None:
    await told.events(joining("$join"), said("$q1"))
    left = evolve(joining("$left"), membership=Membership.LEAVE)
    await told.events(said("$q2"), left, joining("$again"), said("$q3"))
    assert await told.waits() == ["$q1", "$q2", "$q3"]


async def test_the_way_is_not_told_before_the_gap_in_which_it_may_stand(told: Told) -> None:
    await entered(told)
    await told.store.transact(rooms.make_direct, ROOM, ALICE)
    assert await told.store.transact(rooms.unwelcomed) == (ROOM,)
    await told.batch(joined(prev_batch="p"))
    assert await told.store.transact(rooms.unwelcomed) == ()
    (gap,) = await told.store.transact(timeline.open_gaps, ROOM)
    way = echo("$way", lost(None, f"way:{ROOM}"))
    await told.store.transact(intake.fill_gap, gap, (way,), OWN)
    assert await told.store.transact(rooms.unwelcomed) == ()
