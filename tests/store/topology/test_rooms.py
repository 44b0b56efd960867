from __future__ import annotations

from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import InvitedRoom, JoinedRoom, RoomMarker, RoomState
from lambda_matrix.store.records import Room, RoomKind
from lambda_matrix.store.topology import rooms
from tests.store.telling import AGENT, ALICE, BOB, BOT, OTHER_ROOM, ROOM, Told

NOTHING_NEW = RoomState()


async def join(told: Told, state: RoomState = NOTHING_NEW, *, room_id: RoomId = ROOM) -> bool:
    """Note that the bot is in the room; return whether it was before."""
    joined = JoinedRoom(room_id=room_id, state=state)
    return await told.store.transact(rooms.note_joined, joined)


async def invite(told: Told, *, by: UserId = ALICE, encrypted: bool = False) -> None:
    invited = InvitedRoom(room_id=ROOM, inviter=by, is_direct=True, encrypted=encrypted)
    await told.store.transact(rooms.note_invite, invited)


async def the_room(told: Told) -> Room:
    room = await told.store.transact(rooms.room, ROOM)
    assert room is not None
    return room


async def test_a_room_that_nobody_told_of(told: Told) -> None:
    assert await told.store.transact(rooms.room, ROOM) is None
    assert not await told.store.transact(rooms.is_joined, ROOM)
    assert await told.store.transact(rooms.joined) == set()


async def test_what_is_said_of_a_room_is_kept_until_something_else_is(told: Told) -> None:
    marker = RoomMarker(intent="i1", kind="chat", owner=ALICE)
    assert not await join(
        told, RoomState(creator=BOT, marker=marker, name="One", joined_member_count=1)
    )
    assert await join(told, RoomState(name="Two", encrypted=True))
    assert await join(told, RoomState(joined_member_count=3))
    assert await join(told)
    assert await the_room(told) == Room(
        room_id=ROOM,
        membership="join",
        inviter=None,
        is_direct=False,
        creator=BOT,
        intent="i1",
        name="Two",
        encrypted=True,
        member_count=3,
        kind=RoomKind.UNREGISTERED,
        owner=None,
        agent=None,
        platform_chat_id=None,
        told=frozenset(),
    )
    assert await told.store.transact(rooms.is_joined, ROOM)


async def test_an_invite_stays_until_it_is_dealt_with(told: Told) -> None:
    await invite(told)
    await invite(told, by=BOB)
    room = await the_room(told)
    assert (room.membership, room.inviter, room.is_direct) == ("invite", BOB, True)
    assert await told.store.transact(rooms.unwelcomed) == (ROOM,)
    await told.store.transact(rooms.make_direct, ROOM, BOB)
    assert not await join(told)
    assert await told.store.transact(rooms.unwelcomed) == (ROOM,), "joined, and not yet welcomed"
    await told.store.transact(rooms.tell_once, ROOM, "one-way")
    assert await told.store.transact(rooms.unwelcomed) == (ROOM,)
    await told.store.transact(rooms.tell_once, ROOM, "way")
    assert await told.store.transact(rooms.unwelcomed) == ()


async def test_an_encrypted_room_stays_encrypted(told: Told) -> None:
    await invite(told, encrypted=True)
    await invite(told, encrypted=False)
    assert (await the_room(told)).encrypted


async def test_who_left_may_be_invited_and_join_again(told: Told) -> None:
    await told.store.transact(rooms.note_left, ROOM)
    assert (await the_room(told)).membership == "leave"
    await invite(told)
    assert (await the_room(told)).membership == "invite"
    assert not await join(told)
    await told.store.transact(rooms.note_left, ROOM)
    assert (await the_room(told)).membership == "leave"
    assert await told.store.transact(rooms.joined) == set()
    assert not await join(told)
    assert await join(told)
    assert await told.store.transact(rooms.joined) == {ROOM}


async def test_an_invite_makes_an_unregistered_room_direct(told: Told) -> None:
    await invite(told)
    await told.store.transact(rooms.make_direct, ROOM, ALICE)
    await told.store.transact(rooms.make_direct, ROOM, BOB)
    room = await the_room(told)
    assert (room.kind, room.owner) == (RoomKind.DIRECT, ALICE)


async def bind(told: Told, room_id: str, kind: RoomKind, number: int | None) -> None:
    """Make the room one of Alice's."""
    await join(told, room_id=RoomId(room_id))
    await told.value(
        "UPDATE rooms SET kind = ?, owner = ?, agent = ?, platform_chat_id = ? WHERE room_id = ?"
        " RETURNING 1",
        *(kind.value, ALICE, AGENT, number, room_id),
    )


async def test_an_owners_rooms_of_one_time_come_in_the_order_of_their_numbers(told: Told) -> None:
    async def chats(owner: UserId) -> list[str]:
        found = await told.store.transact(rooms.rooms_of, owner, RoomKind.CHAT)
        return [room.room_id for room in found]

    for room_id, number in (("!a", 1002), ("!b", 1000), ("!c", 1001)):
        await bind(told, room_id, RoomKind.CHAT, number)
    assert await told.store.transact(rooms.space_of, ALICE) is None
    await bind(told, "!s", RoomKind.SPACE, None)
    assert await chats(ALICE) == ["!b", "!c", "!a"]
    assert await chats(BOB) == []
    await told.store.transact(rooms.note_left, RoomId("!c"))
    assert await chats(ALICE) == ["!b", "!a"]
    assert await told.store.transact(rooms.space_of, ALICE) == "!s"
    assert await told.store.transact(rooms.space_of, BOB) is None


async def test_a_thing_is_told_once_in_each_room(told: Told) -> None:
    async def tell(room_id: RoomId, thing: str) -> bool:
        return await told.store.transact(rooms.tell_once, room_id, thing)

    await join(told)
    await join(told, room_id=OTHER_ROOM)
    assert await tell(ROOM, "way")
    assert await tell(ROOM, "encrypted")
    assert not await tell(ROOM, "way")
    assert await tell(OTHER_ROOM, "way")
    assert (await the_room(told)).told == {"way", "encrypted"}
