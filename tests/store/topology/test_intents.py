from __future__ import annotations

import sqlite3

import pytest
from attrs import evolve

from lambda_matrix.ids import AgentId, PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import InvitedRoom, RoomMarker, RoomState
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Draft, Intent, RoomKind
from lambda_matrix.store.topology import intents, rooms
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

SPACE_ROOM = RoomId("!space")
CHAT_ROOM = RoomId("!chat")


async def onboard(told: Told, owner: UserId = ALICE, lobby: RoomId = ROOM) -> bool:
    """The bot was invited to `lobby` by `owner`, and joined."""
    invite = InvitedRoom(room_id=lobby, inviter=owner)
    await told.store.transact(rooms.note_invite, invite)
    await told.batch(joined(room=lobby))
    await told.store.transact(rooms.make_direct, lobby, owner)
    return await told.store.transact(intents.onboard, owner, lobby, AGENT)


async def order(told: Told, event_id: str, name: str | None = None) -> None:
    """Alice says `!new`."""
    command = said(event_id, "!new")
    await told.events(command)
    await told.store.transact(intents.order_chat, command, name, AGENT, OWN)


async def wanted(told: Told, owner: UserId = ALICE) -> tuple[Intent, ...]:
    return await told.store.transact(intents.open_intents, owner)


async def complete(
    told: Told, intent: Intent, room_id: RoomId, *drafts: Draft
) -> tuple[RoomId, ...]:
    return await told.store.transact(intents.complete, intent, "Chat", room_id, drafts, OWN)


async def seen(told: Told, room_id: str, intent: Intent, creator: UserId = BOT) -> None:
    """Sync shows a room with the marker of `intent`."""
    marker = RoomMarker(intent=intent.intent_id, kind="chat", owner=intent.owner)
    await told.batch(joined(room=RoomId(room_id), state=RoomState(creator=creator, marker=marker)))


async def test_a_person_gets_a_space_and_a_chat_the_space_first(told: Told) -> None:
    assert await onboard(told)
    space, chat = await wanted(told)
    assert (space.kind, space.owner, space.origin, space.agent) == (
        RoomKind.SPACE,
        ALICE,
        ROOM,
        None,
    )
    assert (chat.kind, chat.owner, chat.origin, chat.agent) == (RoomKind.CHAT, ALICE, ROOM, AGENT)
    assert chat.command is None
    assert (chat.tries, chat.room_id, chat.done, chat.platform_chat_id) == (0, None, False, None)
    assert len({space.intent_id, chat.intent_id}) == 2
    room = await told.store.transact(rooms.room, ROOM)
    assert room is not None
    assert (room.kind, room.owner) == (RoomKind.DIRECT, ALICE)
    assert await told.store.transact(intents.first_chat, ALICE) == chat


async def test_who_invites_twice_gets_one_of_each(told: Told) -> None:
    await onboard(told)
    before = await wanted(told)
    assert await onboard(told, lobby=OTHER_ROOM)
    assert await wanted(told) == before
    space, chat = before
    await complete(told, space, SPACE_ROOM)
    await complete(told, chat, CHAT_ROOM)
    assert not await onboard(told, lobby=RoomId("!third"))
    assert await wanted(told) == ()


async def test_who_put_the_bot_out_gets_new_rooms_for_a_new_invite(told: Told) -> None:
    await onboard(told)
    space, chat = await wanted(told)
    await complete(told, space, SPACE_ROOM)
    await complete(told, chat, CHAT_ROOM)
    await told.store.transact(rooms.note_left, SPACE_ROOM)
    assert await onboard(told, lobby=OTHER_ROOM)
    (new_space,) = await wanted(told)
    assert new_space.kind is RoomKind.SPACE
    assert new_space.intent_id != space.intent_id
    await told.store.transact(rooms.note_left, CHAT_ROOM)
    await onboard(told, lobby=OTHER_ROOM)
    assert [intent.kind for intent in await wanted(told)] == [RoomKind.SPACE, RoomKind.CHAT]


async def test_what_is_said_in_a_room_waits_until_it_is_bound(told: Told) -> None:
    await onboard(told)
    _, chat = await wanted(told)
    await seen(told, CHAT_ROOM, chat)
    await told.batch(joined(said("$q1", room=CHAT_ROOM), room=CHAT_ROOM))
    assert (await told.store.transact(requests.look, CHAT_ROOM, 10)).events == ()
    await complete(told, chat, CHAT_ROOM)
    assert len((await told.store.transact(requests.look, CHAT_ROOM, 10)).events) == 1


async def test_each_person_gets_their_own(told: Told) -> None:
    await onboard(told)
    await onboard(told, BOB, OTHER_ROOM)
    assert sorted(await told.store.transact(intents.owners_with_intents)) == [ALICE, BOB]
    assert {intent.owner for intent in await wanted(told, BOB)} == {BOB}
    for intent, room_id in zip(await wanted(told), (SPACE_ROOM, CHAT_ROOM), strict=True):
        await complete(told, intent, room_id)
    assert await told.store.transact(intents.owners_with_intents) == (BOB,)


async def test_an_order_is_settled_and_taken_once(told: Told) -> None:
    await order(told, "$new", "Plans")
    await order(told, "$new", "Plans")
    (chat,) = await wanted(told)
    assert (chat.command, chat.origin, chat.name) == ("$new", ROOM, "Plans")
    assert await told.waits() == []
    assert await told.next_row() is None
    assert await told.store.transact(intents.first_chat, ALICE) is None


async def test_what_is_wanted_comes_in_the_order_in_which_it_was_wanted(told: Told) -> None:
    await order(told, "$z")
    await order(told, "$a")
    await onboard(told)
    found = await wanted(told)
    assert [intent.kind for intent in found] == [RoomKind.SPACE] + [RoomKind.CHAT] * 3
    assert [intent.command for intent in found[1:]] == ["$z", "$a", None]


async def test_a_chats_place_is_among_all_that_its_owner_ever_wanted(told: Told) -> None:
    await onboard(told)
    await onboard(told, BOB, OTHER_ROOM)
    await order(told, "$a")
    await order(told, "$b")
    _, *chats = await wanted(told)
    await complete(told, chats[1], CHAT_ROOM)
    places = [await told.store.transact(intents.place_of, intent) for intent in chats]
    assert places == [1, 2, 3]


async def test_what_is_known_of_an_intent_is_kept(told: Told) -> None:
    await onboard(told)
    _, chat = await wanted(told)
    await told.store.transact(intents.number_intent, chat.intent_id, CHAT)
    await told.store.transact(intents.count_try, chat.intent_id)
    await told.store.transact(intents.count_try, chat.intent_id)
    await told.store.transact(intents.room_made, chat.intent_id, CHAT_ROOM)
    _, now = await wanted(told)
    assert now == evolve(chat, platform_chat_id=CHAT, tries=2, room_id=CHAT_ROOM)


async def test_a_room_that_is_complete_is_at_work(told: Told) -> None:
    await onboard(told)
    _, chat = await wanted(told)
    numbered = evolve(chat, platform_chat_id=CHAT)
    greeting = draft(mark(None, "greeting"), room=CHAT_ROOM)
    assert await complete(told, numbered, CHAT_ROOM, greeting) == (ROOM,)
    room = await told.store.transact(rooms.room, CHAT_ROOM)
    assert room is not None
    assert (room.kind, room.owner, room.agent) == (RoomKind.CHAT, ALICE, AGENT)
    assert (room.platform_chat_id, room.name, room.membership) == (CHAT, "Chat", "join")
    assert (await told.row(CHAT_ROOM)).request == "greeting"
    first = await told.store.transact(intents.first_chat, ALICE)
    assert first is not None
    assert (first.done, first.room_id) == (True, CHAT_ROOM)


async def test_a_name_that_sync_has_told_stays(told: Told) -> None:
    await onboard(told)
    _, chat = await wanted(told)
    await told.batch(joined(room=CHAT_ROOM, state=RoomState(name="Renamed")))
    await complete(told, chat, CHAT_ROOM)
    room = await told.store.transact(rooms.room, CHAT_ROOM)
    assert room is not None
    assert room.name == "Renamed"


async def test_only_with_the_first_chat_its_owner_is_told_the_way(told: Told) -> None:
    await onboard(told)
    await onboard(told, lobby=OTHER_ROOM)
    await onboard(told, BOB, RoomId("!bob"))
    await order(told, "$new")
    space, first, ordered = await wanted(told)
    assert await complete(told, space, SPACE_ROOM) == ()
    assert await complete(told, ordered, RoomId("!second")) == ()
    assert sorted(await complete(told, first, CHAT_ROOM)) == [OTHER_ROOM, ROOM]


async def test_two_chats_never_have_one_number(told: Told) -> None:
    await order(told, "$a")
    await order(told, "$b")
    first, second = (evolve(intent, platform_chat_id=CHAT) for intent in await wanted(told))
    await complete(told, first, CHAT_ROOM)
    with pytest.raises(sqlite3.IntegrityError, match="platform_chat_id"):
        await complete(told, second, RoomId("!second"))
    assert not (await wanted(told))[0].done


async def test_without_a_space_there_is_no_chat(told: Told) -> None:
    await onboard(told)
    await onboard(told, BOB, OTHER_ROOM)
    space, _ = await wanted(told)
    sorry = draft(mark(None, "refused"))
    await told.store.transact(intents.abandon, space, (sorry,), OWN)
    assert await wanted(told) == ()
    assert len(await wanted(told, BOB)) == 2
    assert (await told.row()).request == "refused"
    assert await onboard(told)


async def test_a_chat_that_is_refused_leaves_the_others(told: Told) -> None:
    await onboard(told)
    await order(told, "$new")
    space, first, ordered = await wanted(told)
    await told.store.transact(intents.abandon, ordered, (), OWN)
    assert await wanted(told) == (space, first)


async def test_rooms_are_found_by_the_marker_that_we_put_there(told: Told) -> None:
    async def found() -> tuple[str, ...]:
        return await told.store.transact(intents.rooms_of_intent, chat.intent_id, BOT)

    await order(told, "$new")
    (chat,) = await wanted(told)
    assert await found() == ()
    await seen(told, "!b", chat)
    await seen(told, "!a", chat)
    await seen(told, "!forged", chat, creator=ALICE)
    await seen(told, "!left", chat)
    await told.store.transact(rooms.note_left, RoomId("!left"))
    assert await found() == ("!a", "!b")


async def test_of_two_rooms_for_one_intent_the_other_is_a_duplicate(told: Told) -> None:
    async def duplicates() -> tuple[str, ...]:
        return await told.store.transact(intents.duplicates, BOT)

    await order(told, "$new")
    (chat,) = await wanted(told)
    await seen(told, "!a", chat)
    await seen(told, "!b", chat)
    await seen(told, "!forged", chat, creator=ALICE)
    assert await duplicates() == ()
    await complete(told, evolve(chat, platform_chat_id=PlatformChatId(7)), RoomId("!a"))
    assert await duplicates() == ("!b",)
    await told.store.transact(rooms.note_left, RoomId("!b"))
    assert await duplicates() == ()


async def test_an_order_may_name_another_agent(told: Told) -> None:
    command = said("$new")
    await told.events(command)
    await told.store.transact(intents.order_chat, command, None, AgentId("other"), OWN)
    assert [intent.agent for intent in await wanted(told)] == ["other"]


async def restored(told: Told, command: str) -> None:
    """After loss of the database a room was found whose marker names this `!new`."""
    await told.store.transact(
        lambda db: (
            db.execute(
                "INSERT INTO intents (intent_id, kind, owner, command, agent, room_id, done)"
                " VALUES (?, 'chat', ?, ?, 'main', ?, 1)",
                (command, ALICE, command, CHAT_ROOM),
            ).rowcount
        )
    )


async def test_a_new_chat_is_named_after_its_command(told: Told) -> None:
    await order(told, "$new")
    (intent,) = await wanted(told)
    assert intent.intent_id == intent.command == "$new"
    assert intents.command_of(intent.intent_id) == "$new"
    assert intents.command_of(intents.new_intent_id()) is None


async def test_a_command_whose_room_is_there_wants_no_other(told: Told) -> None:
    await restored(told, "$new")
    assert await wanted(told) == ()
    await order(told, "$new")
    (intent,) = await wanted(told)
    assert (intent.room_id, intent.origin) == (CHAT_ROOM, ROOM)
    await told.store.transact(intents.answer, intent, (draft(mark("$new")),), OWN)
    assert await wanted(told) == ()
    assert (await told.row()).question == "$new"
    await order(told, "$new")  # told once more
    assert await wanted(told) == ()


async def test_who_asks_while_it_is_being_completed_is_told_all_the_same(told: Told) -> None:
    await restored(told, "$new")
    (before,) = await told.store.transact(
        lambda db: (db.execute("UPDATE intents SET done = 0"), intents.open_intents(db, ALICE))[1]
    )
    await order(told, "$new")
    await told.store.transact(intents.answer, before, (), OWN)
    (intent,) = await wanted(told)
    assert intent.origin == ROOM
