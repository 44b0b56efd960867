"""What agents are told of a context, and which one is in force where."""

from __future__ import annotations

from attrs import evolve

from lambda_matrix.account_data import Binding, Stretch
from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.ids import EventId, PlatformChatId, RequestId, RoomId
from lambda_matrix.store import housekeeping, people
from lambda_matrix.store.conversations import contexts, rotations
from lambda_matrix.store.people import Pick
from lambda_matrix.store.questions import changes, confirmations, requests, withdrawals
from lambda_matrix.store.records import Confirmation, Done, Exchange, NewContext, Request, Room
from lambda_matrix.store.topology import rooms
from tests.store.telling import (
    AGENT,
    ALICE,
    BOB,
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

NEXT = PlatformChatId(1001)
FIRST = NewContext(platform_chat_id=CHAT, room_id=ROOM, agent=AGENT)
STRETCH = Stretch(
    room_id=OTHER_ROOM,
    first_event=EventId("$f"),
    last_event=EventId("$l"),
    platform_chat_id=PlatformChatId(1),
)


def asks(text: str, event_id: str = "$q1") -> ThreadMessage:
    return ThreadMessage(id=event_id, role="user", content=text)


def answers(text: str, message_id: str = "m1") -> ThreadMessage:
    return ThreadMessage(id=message_id, role="assistant", content=text)


async def make_chat(told: Told) -> Room:
    """A chat of Alice's."""
    await told.batch(joined(), joined(room=OTHER_ROOM))
    await told.value(
        "UPDATE rooms SET kind = 'chat', owner = ?, agent = ? RETURNING 1", ALICE, AGENT
    )
    await told.store.transact(contexts.begin, FIRST)
    return await the_room(told)


async def the_room(told: Told, room_id: RoomId = ROOM) -> Room:
    room = await told.store.transact(rooms.room, room_id)
    assert room is not None
    return room


async def exchange(
    told: Told, request: Request, *messages: ThreadMessage, answer: str = "$a1"
) -> None:
    done = Done(
        outcome="answered",
        answer=(draft(mark(request.question, request.request_id)),),
        exchange=Exchange(messages=messages, input_tokens=3, output_tokens=4),
    )
    assert await told.store.transact(requests.finish, request, done, OWN)
    await told.value("UPDATE outbox SET event_id = ? RETURNING 1", answer)


async def texts(told: Told, number: PlatformChatId = CHAT) -> list[str]:
    thread = await told.store.transact(contexts.thread, number)
    return [each.content for each in (*thread.loaded, *thread.messages)]


async def test_a_context_gathers_what_was_said_and_used(told: Told) -> None:
    await make_chat(told)
    assert await told.store.transact(contexts.first_question, CHAT) is None
    request = await told.asked()
    await exchange(told, request, asks("One"), answers("1"))
    assert await texts(told) == ["One", "1"]
    context = await told.store.transact(contexts.context, CHAT)
    assert context is not None
    assert (context.message_count, context.input_tokens, context.output_tokens) == (2, 3, 4)
    assert await told.store.transact(contexts.first_question, CHAT) == "$q1"
    assert await told.store.transact(contexts.text_of, ROOM, EventId("$q1")) == "One"
    for room, event in ((OTHER_ROOM, "$q1"), (ROOM, "m1"), (ROOM, "$q2")):
        assert await told.store.transact(contexts.text_of, room, EventId(event)) is None


async def test_only_the_newest_messages_are_kept(told: Told) -> None:
    await make_chat(told)
    request = await told.asked()
    many = [answers(str(n), f"m{n}") for n in range(contexts.MESSAGES_KEPT + 5)]
    await exchange(told, request, asks("One"), *many)
    kept = await texts(told)
    assert len(kept) == contexts.MESSAGES_KEPT
    assert kept[0] == "5"


async def test_only_so_much_is_kept_before_the_newest_question(told: Told) -> None:
    await make_chat(told)
    much = "x" * (contexts.CHARACTERS_KEPT * 2 // 5)
    for n in range(3):
        request = await told.asked(f"$q{n}", f"q{n}")
        await exchange(told, request, asks(f"{n}", f"$q{n}"), answers(f"{n}{much}", f"m{n}"))
    assert [text[0] for text in await texts(told)] == ["1", "1", "2", "2"]
    request = await told.asked("$q3", "q3")
    parts = [answers(f"{n}{much}", f"part{n}") for n in range(3)]
    await exchange(told, request, asks("3", "$q3"), *parts)
    assert [text[0] for text in await texts(told)] == ["3", "0", "1", "2"]


async def test_a_question_taken_back_is_told_nobody(told: Told) -> None:
    await make_chat(told)
    request = await told.asked()
    await exchange(told, request, asks("One"), answers("1"))
    await told.store.transact(contexts.forget_event, EventId("$unknown"))
    assert await texts(told) == ["One", "1"]
    await told.store.transact(contexts.forget_event, EventId("$q1"))
    assert await texts(told) == []


async def test_an_answer_taken_back_leaves_its_question(told: Told) -> None:
    await make_chat(told)
    request = await told.asked()
    await exchange(told, request, asks("One"), answers("1"), answers("2", "m2"))
    await told.store.transact(contexts.forget_event, EventId("$a1"))
    assert await texts(told) == ["One"]


async def test_what_was_loaded_is_forgotten_by_its_own_events(told: Told) -> None:
    await make_chat(told)
    new = evolve(
        FIRST,
        platform_chat_id=NEXT,
        loaded=(STRETCH,),
        messages=(asks("Old", "$q0"), answers("0", "$a0")),
    )
    await told.store.transact(contexts.begin, new)
    await told.store.transact(withdrawals.redacted, EventId("$a0"))
    assert await texts(told, NEXT) == ["Old"]
    await told.store.transact(contexts.forget_event, EventId("$q0"))
    assert await texts(told, NEXT) == []


async def test_a_binding_tells_what_is_in_force(told: Told) -> None:
    assert await told.store.transact(contexts.binding, ROOM) is None
    room = await make_chat(told)
    threads = [EventId(f"$thread{n}") for n in (1, 2)]
    for number, root in enumerate((*threads, threads[0]), 2001):
        own = evolve(FIRST, platform_chat_id=PlatformChatId(number), thread_root=root)
        await told.store.transact(contexts.begin, own)
    expected = Binding(
        owner=ALICE,
        agent=AGENT,
        platform_chat_id=CHAT,
        threads=((threads[0], PlatformChatId(2003)), (threads[1], PlatformChatId(2002))),
    )
    assert await told.store.transact(contexts.binding, ROOM) == expected
    own_threads = evolve(room, own_threads=True)
    for place, thread, number in (
        (room, threads[0], CHAT),
        (own_threads, None, CHAT),
        (own_threads, threads[0], 2003),
    ):
        context = await told.store.transact(contexts.of_place, place, thread)
        assert context is not None
        assert context.platform_chat_id == number
    of_place = contexts.of_place
    assert await told.store.transact(of_place, own_threads, EventId("$new")) is None
    nowhere = evolve(room, platform_chat_id=None)
    assert await told.store.transact(of_place, nowhere, None) is None


async def test_a_context_that_is_read_back_is_whole(told: Told) -> None:
    await make_chat(told)
    request = await told.asked()
    before = await told.store.transact(contexts.context, CHAT)
    assert before is not None
    await exchange(told, request, asks("One"), answers("1"))
    read = (asks("Old", "$q0"),), (asks("One"), answers("1", "$a1"))
    await told.store.transact(contexts.complete, before, *read)
    assert await texts(told) == ["One", "1"], "it was answered while it was read"
    before = evolve(before, message_count=2)
    await told.store.transact(contexts.complete, before, *read)
    assert await texts(told) == ["Old", "One", "1"]
    context = await told.store.transact(contexts.context, CHAT)
    assert context is not None
    assert (context.is_whole, context.message_count) == (True, 2)
    gone = evolve(before, platform_chat_id=NEXT)
    await told.store.transact(contexts.complete, gone, *read)
    assert await texts(told, NEXT) == []


async def rotate(told: Told, *, at_work: RequestId | None = None) -> RequestId | None:
    clear = said("$clear", "!clear")
    await told.events(clear)
    return await told.store.transact(
        rotations.rotate,
        clear,
        CHAT,
        evolve(FIRST, platform_chat_id=NEXT, since_event=clear.event_id, loaded=(STRETCH,)),
        draft(mark("$clear", "command:$clear")),
        OWN,
        at_work=at_work,
    )


async def test_a_rotation_stops_what_runs_and_nothing_that_waits(told: Told) -> None:
    await make_chat(told)
    running = await told.asked("$q1", "q1")
    await told.asked("$q2", "q2")
    assert await rotate(told, at_work=running.request_id) == "q1"
    for request_id, is_stopped in (("q1", True), ("q2", False)):
        request = await told.store.transact(changes.by_id, RequestId(request_id))
        assert request is not None
        assert (request.stopped, request.platform_chat_id) == (is_stopped, CHAT)
    room = await the_room(told)
    assert room.platform_chat_id == NEXT
    binding = await told.store.transact(contexts.binding, ROOM)
    assert binding is not None
    assert (binding.since_event, binding.loaded) == ("$clear", (STRETCH,))
    assert (await told.row()).request == "command:$clear"
    assert await rotate(told, at_work=RequestId("q2")) is None, "it was settled before"


async def test_a_rotation_leaves_runs_of_other_contexts(told: Told) -> None:
    await make_chat(told)
    await told.asked("$q1", "q1")
    await told.value("UPDATE requests SET platform_chat_id = 5 RETURNING 1")
    assert await rotate(told, at_work=RequestId("q1")) is None


async def test_a_rotation_ends_what_is_asked_and_picked_there(told: Told) -> None:
    await make_chat(told)
    asked = Confirmation(
        user_id=ALICE, room_id=ROOM, kind="interrupts", platform_chat_id=CHAT, expires_at=9e9
    )
    of_a_thread = evolve(asked, user_id=BOB, platform_chat_id=PlatformChatId(5))
    elsewhere = evolve(asked, room_id=OTHER_ROOM)
    for each in (asked, of_a_thread, elsewhere):
        await told.store.transact(confirmations.ask, each)
    for room in (ROOM, OTHER_ROOM):
        await told.store.transact(people.offer_pick, BOB, room, Pick("load", ("A",)))
    await rotate(told)
    pending = confirmations.pending
    assert await told.store.transact(pending, ALICE, ROOM) is None
    assert await told.store.transact(pending, BOB, ROOM) == of_a_thread
    assert await told.store.transact(pending, ALICE, OTHER_ROOM) == elsewhere
    assert await told.store.transact(people.open_pick, BOB, ROOM) is None
    assert await told.store.transact(people.open_pick, BOB, OTHER_ROOM) is not None


async def test_messages_that_nothing_uses_are_forgotten(told: Told) -> None:
    await make_chat(told)
    root = EventId("$thread")
    numbers = [PlatformChatId(number) for number in (2001, 2002, 2003)]
    old_thread, thread, waiting = numbers
    for number, thread_root in ((old_thread, root), (thread, root), (waiting, None), (NEXT, None)):
        new = evolve(
            FIRST,
            platform_chat_id=number,
            thread_root=thread_root,
            messages=(asks(str(number), f"$m{number}"),),
        )
        await told.store.transact(contexts.begin, new)
    await told.asked("$q1", "q1")
    await told.value("UPDATE requests SET platform_chat_id = ? RETURNING 1", waiting)
    await told.store.transact(housekeeping.forget_old, 30.0)
    for number, is_kept in ((old_thread, False), (thread, True), (waiting, True), (NEXT, True)):
        assert bool(await texts(told, number)) is is_kept, number
        context = await told.store.transact(contexts.context, number)
        assert context is not None
        assert context.is_whole is is_kept
    await told.value("UPDATE rooms SET membership = 'leave' RETURNING 1")
    await told.store.transact(housekeeping.forget_old, 30.0)
    assert await texts(told, NEXT) == []


async def test_what_an_agent_left_in_an_unused_context_is_forgotten(told: Told) -> None:
    await make_chat(told)
    await told.value("UPDATE contexts SET state = '{}' RETURNING 1")
    await told.store.transact(housekeeping.forget_old, 30.0)
    assert (await told.store.transact(contexts.thread, CHAT)).state == "{}"
    await told.store.transact(contexts.begin, evolve(FIRST, platform_chat_id=NEXT))
    await told.store.transact(housekeeping.forget_old, 30.0)
    assert (await told.store.transact(contexts.thread, CHAT)).state is None


async def test_a_context_that_waits_for_a_word_is_not_forgotten(told: Told) -> None:
    """What was asked before a `!clear`, and answered after it, may have ended to ask."""
    await make_chat(told)
    old = evolve(FIRST, platform_chat_id=PlatformChatId(2001), messages=(asks("One"),))
    await told.store.transact(contexts.begin, old)
    await told.store.transact(contexts.begin, evolve(FIRST, platform_chat_id=NEXT))
    asked = Confirmation(
        user_id=ALICE,
        room_id=ROOM,
        kind="interrupts",
        platform_chat_id=old.platform_chat_id,
        expires_at=9e9,
    )
    await told.store.transact(confirmations.ask, asked)
    await told.store.transact(housekeeping.forget_old, 30.0)
    assert await texts(told, old.platform_chat_id) == ["One"]
    await told.store.transact(confirmations.close, ALICE, ROOM)
    await told.store.transact(housekeeping.forget_old, 30.0)
    assert await texts(told, old.platform_chat_id) == []


async def test_what_somebody_says_ends_their_list(told: Told) -> None:
    await make_chat(told)
    for event_id, ends in (("$slip", False), ("$text", True)):
        await told.store.transact(people.offer_pick, ALICE, ROOM, Pick("load", ("A",)))
        message = said(event_id)
        await told.events(message)
        await told.store.transact(requests.settle, message, (), OWN, ends_pick=ends)
        left = await told.store.transact(people.open_pick, ALICE, ROOM)
        assert (left is None) is ends
    await told.store.transact(people.offer_pick, ALICE, ROOM, Pick("load", ("A",)))
    await told.asked()
    assert await told.store.transact(people.open_pick, ALICE, ROOM) is None


async def test_a_chat_is_its_owners_also_after_an_upgrade(told: Told) -> None:
    await make_chat(told)
    both = (ROOM, OTHER_ROOM)
    assert await told.store.transact(rooms.owned_of, ALICE, both) == frozenset(both)
    assert await told.store.transact(rooms.owned_of, BOB, both) == frozenset()
    await told.value("UPDATE rooms SET owner = NULL, replaced_by = ? RETURNING 1", OTHER_ROOM)
    assert await told.store.transact(rooms.owned_of, ALICE, both) == frozenset()
    await told.value("UPDATE rooms SET owner = ? WHERE room_id = ? RETURNING 1", ALICE, OTHER_ROOM)
    assert await told.store.transact(rooms.owned_of, ALICE, both) == frozenset(both)
    unknown = RoomId("!unknown")
    assert await told.store.transact(rooms.owned_of, ALICE, (unknown,)) == frozenset()
