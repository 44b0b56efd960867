"""What owners do with chats, as the store notes it."""

from __future__ import annotations

from lambda_matrix.ids import EventId, PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import RoomState, SpaceChild, Tombstone
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.records import Draft, Intent, NewContext, Room, RoomKind
from lambda_matrix.store.topology import chats, intents, rooms
from tests.store.telling import (
    AGENT,
    ALICE,
    BOB,
    BOT,
    CHAT,
    OTHER_ROOM,
    OWN,
    ROOM,
    Told,
    draft,
    joined,
    mark,
    said,
)

SPACE = RoomId("!space")


async def made(
    told: Told, room_id: RoomId, kind: RoomKind = RoomKind.CHAT, *, untitled: bool = False
) -> None:
    """A room of Alice's, as `!new` or an invite makes it."""
    intent = Intent(
        intent_id=f"for {room_id}",
        kind=kind,
        owner=ALICE,
        command=None,
        origin=None,
        name=None if untitled else "Chat",
        agent=AGENT if kind is RoomKind.CHAT else None,
        platform_chat_id=CHAT if kind is RoomKind.CHAT else None,
        tries=1,
        room_id=room_id,
        done=False,
    )
    await told.batch(joined(room=room_id))
    await told.store.transact(intents.complete, intent, "Chat", room_id, (), OWN)


async def the_room(told: Told, room_id: RoomId = ROOM) -> Room:
    room = await told.store.transact(rooms.room, room_id)
    assert room is not None
    return room


def reply(to: str) -> Draft:
    return draft(mark(to, f"command:{to}"))


async def child(
    told: Told, room_id: RoomId, *, has_via: bool, by: UserId = ALICE, space: RoomId = SPACE
) -> tuple[tuple[RoomId, ...], tuple[RoomId, ...]]:
    """Somebody changes what stands in the Space; return what is archived, and what unnoted."""
    state = RoomState(children=(SpaceChild(room_id, has_via, by),))
    accepted = await told.batch(joined(room=space, state=state))
    return accepted.archived, accepted.unnoted


async def test_a_settled_command_does_nothing_again(told: Told) -> None:
    await made(told, ROOM)
    command = said("$c")
    await told.events(command)
    await told.store.transact(chats.rename, command, "Garden", reply("$c"), OWN)
    await told.store.transact(chats.rename, command, "Other", reply("$c"), OWN)
    await told.store.transact(chats.archive, command, reply("$c"), OWN, archived=True)
    new = NewContext(platform_chat_id=PlatformChatId(7), room_id=ROOM, agent=AGENT)
    await told.store.transact(chats.bind, command, AGENT, new, reply("$c"), OWN)
    room = await the_room(told)
    assert (room.name, room.archived, room.platform_chat_id) == ("Garden", False, CHAT)
    assert await told.value("SELECT count(*) FROM outbox") == 1


async def test_a_bound_room_is_a_chat_of_whoever_bound_it(told: Told) -> None:
    await told.batch(joined(room=ROOM))
    command = said("$c", by=BOB)
    await told.events(command)
    new = NewContext(platform_chat_id=CHAT, room_id=ROOM, agent=AGENT, since_event=EventId("$c"))
    await told.store.transact(chats.bind, command, AGENT, new, reply("$c"), OWN)
    room = await the_room(told)
    assert (room.kind, room.owner, room.agent) == (RoomKind.CHAT, BOB, AGENT)
    assert room.platform_chat_id == CHAT
    bound = await told.store.transact(contexts.binding, ROOM)
    assert bound is not None
    assert bound.since_event == "$c"


async def test_archiving_stops_what_is_asked_there_and_nowhere_else(told: Told) -> None:
    await made(told, ROOM)
    await told.asked("$q1", "q1")
    other = said("$q2", room=OTHER_ROOM)
    await told.events(other, room=OTHER_ROOM)
    await told.ask(other, "q2")
    command = said("$c")
    await told.events(command)
    await told.store.transact(chats.archive, command, reply("$c"), OWN, archived=True)
    assert (await the_room(told)).archived
    stopped = "SELECT stopped FROM requests WHERE request_id = ?"
    assert (await told.value(stopped, "q1"), await told.value(stopped, "q2")) == (1, 0)
    back = said("$d")
    await told.events(back)
    await told.store.transact(chats.archive, back, reply("$d"), OWN, archived=False)
    assert not (await the_room(told)).archived


async def test_the_hand_in_the_space_counts(told: Told) -> None:
    await made(told, SPACE, RoomKind.SPACE)
    await made(told, ROOM)
    await told.asked("$q1", "q1")
    assert await child(told, ROOM, has_via=True) == ((), ())
    assert await child(told, ROOM, has_via=False) == ((ROOM,), (ROOM,))
    assert await told.value("SELECT stopped FROM requests") == 1
    assert await child(told, ROOM, has_via=False) == ((), (ROOM,))
    notice = draft(mark(None, "by hand"))
    await told.store.transact(chats.noted, ROOM, notice, OWN, archived=False)
    assert await told.store.transact(chats.unnoted) == (ROOM,)  # it says something else by now
    await told.store.transact(chats.noted, ROOM, notice, OWN, archived=True)
    assert await told.store.transact(chats.unnoted) == ()
    await told.store.transact(chats.noted, ROOM, notice, OWN, archived=True)
    assert await told.value("SELECT count(*) FROM outbox") == 1
    assert await child(told, ROOM, has_via=True) == ((), (ROOM,))
    assert not (await the_room(told)).archived


async def test_what_does_not_count_in_a_space(told: Told) -> None:
    await made(told, SPACE, RoomKind.SPACE)
    await made(told, ROOM)
    assert await child(told, ROOM, has_via=False, by=BOT) == ((), ())
    assert await child(told, ROOM, has_via=False, space=OTHER_ROOM) == ((), ())
    assert await child(told, OTHER_ROOM, has_via=False) == ((), ())
    upgraded = RoomState(tombstone=Tombstone(RoomId("!new"), ALICE))
    await told.batch(joined(room=ROOM, state=upgraded))
    assert await child(told, ROOM, has_via=False) == ((), ())


async def test_a_chat_is_named_after_its_first_answered_question(told: Told) -> None:
    await made(told, ROOM, untitled=True)
    assert await told.store.transact(chats.to_be_named) == ()
    await told.asked("$q1", "q1")
    assert await told.store.transact(chats.to_be_named) == ()
    await told.finish("q1", outcome="stopped")
    await told.asked("$q2", "q2")
    await told.finish("q2")
    assert await told.store.transact(chats.to_be_named) == (ROOM,)
    assert await told.store.transact(chats.first_questions, ROOM) == ("Hello?",)
    await told.store.transact(chats.note_name, ROOM, "Hello?")
    assert await told.store.transact(chats.to_be_named) == ()


async def test_another_name_is_a_name_of_its_own(told: Told) -> None:
    await made(told, ROOM, untitled=True)
    await told.batch(joined(room=ROOM, state=RoomState(name="Chat")))
    assert (await the_room(told)).untitled
    await told.batch(joined(room=ROOM, state=RoomState(name="Mine")))
    assert not (await the_room(told)).untitled


async def test_a_room_that_was_renamed_before_it_was_complete(told: Told) -> None:
    await told.batch(joined(room=ROOM, state=RoomState(name="Mine")))
    await made(told, ROOM, untitled=True)
    room = await the_room(told)
    assert (room.name, room.untitled) == ("Mine", False)
