from __future__ import annotations

import pytest
from sqlite_utils import Database

from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.settings import PersonSettings, ReplyStyle
from lambda_matrix.ids import EventId, RequestId
from lambda_matrix.matrix_events import AnswerState, OtherMessage
from lambda_matrix.store import outbox, people
from lambda_matrix.store.questions import requests
from lambda_matrix.store.questions.requests import MAX_ATTEMPTS
from lambda_matrix.store.records import Attempt, Done, Question, Request
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


async def begin(told: Told) -> Attempt:
    attempt = await told.store.transact(requests.begin_next, ROOM)
    assert attempt is not None
    return attempt


async def owed(told: Told) -> object:
    """How many events the store owes in all."""
    return await told.value("SELECT count(*) FROM outbox")


async def waiting(told: Told) -> list[Request]:
    return list(await told.store.transact(requests.waiting, ROOM))


# -- the inbox --


async def test_a_room_that_nobody_knows(told: Told) -> None:
    look = await told.store.transact(requests.look, ROOM, 10)
    assert (look.room, look.events) == (None, ())


async def test_what_waits_is_told_as_it_was_said(told: Told) -> None:
    question = said("$q1", "Что 😀 \x00?")
    image = OtherMessage(room_id=ROOM, event_id=EventId("$i"), sender=BOB, kind="m.image", body="x")
    await told.events(question, image)
    look = await told.store.transact(requests.look, ROOM, 10)
    assert look.room is not None
    assert look.events == (question, image)


async def test_a_reaction_and_what_is_said_are_one(told: Told) -> None:
    question = said("$q1")
    await told.events(question)
    reply = draft(mark("$q1"))
    assert await told.store.transact(requests.settle, question, (reply,), OWN)
    assert await told.waits() == []
    assert not await told.store.transact(requests.settle, question, (reply,), OWN)
    assert await owed(told) == 1


async def test_what_is_told_once_settles_each_time(told: Told) -> None:
    first, second = said("$q1"), said("$q2")
    await told.events(first, second)
    for event in (first, second):
        reply = draft(mark(event.event_id))
        assert await told.store.transact(requests.settle, event, (reply,), OWN, once="way")
    assert await told.waits() == []
    assert await owed(told) == 1
    assert (await told.row()).question == "$q1"


async def test_a_sentence_is_said_once_in_each_room(told: Told) -> None:
    await told.batch(joined(), joined(room=OTHER_ROOM))
    for room in (ROOM, ROOM, OTHER_ROOM):
        notice = draft(mark(None, f"way:{room}"), room=room)
        await told.store.transact(requests.say_once, notice, OWN, once="way")
    await told.store.transact(requests.say_once, draft(mark(None, "b")), OWN, once="encrypted")
    assert await owed(told) == 3


async def test_a_sentence_may_answer_nobody(told: Told) -> None:
    await told.store.transact(requests.say, (draft(mark(None, "gap")),), OWN)
    assert (await told.row()).question is None


async def test_an_event_may_fail_three_times(told: Told) -> None:
    question = said("$q1")
    await told.events(question)
    tries = [await told.store.transact(requests.count_failure, question) for _ in range(3)]
    assert tries == [False, False, True]
    assert not await told.store.transact(requests.count_failure, said("$unknown"))


# -- requests --


async def test_a_question_becomes_a_request_and_is_settled(told: Told) -> None:
    request = await told.asked()
    assert request == Request(
        request_id=RequestId("q1"),
        question=EventId("$q1"),
        room_id=ROOM,
        asker=ALICE,
        text="Hello?",
        agent=AGENT,
        platform_chat_id=CHAT,
        as_reply=False,
        attempts=0,
        runs=0,
        stopped=False,
        outcome=None,
    )
    assert await waiting(told) == [request]
    assert await told.waits() == []


async def test_a_question_is_asked_once(told: Told) -> None:
    await told.asked()
    for question in (said("$q1"), said("$never told")):
        again = await told.store.transact(
            requests.ask,
            question,
            Question(
                request_id=RequestId("again"),
                text="",
                agent=AGENT,
                platform_chat_id=CHAT,
                as_reply=True,
            ),
        )
        assert again is None
    assert [request.request_id for request in await waiting(told)] == ["q1"]


async def test_rooms_with_work(told: Told) -> None:
    async def rooms() -> tuple[str, ...]:
        return await told.store.transact(requests.rooms_with_work)

    assert await rooms() == ()
    await told.asked()
    await told.events(said("$x", room=OTHER_ROOM), room=OTHER_ROOM)
    assert sorted(await rooms()) == [OTHER_ROOM, ROOM]
    await told.finish("q1")
    assert await rooms() == (OTHER_ROOM,)


async def test_requests_are_taken_up_in_the_order_of_their_questions(told: Told) -> None:
    """Not in that in which they became requests: the ids say nothing."""
    first, second = said("$z"), said("$a")
    await told.events(first)
    await told.events(second)
    await told.ask(second, "a")
    await told.ask(first, "z")
    assert [request.request_id for request in await waiting(told)] == ["z", "a"]
    assert (await begin(told)).request.request_id == "z"
    await told.finish("z")
    assert (await begin(told)).request.request_id == "a"
    await told.finish("a")
    assert await told.store.transact(requests.begin_next, ROOM) is None


async def test_a_room_takes_up_its_own_requests_only(told: Told) -> None:
    await told.asked()
    assert await told.store.transact(requests.begin_next, OTHER_ROOM) is None
    assert await told.store.transact(requests.waiting, OTHER_ROOM) == ()


async def test_an_attempt_is_counted_before_it_begins(told: Told) -> None:
    await told.asked()
    numbers = [(await begin(told)).number for _ in range(MAX_ATTEMPTS + 2)]
    assert numbers == [1, 2, 3, 0, 0]
    assert (await waiting(told))[0].attempts == MAX_ATTEMPTS


async def test_an_orderly_stop_gives_the_attempt_back(told: Told) -> None:
    await told.asked()
    for run in range(1, MAX_ATTEMPTS + 3):
        # The run is a new one all the same: AG-UI wants a new id for it.
        assert (await begin(told)).number == run
        await told.store.transact(requests.give_back, RequestId("q1"))


async def test_a_finished_request_has_nothing_to_give_back(told: Told) -> None:
    await told.asked()
    await begin(told)
    await told.finish("q1")
    await told.store.transact(requests.give_back, RequestId("q1"))
    assert await told.value("SELECT attempts FROM requests") == 1


async def test_a_new_attempt_goes_on_from_the_open_answer(told: Told) -> None:
    await told.asked()
    assert (await begin(told)).root is None
    opening = draft(mark("$q1", state=AnswerState.OPEN))
    root = await told.store.transact(requests.open_answer, opening, OWN)
    assert root is not None
    assert (await begin(told)).root == root
    await told.store.transact(outbox.refuse, root, None, OWN)
    assert (await begin(told)).root is None


async def test_a_request_ends_once(told: Told) -> None:
    await told.asked()
    answer = (draft(mark("$q1", part=0, parts=2)), draft(mark("$q1", part=1, parts=2)))
    assert await told.finish("q1", *answer)
    assert not await told.finish("q1", *answer, outcome="failed")
    assert await told.outcome() == "answered"
    assert await owed(told) == 2


async def test_an_end_comes_with_the_oldest_row_that_the_room_is_owed(told: Told) -> None:
    request = await told.asked()
    (root,) = await told.commit(draft(mark("$q1", state=AnswerState.OPEN)))
    final = (draft(mark("$q1"), replaces=root),)
    is_done, row = await told.store.transact(
        requests.finish_then_next, request, Done(outcome="answered", answer=final), OWN
    )
    assert is_done
    assert row == await told.row()
    assert row.seq == root
    await told.store.transact(outbox.sent, root, EventId("$root"))
    is_done, row = await told.store.transact(
        requests.finish_then_next, request, Done(outcome="failed", answer=final), OWN
    )
    assert not is_done, "it was before"
    assert row is not None
    assert (row.replaces, row.root) == (root, "$root")
    assert await told.outcome() == "answered"
    assert await owed(told) == 2


@pytest.mark.parametrize(
    "chosen",
    [
        PersonSettings(),
        PersonSettings(
            language=Language.RU,
            streaming=False,
            reply_style=ReplyStyle.PLAIN,
            tool_lines=False,
            agent=AGENT,
        ),
    ],
)
async def test_an_attempt_knows_the_settings_of_its_asker(
    told: Told, chosen: PersonSettings
) -> None:
    await told.asked()
    await told.store.transact(people.note_settings, ALICE, chosen)
    assert (await begin(told)).settings == chosen


async def test_an_end_that_raises_is_no_end(told: Told) -> None:
    def cut_short(db: Database) -> None:
        requests.finish(db, request, Done(outcome="answered", answer=(draft(mark("$q1")),)), OWN)
        raise ZeroDivisionError

    request = await told.asked()
    with pytest.raises(ZeroDivisionError):
        await told.store.transact(cut_short)
    assert await told.outcome() is None
    assert await owed(told) == 0
