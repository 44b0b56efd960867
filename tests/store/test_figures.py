"""What is counted of the database for those who watch, and what it costs."""

from __future__ import annotations

import time

import pytest
from attrs import evolve

from lambda_matrix.ids import EventId, PlatformChatId, RequestId
from lambda_matrix.store import outbox
from lambda_matrix.store.figures import Figures, figures
from lambda_matrix.store.files import offered
from lambda_matrix.store.questions import confirmations
from lambda_matrix.store.records import Confirmation
from tests.store.counting import NOTHING
from tests.store.telling import ALICE, CHAT, OTHER_ROOM, OWN, ROOM, Told, draft, mark, said


async def counted(told: Told, *at_work: str) -> Figures:
    return await told.store.transact(figures, frozenset(map(RequestId, at_work)))


async def test_of_nothing_there_is_nothing(told: Told) -> None:
    assert await counted(told) == NOTHING


async def test_rooms_people_and_chats(told: Told) -> None:
    for room, membership, kind, owner in (
        ("!space", "join", "space", "@a:b"),
        ("!chat", "join", "chat", "@a:b"),
        ("!another", "join", "chat", "@c:d"),
        ("!gone", "leave", "chat", "@e:f"),
        ("!direct", "join", "direct", "@g:h"),
        ("!invited", "invite", "unregistered", None),
    ):
        await told.value(
            "INSERT INTO rooms (room_id, membership, kind, owner) VALUES (?, ?, ?, ?) RETURNING 1",
            room,
            membership,
            kind,
            owner,
        )
    assert await counted(told) == evolve(NOTHING, rooms=4, people=3, chats=2)


async def test_a_question_waits_since_it_was_taken_and_until_it_is_at_work(told: Told) -> None:
    await told.events(said("$q1"), said("$q2"))
    assert await counted(told) == evolve(NOTHING, rooms=1, unread=2)
    await told.ask(said("$q1"), "q1")
    await told.value("UPDATE inbox SET settled_at = ? RETURNING 1", time.time() - 100)
    await told.value(
        "UPDATE inbox SET settled_at = NULL WHERE event_id = '$q2' RETURNING 1",
    )
    await told.ask(said("$q2"), "q2")
    both = await counted(told)
    assert both.waiting == 2
    assert both.longest_wait == pytest.approx(100, abs=5)
    one = await counted(told, "q1")
    assert one.waiting == 1
    assert one.longest_wait == pytest.approx(0, abs=5)
    await told.finish("q1")
    await told.finish("q2")
    assert await counted(told) == evolve(NOTHING, rooms=1)


async def test_a_clock_that_was_set_back_makes_no_age_negative(told: Told) -> None:
    await told.asked()
    await told.value("UPDATE inbox SET settled_at = ? RETURNING 1", time.time() + 3600)
    assert (await counted(told)).longest_wait == 0


async def test_a_question_whose_event_is_forgotten_waits_without_an_age(told: Told) -> None:
    await told.asked()
    await told.value("DELETE FROM inbox RETURNING 1")
    assert await counted(told) == evolve(NOTHING, rooms=1, waiting=1)


@pytest.mark.parametrize(("expires_in", "is_held"), [(60, True), (-60, False)])
async def test_what_waits_for_a_persons_word_is_held(
    told: Told, expires_in: float, *, is_held: bool
) -> None:
    await told.asked()
    wanted = Confirmation(
        user_id=ALICE,
        room_id=ROOM,
        kind="interrupts",
        platform_chat_id=CHAT,
        expires_at=time.time() + expires_in,
    )
    await told.store.transact(confirmations.ask, wanted)
    elsewhere = evolve(
        wanted, room_id=OTHER_ROOM, platform_chat_id=None, expires_at=time.time() + 60
    )
    await told.store.transact(confirmations.ask, elsewhere)
    seen = await counted(told)
    assert (seen.waiting, seen.held) == ((0, 1) if is_held else (1, 0))
    assert (seen.longest_wait is None) is is_held


async def test_what_is_owed_parked_and_refused(told: Told) -> None:
    rows = await told.commit(*(draft(mark(None, name)) for name in "abcd"))
    await told.value("UPDATE outbox SET parked = 1 WHERE seq = ? RETURNING 1", rows[0])
    await told.value("UPDATE outbox SET created_at = created_at - 50 RETURNING 1")
    await told.store.transact(outbox.refuse, rows[1], None, OWN)
    await told.store.transact(outbox.sent, rows[2], EventId("$sent"))
    seen = await counted(told)
    assert (seen.owed, seen.parked, seen.refused) == (1, 1, 1)
    assert seen.oldest_owed == pytest.approx(50, abs=5)


async def test_gaps_rooms_to_make_and_files(told: Told) -> None:
    request = await told.asked()
    await told.store.transact(offered.note, request, (("a.txt", None),))
    await told.value(
        "INSERT INTO gaps (room_id, batch, from_token) VALUES ('!room', 1, 't') RETURNING 1"
    )
    await told.value(
        "INSERT INTO intents (intent_id, kind, owner) VALUES ('i', 'chat', '@a:b') RETURNING 1"
    )
    await told.value(
        "INSERT INTO attachments (event_id, room_id, sender, name, url, agent, platform_chat_id)"
        " VALUES ('$f', '!room', '@a:b', 'n', 'mxc://a/b', 'main', ?) RETURNING 1",
        PlatformChatId(1),
    )
    seen = await counted(told)
    assert (seen.gaps, seen.rooms_to_make, seen.files) == (1, 1, 2)
