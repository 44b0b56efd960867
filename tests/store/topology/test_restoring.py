"""What is recorded again from what the homeserver says."""

from __future__ import annotations

from attrs import evolve

from lambda_matrix.account_data import Binding, KeptSaved, KeptSettings
from lambda_matrix.conversation.settings import PersonSettings, ReplyStyle
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId
from lambda_matrix.matrix_events import RoomState
from lambda_matrix.store import meta, people
from lambda_matrix.store.conversations import contexts, saved
from lambda_matrix.store.records import Intent, Room, RoomKind
from lambda_matrix.store.topology import chats, intents, restoring, rooms
from tests.client_server_api.test_account_data import SAVED
from tests.store.telling import AGENT, ALICE, ROOM, Told, joined

SPACE = RoomId("!space")
BINDING = Binding(
    owner=ALICE,
    agent=AGENT,
    platform_chat_id=PlatformChatId(1007),
    since_event=EventId("$clear"),
    loaded=SAVED.stretches,
    own_threads=True,
    threads=((EventId("$root"), PlatformChatId(1009)),),
)


async def known(told: Told, room_id: RoomId = ROOM) -> Room:
    room = await told.store.transact(rooms.room, room_id)
    assert room is not None
    return room


async def open_intents(told: Told) -> tuple[Intent, ...]:
    return await told.store.transact(intents.open_intents, ALICE)


async def test_a_chat_with_its_contexts(told: Told) -> None:
    await told.batch(joined())
    for _ in range(2):
        await told.store.transact(restoring.restore_chat, ROOM, BINDING, "$new", 1_700_000_000_500)
    assert await told.store.transact(contexts.binding, ROOM) == BINDING
    assert (await known(told)).kind is RoomKind.CHAT
    own, of_thread = await told.store.transact(contexts.all_of_room, ROOM)
    assert (own.is_whole, own.begun_at, own.since_event) == (False, 1_700_000_000.5, "$clear")
    assert (of_thread.thread_root, of_thread.since_event, of_thread.loaded) == ("$root", None, ())
    assert await told.store.transact(meta.platform_chat_id_mark) == 1009
    assert await open_intents(told) == ()
    assert await told.value("SELECT command FROM intents") == "$new"


async def test_an_archived_chat_answers_nothing_any_more(told: Told) -> None:
    request = await told.asked()
    await told.store.transact(restoring.restore_chat, ROOM, evolve(BINDING, archived=True))
    assert await told.value("SELECT stopped FROM requests") == 1
    assert request.stopped is False
    assert (await known(told)).archived


async def test_what_was_done_by_hand_is_still_to_be_noted(told: Told) -> None:
    await told.batch(joined())
    await told.store.transact(restoring.restore_chat, ROOM, BINDING)
    assert await told.store.transact(chats.unnoted) == ()
    await told.store.transact(restoring.note_by_hand, ROOM, archived=True)
    assert await told.store.transact(chats.unnoted) == (ROOM,)
    newer = evolve(BINDING, platform_chat_id=PlatformChatId(1010), archived=True)
    await told.store.transact(restoring.restore_chat, ROOM, newer)
    assert await told.store.transact(chats.unnoted) == (ROOM,)
    await told.store.transact(restoring.note_by_hand, ROOM, archived=False)
    assert not (await known(told)).archived


async def test_by_hand_nothing_but_a_chat_is_archived(told: Told) -> None:
    await told.batch(joined())
    await told.store.transact(restoring.note_by_hand, ROOM, archived=True)
    assert not (await known(told)).archived


async def test_a_space_with_its_intent(told: Told) -> None:
    await told.batch(joined(room=SPACE), joined())
    for _ in range(2):
        await told.store.transact(restoring.restore_space, SPACE, ALICE, "made for it")
    assert await told.store.transact(rooms.space_of, ALICE) == SPACE
    await told.store.transact(restoring.restore_chat, ROOM, BINDING)
    # Who has a Space and a chat is given nothing more, though no first chat is known of.
    assert not await told.store.transact(intents.onboard, ALICE, RoomId("!lobby"), AGENT)


async def test_what_is_done_by_hand_while_a_binding_is_followed_stays_done(told: Told) -> None:
    await told.batch(joined())
    await told.store.transact(restoring.restore_chat, ROOM, BINDING)
    await told.store.transact(restoring.note_by_hand, ROOM, archived=True)
    newer = evolve(BINDING, platform_chat_id=PlatformChatId(1010))
    await told.store.transact(restoring.restore_chat, ROOM, newer)
    assert (await known(told)).archived
    assert await told.store.transact(chats.unnoted) == (ROOM,)


async def test_a_chat_that_moved(told: Told) -> None:
    await told.batch(joined())
    await told.store.transact(restoring.note_moved, ROOM, None, "its intent")
    assert (await known(told)).kind is RoomKind.MOVED
    assert await told.value("SELECT count(*) FROM intents") == 0
    await told.store.transact(restoring.note_moved, ROOM, ALICE, "its intent")
    assert await told.value("SELECT room_id FROM intents WHERE done = 1") == ROOM


async def test_what_a_set_back_database_would_make_is_there(told: Told) -> None:
    await told.batch(joined())
    await told.store.transact(intents.order_first_chat, ALICE, AGENT)
    (intent,) = await open_intents(told)
    await told.store.transact(restoring.restore_chat, ROOM, BINDING, intent.intent_id)
    (found,) = await open_intents(told)
    assert (found.room_id, found.platform_chat_id) == (ROOM, BINDING.platform_chat_id)
    await told.store.transact(restoring.note_moved, ROOM, ALICE, intent.intent_id)
    assert await open_intents(told) == ()


async def test_a_chat_in_the_making(told: Told) -> None:
    await told.batch(joined())
    number = PlatformChatId(7)
    await told.store.transact(restoring.finish_chat, ROOM, ALICE, "$new", number, AGENT)
    (intent,) = await open_intents(told)
    assert (intent.room_id, intent.command, intent.platform_chat_id) == (ROOM, "$new", number)


async def test_a_first_chat_is_ordered_once(told: Told) -> None:
    for _ in range(2):
        await told.store.transact(intents.order_first_chat, ALICE, AGENT)
    (intent,) = await open_intents(told)
    assert (intent.kind, intent.origin, intent.command) == (RoomKind.CHAT, None, None)


async def test_a_direct_room(told: Told) -> None:
    await told.batch(joined())
    await told.store.transact(restoring.restore_direct, ROOM, ALICE, is_greeted=False)
    assert await told.store.transact(rooms.unwelcomed) == (ROOM,)
    await told.store.transact(restoring.restore_direct, ROOM, ALICE, is_greeted=True)
    assert await told.store.transact(rooms.unwelcomed) == ()
    room = await known(told)
    assert (room.kind, room.owner) == (RoomKind.DIRECT, ALICE)
    assert room.told == {"way"}


async def test_a_direct_room_that_was_told_that_it_cannot_be_read(told: Told) -> None:
    await told.batch(joined(state=RoomState(encrypted=True)))
    await told.store.transact(restoring.restore_direct, ROOM, ALICE, is_greeted=True)
    assert (await known(told)).told == {"encrypted", "way"}


async def test_what_a_person_chose_and_saved(told: Told) -> None:
    kept = KeptSettings(
        user_id=ALICE,
        language=None,
        streaming=False,
        reply_style="plain",
        tool_lines=True,
        agent=AgentId("other"),
    )
    await told.store.transact(restoring.restore_settings, kept)
    assert await told.store.transact(people.settings, ALICE) == PersonSettings(
        streaming=False, reply_style=ReplyStyle.PLAIN, agent=AgentId("other")
    )
    theirs = evolve(SAVED, user_id=ALICE)
    for names in (("a", "b"), ("b", "c")):
        several = tuple(evolve(theirs, name=name) for name in names)
        await told.store.transact(restoring.restore_saved, KeptSaved(ALICE, several))
    assert [each.name for each in await told.store.transact(saved.saved_by, ALICE)] == ["b", "c"]


async def test_a_number_that_is_noted_is_never_given_again(told: Told) -> None:
    for number in (PlatformChatId(9), PlatformChatId(7)):
        await told.store.transact(meta.note_platform_chat_id, number)
    assert await told.store.transact(meta.next_platform_chat_id, PlatformChatId(1)) == 10


async def test_a_chat_whose_number_is_anothers_is_not_taken_up(told: Told) -> None:
    await told.batch(joined(), joined(room=SPACE))
    for _ in range(2):
        assert await told.store.transact(restoring.take_up_chat, ROOM, BINDING)
    assert not await told.store.transact(restoring.take_up_chat, SPACE, BINDING)
    assert (await known(told, SPACE)).kind is RoomKind.UNREGISTERED
