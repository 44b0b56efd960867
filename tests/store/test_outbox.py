from __future__ import annotations

from attrs import evolve

from lambda_matrix.ids import DeviceId, EventId, RoomId
from lambda_matrix.matrix_events import AnswerState
from lambda_matrix.store import outbox
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, OutboxRow, Priority
from lambda_matrix.store.topology import rooms
from tests.store.telling import OTHER_ROOM, OWN, ROOM, Told, draft, echo, mark, said

OPEN = AnswerState.OPEN


async def sent(told: Told, seq: int, event_id: str) -> None:
    await told.store.transact(outbox.sent, seq, EventId(event_id))


async def refuse(told: Told, seq: int, instead: Draft | None = None) -> None:
    await told.store.transact(outbox.refuse, seq, instead, OWN)


async def serve(told: Told) -> tuple[RoomId, ...]:
    return await told.store.transact(outbox.rooms_to_serve)


async def drain(told: Told, room: RoomId = ROOM) -> list[OutboxRow]:
    """Send all that the room is owed; return it in the order in which it went."""
    rows: list[OutboxRow] = []
    row = await told.next_row(room)
    while row is not None:
        rows.append(row)
        row = await told.store.transact(
            outbox.sent_then_next, row.seq, EventId(f"$sent{row.seq}"), room
        )
    return rows


async def test_a_row_is_what_was_committed(told: Told) -> None:
    of = mark("$q1", "r1", part=1, parts=3)
    whole = Draft(
        room_id=ROOM,
        content='{"body":"Привет"}'.encode(),
        mark=of,
        priority=Priority.FIRST,
        last_resort=True,
    )
    (seq,) = await told.commit(whole)
    row = await told.row()
    assert (row.seq, row.room_id, row.content, row.mark) == (seq, ROOM, whole.content, of)
    assert (row.device_id, row.priority, row.last_resort) == (
        OWN.device_id,
        Priority.FIRST,
        True,
    )
    assert (row.replaces, row.root, row.root_lost) == (None, None, False)


async def test_a_row_is_the_same_however_often_it_is_read(told: Told) -> None:
    await told.commit(draft(mark(None, "a")))
    assert await told.row() == await told.row()


async def test_transaction_ids_are_never_alike(told: Told) -> None:
    await told.commit(*(draft(mark("$q1")) for _ in range(50)))
    assert len({row.transaction_id for row in await drain(told)}) == 50


async def test_a_rooms_rows_go_in_the_order_in_which_they_were_committed(told: Told) -> None:
    await told.commit(
        draft(mark(None, "a")), draft(mark(None, "x"), room=OTHER_ROOM), draft(mark(None, "b"))
    )
    await told.commit(draft(mark(None, "c")))
    assert sorted(await serve(told)) == [OTHER_ROOM, ROOM]
    assert [row.request for row in await drain(told)] == ["a", "b", "c"]
    assert await serve(told) == (OTHER_ROOM,)
    assert [row.request for row in await drain(told, OTHER_ROOM)] == ["x"]
    assert await serve(told) == ()


async def test_the_event_id_of_a_row_is_known_once_it_is_sent(told: Told) -> None:
    (seq,) = await told.commit(draft(mark(None, "a")))
    assert await told.answered_event(seq) is None
    await sent(told, seq, "$e")
    assert await told.answered_event(seq) == "$e"
    assert await told.answered_event(seq + 1) is None


async def test_an_echo_that_came_before_the_answer_is_believed(told: Told) -> None:
    (seq,) = await told.commit(draft(mark("$q1")))
    await told.events(echo("$echo", mark("$q1")))
    await sent(told, seq, "$answer")
    assert await told.answered_event(seq) == "$echo"


async def test_an_edit_is_composed_with_the_event_id_of_its_root(told: Told) -> None:
    (root,) = await told.commit(draft(mark("$q1", state=OPEN)))
    await told.commit(draft(mark("$q1"), replaces=root))
    await sent(told, root, "$root")
    row = await told.row()
    assert (row.replaces, row.root, row.root_lost) == (root, "$root", False)


async def test_an_edit_whose_root_was_refused_is_told_so(told: Told) -> None:
    (root,) = await told.commit(draft(mark("$q1", state=OPEN)))
    await told.commit(draft(mark("$q1"), replaces=root))
    await refuse(told, root)
    row = await told.row()
    assert (row.replaces, row.root, row.root_lost) == (root, None, True)


async def test_what_is_refused_is_said_in_other_words_once(told: Told) -> None:
    (seq,) = await told.commit(draft(mark("$q1")))
    instead = evolve(draft(mark("$q1"), content=b'{"body":"Sorry"}'), last_resort=True)
    await refuse(told, seq, instead)
    assert await told.state(seq) == "undeliverable"
    row = await told.row()
    assert (row.content, row.last_resort) == (instead.content, True)
    await refuse(told, row.seq)
    assert await told.next_row() is None


async def test_what_is_refused_does_not_hold_up_what_follows(told: Told) -> None:
    first, second = await told.commit(draft(mark(None, "a")), draft(mark(None, "b")))
    await refuse(told, first)
    assert (await told.row()).seq == second


async def test_what_was_refused_and_is_there_all_the_same_is_not_said_again(told: Told) -> None:
    """The homeserver answered 500 over and over, and had taken the event at the first try."""
    (seq,) = await told.commit(draft(mark("$q1")))
    await told.events(echo("$e", mark("$q1")))
    await refuse(told, seq, draft(mark("$q1")))
    assert await told.state(seq) == "sent"
    assert await told.next_row() is None


async def test_the_echo_of_a_refused_row_is_not_taken_for_its_like(told: Told) -> None:
    (seq,) = await told.commit(draft(mark("$q1")))
    await refuse(told, seq, draft(mark("$q1")))
    await told.events(echo("$e", mark("$q1")))
    assert await told.state(seq) == "undeliverable"
    assert await told.next_row() is None


async def test_a_row_of_another_device_becomes_ours(told: Told) -> None:
    (seq,) = await told.commit(draft(mark(None, "a")))
    before = await told.row()
    other = evolve(OWN, device_id=DeviceId("OTHER"))
    await told.store.transact(outbox.own_device, seq, other)
    after = await told.row()
    assert after.device_id == "OTHER"
    assert after.created_at >= before.created_at
    assert evolve(after, device_id=before.device_id, created_at=before.created_at) == before


async def test_parked_rows_are_not_served(told: Told) -> None:
    first, second = await told.commit(draft(mark(None, "a")), draft(mark(None, "b")))
    await told.commit(draft(mark(None, "x"), room=OTHER_ROOM))
    await sent(told, first, "$e")
    await told.store.transact(outbox.park, ROOM)
    assert await told.next_row() is None
    assert await serve(told) == (OTHER_ROOM,)
    await told.store.transact(outbox.unpark, ROOM)
    assert [row.seq for row in await drain(told)] == [second]


async def test_a_start_tries_what_is_parked_where_the_bot_is_in(told: Told) -> None:
    """It had come back while the room was being parked, and the process ended just then."""
    await told.events(said("$q1"))
    await told.events(said("$q2", room=OTHER_ROOM), room=OTHER_ROOM)
    for room in (ROOM, OTHER_ROOM):
        await told.commit(draft(mark(None, "a"), room=room))
        await told.store.transact(outbox.park, room)
    await told.store.transact(rooms.note_left, OTHER_ROOM)
    assert await told.store.transact(outbox.take_up) == (ROOM,)
    assert await told.next_row() is not None
    assert await told.next_row(OTHER_ROOM) is None


async def test_an_answer_just_begun_is_not_shown_after_a_new_join(told: Told) -> None:
    begun, whole = await told.commit(draft(mark("$q1", "a", state=OPEN)), draft(mark("$q2", "b")))
    await told.store.transact(outbox.park, ROOM)
    await told.store.transact(outbox.unpark, ROOM)
    assert [row.seq for row in await drain(told)] == [whole]
    assert await told.state(begun) == "undeliverable"


async def test_what_was_said_for_a_cause_is_known(told: Told) -> None:
    sentence = draft(mark(None, "queue:r1"))
    assert not await told.store.transact(outbox.is_said, sentence)
    await told.store.transact(requests.say_new, sentence, OWN)
    assert await told.store.transact(outbox.is_said, sentence)
    await told.store.transact(requests.say_new, sentence, OWN)
    assert len(await drain(told)) == 1
    assert not await told.store.transact(
        outbox.is_said, draft(mark(None, "queue:r1"), room=OTHER_ROOM)
    )


async def test_what_is_new_does_not_overtake_what_is_parked(told: Told) -> None:
    """The bot may be in the room again before sync says so."""
    parked, newer = draft(mark("$q1", "q1")), draft(mark("$q2", "q2"))
    await told.commit(parked)
    await told.store.transact(outbox.park, ROOM)
    assert await told.next_row() is None
    await told.commit(newer)
    for request in ("q1", "q2"):
        row = await told.row()
        assert row.request == request
        await told.store.transact(outbox.sent, row.seq, EventId(f"${request}-answer"))
    assert await told.next_row() is None


async def test_an_echo_settles_a_parked_row(told: Told) -> None:
    (seq,) = await told.commit(draft(mark("$q1")))
    await told.store.transact(outbox.park, ROOM)
    await told.events(echo("$e", mark("$q1")))
    await told.store.transact(outbox.unpark, ROOM)
    assert await told.next_row() is None
    assert await told.state(seq) == "sent"


async def test_an_answer_goes_on_from_its_first_open_event(told: Told) -> None:
    async def root() -> int | None:
        return await told.store.transact(outbox.root_of, EventId("$q1"))

    assert await root() is None
    await told.commit(
        draft(mark("$other", state=OPEN)),
        draft(mark("$q1", part=1, parts=2, state=OPEN)),
        draft(mark("$q1")),
    )
    assert await root() is None
    first, second = await told.commit(
        draft(mark("$q1", state=OPEN)), draft(mark("$q1", "retried", state=OPEN))
    )
    assert await root() == first
    await refuse(told, first)
    assert await root() == second
