"""Chats that are over, as the store notes it."""

from __future__ import annotations

from lambda_matrix.ids import EventId
from lambda_matrix.matrix_events import AnswerState, LeftRoom
from lambda_matrix.store import outbox
from lambda_matrix.store.questions import withdrawals
from lambda_matrix.store.records import RoomKind
from lambda_matrix.store.topology import endings, rooms
from tests.store.telling import ALICE, OWN, ROOM, Told, draft, echo, mark, said
from tests.store.topology.test_chats import made, reply, the_room


async def end(told: Told, event_id: str = "$yes") -> bool:
    """The owner consents to the end of the chat."""
    consent = said(event_id, "!yes")
    await told.events(consent)
    return await told.store.transact(endings.end_chat, consent, reply(event_id), OWN)


async def test_nothing_is_answered_any_more(told: Told) -> None:
    await made(told, ROOM)
    await told.asked("$q1", "q1")
    begun = mark("$q1", state=AnswerState.OPEN)
    (root,) = await told.commit(draft(begun))
    await told.store.transact(outbox.sent, root, EventId("$root"))
    (late,) = await told.commit(draft(begun))
    assert await end(told)
    assert await told.outcome() == "withdrawn"
    assert await told.state(late) == "undeliverable"
    assert await told.store.transact(withdrawals.to_redact, ROOM) == ("$root",)
    assert not await told.finish("q1", draft(mark("$q1")))
    farewell = await told.row()
    assert farewell.question == "$yes"
    assert await told.store.transact(endings.ended) == (ROOM,)
    assert await told.store.transact(rooms.rooms_of, ALICE, RoomKind.CHAT) == ()


async def test_a_settled_consent_ends_nothing_again(told: Told) -> None:
    await made(told, ROOM)
    assert await end(told)
    consent = said("$yes", "!yes")
    assert not await told.store.transact(endings.end_chat, consent, reply("$yes"), OWN)
    assert await told.value("SELECT count(*) FROM outbox") == 1


async def test_the_room_is_left_once_all_is_said_and_redacted(told: Told) -> None:
    await made(told, ROOM)
    await told.asked("$q1", "q1")
    (root,) = await told.commit(draft(mark("$q1", state=AnswerState.OPEN)))
    await told.store.transact(outbox.sent, root, EventId("$root"))
    await end(told)
    assert await told.store.transact(endings.is_owed, ROOM)
    await told.events(echo("$bye", (await told.row()).mark))
    assert await told.store.transact(endings.is_owed, ROOM)
    await told.store.transact(withdrawals.redacted, EventId("$root"))
    assert not await told.store.transact(endings.is_owed, ROOM)


async def test_the_farewell_is_waited_for(told: Told) -> None:
    await made(told, ROOM)
    assert not await told.store.transact(endings.is_owed, ROOM)
    await end(told)
    assert await told.store.transact(endings.is_owed, ROOM)
    await told.store.transact(outbox.sent, (await told.row()).seq, EventId("$bye"))
    assert not await told.store.transact(endings.is_owed, ROOM)


async def test_a_room_that_we_are_not_in_is_owed_nothing(told: Told) -> None:
    await made(told, ROOM)
    await end(told)
    await told.batch(left=(LeftRoom(room_id=ROOM),))
    assert not await told.store.transact(endings.is_owed, ROOM)


async def test_nothing_of_it_is_kept(told: Told) -> None:
    await made(told, ROOM)
    await end(told)
    await told.store.transact(endings.forget_chat, ROOM)
    room = await the_room(told)
    assert (room.kind, room.owner, room.agent, room.ended, room.membership) == (
        RoomKind.UNREGISTERED,
        None,
        None,
        False,
        "leave",
    )
    for table in ("contexts", "messages", "withdrawals"):
        assert await told.value(f"SELECT count(*) FROM {table}") == 0  # noqa: S608 - three names
    assert await told.store.transact(endings.ended) == ()
