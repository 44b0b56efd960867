"""What moves with an upgraded room, and what stays."""

from __future__ import annotations

import time

from lambda_matrix.account_data import Binding, Stretch
from lambda_matrix.ids import EventId, RequestId, RoomId
from lambda_matrix.matrix_events import (
    AnswerState,
    Redaction,
    RoomState,
    TextMessage,
    Tombstone,
)
from lambda_matrix.store import outbox
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.questions import changes, confirmations, requests, withdrawals
from lambda_matrix.store.records import Confirmation, Done, RoomKind
from lambda_matrix.store.topology import endings, rooms, upgrades
from tests.store.telling import (
    AGENT,
    ALICE,
    CHAT,
    OWN,
    ROOM,
    Told,
    draft,
    echo,
    joined,
    mark,
    said,
)
from tests.store.topology.test_chats import made, the_room
from tests.store.topology.test_endings import end

NEW = RoomId("!new")
STRETCH = Stretch(
    room_id=ROOM,
    first_event=EventId("$first"),
    last_event=EventId("$last"),
    platform_chat_id=CHAT,
)
BOUND = Binding(owner=ALICE, agent=AGENT, platform_chat_id=CHAT, loaded=(STRETCH,))
BEGUN = mark("$q1", state=AnswerState.OPEN)


async def upgraded(told: Told, kind: RoomKind = RoomKind.CHAT) -> None:
    """Alice's room goes on in the new one, where we are."""
    await made(told, ROOM, kind)
    state = RoomState(tombstone=Tombstone(NEW, ALICE))
    accepted = await told.batch(joined(room=ROOM, state=state), joined(room=NEW))
    assert accepted.upgraded == (ROOM,)


async def move(told: Told) -> bool:
    old = await the_room(told)
    notice = draft(mark(None, "moved"), room=NEW)
    return await told.store.transact(upgrades.move_chat, old, NEW, BOUND, notice, OWN)


async def to_move(told: Told) -> tuple[RoomId, ...]:
    return await told.store.transact(upgrades.to_move)


async def test_a_chat_moves_with_its_context(told: Told) -> None:
    await upgraded(told)
    assert (await the_room(told)).upgrader == ALICE
    assert await to_move(told) == (ROOM,)
    assert await told.store.transact(upgrades.moving_to, NEW) == (ROOM,)
    old = await the_room(told)
    assert await move(told)
    assert await to_move(told) == ()
    left, new = await the_room(told), await the_room(told, NEW)
    assert (left.kind, left.platform_chat_id, left.owner) == (RoomKind.MOVED, None, ALICE)
    assert (new.kind, new.platform_chat_id, new.owner, new.agent) == (
        RoomKind.CHAT,
        CHAT,
        ALICE,
        AGENT,
    )
    bound = await told.store.transact(contexts.binding, NEW)
    assert bound == BOUND
    notice = draft(mark(None, "moved"), room=NEW)
    assert not await told.store.transact(upgrades.move_chat, old, NEW, BOUND, notice, OWN)
    assert await told.value("SELECT count(*) FROM outbox") == 1


async def test_nothing_said_in_the_new_room_is_heard_before(told: Told) -> None:
    await upgraded(told)
    await told.events(said("$early", room=NEW), room=NEW)
    assert await told.waits(NEW) == []
    await move(told)
    assert await told.waits(NEW) == ["$early"]


async def test_the_old_room_is_heard_out_first(told: Told) -> None:
    await upgraded(told)
    assert await told.store.transact(upgrades.is_heard_out, ROOM)
    message = said("$late")
    await told.events(message)
    assert not await told.store.transact(upgrades.is_heard_out, ROOM)
    await told.store.transact(requests.settle, message, (), OWN)
    assert await told.store.transact(upgrades.is_heard_out, ROOM)
    await told.batch(joined(prev_batch="p1"))
    assert not await told.store.transact(upgrades.is_heard_out, ROOM)


async def test_open_questions_move_and_what_was_shown_of_them_goes(told: Told) -> None:
    await upgraded(told)
    request = await told.asked("$q1", "q1")
    (root,) = await told.commit(draft(BEGUN))
    await told.store.transact(outbox.sent, root, EventId("$root"))
    await move(told)
    assert await told.store.transact(withdrawals.to_redact, ROOM) == ("$root",)
    done = Done(outcome="answered", answer=(draft(mark("$q1")),))
    assert not await told.store.transact(requests.finish, request, done, OWN)
    assert await told.store.transact(requests.open_answer, draft(BEGUN), OWN) is None
    assert await told.store.transact(requests.waiting, ROOM) == ()
    attempt = await told.store.transact(requests.begin_next, NEW)
    assert attempt is not None
    assert (attempt.request.room_id, attempt.root, attempt.request.edited) == (NEW, None, 1)
    await told.events(echo("$late", BEGUN))
    assert set(await told.store.transact(withdrawals.to_redact, ROOM)) == {"$root", "$late"}


async def test_a_moved_question_is_its_askers_to_change(told: Told) -> None:
    await upgraded(told)
    await told.asked("$q1", "q1")
    await move(told)
    edit = TextMessage(
        room_id=ROOM,
        event_id=EventId("$edit"),
        sender=ALICE,
        msgtype="m.text",
        body="Well?",
        replaces=EventId("$q1"),
    )
    await told.events(edit)
    changed = await told.store.transact(changes.edit, edit, "Well?")
    assert changed is not None
    assert (changed.text, changed.room_id) == ("Well?", NEW)
    redaction = Redaction(
        room_id=ROOM, event_id=EventId("$r"), sender=ALICE, redacts=EventId("$q1")
    )
    await told.events(redaction)
    (taken_back,) = await told.store.transact(changes.withdraw, redaction)
    assert taken_back.request_id == "q1"


async def test_what_somebody_is_asked_moves(told: Told) -> None:
    await upgraded(told)
    asked = Confirmation(
        user_id=ALICE,
        room_id=ROOM,
        kind="interrupts",
        platform_chat_id=CHAT,
        request=RequestId("q1"),
        expires_at=time.time() + 60,
    )
    await told.store.transact(confirmations.ask, asked)
    await move(told)
    assert await told.store.transact(confirmations.pending, ALICE, ROOM) is None
    assert await told.store.transact(confirmations.pending, ALICE, NEW) is not None


async def test_a_refused_row_goes_where_its_room_goes_on(told: Told) -> None:
    await made(told, ROOM)
    (root,) = await told.commit(draft(mark("$q0", state=AnswerState.OPEN)))
    (final,) = await told.commit(draft(mark("$q0"), replaces=root))
    await told.store.transact(outbox.sent, root, EventId("$root"))
    assert await told.store.transact(upgrades.readdress, final) is None
    state = RoomState(tombstone=Tombstone(NEW, ALICE))
    await told.batch(joined(room=ROOM, state=state), joined(room=NEW))
    assert await told.store.transact(upgrades.readdress, final) == "wait"
    before = await told.row()
    await move(told)
    assert await told.store.transact(upgrades.readdress, final) == NEW
    after = await told.row(NEW)
    assert after.seq == final
    assert after.root_lost
    assert after.transaction_id != before.transaction_id
    assert await told.store.transact(withdrawals.to_redact, ROOM) == ("$root",)
    assert await told.store.transact(upgrades.readdress, root) is None


async def test_what_is_declined_is_archived_and_said_once(told: Told) -> None:
    await upgraded(told)
    notice = draft(mark(None, "not moved"))
    for _ in range(2):
        await told.store.transact(upgrades.decline, ROOM, notice, OWN)
    assert (await the_room(told)).archived
    assert await to_move(told) == ()
    assert await told.value("SELECT count(*) FROM outbox") == 1
    seq = (await told.row()).seq
    assert await told.store.transact(upgrades.readdress, seq) is None


async def test_a_chat_that_is_over_moves_nowhere(told: Told) -> None:
    await upgraded(told)
    await end(told)
    assert await to_move(told) == ()
    assert await told.store.transact(endings.ended) == (ROOM,)


async def test_a_space_moves_by_itself(told: Told) -> None:
    await upgraded(told, RoomKind.SPACE)
    old = await the_room(told)
    assert await told.store.transact(upgrades.move_space, old, NEW)
    assert not await told.store.transact(upgrades.move_space, old, NEW)
    assert await told.store.transact(rooms.space_of, ALICE) == NEW
