"""Second thoughts about what was asked, in the order in which they may come."""

from __future__ import annotations

import time

import pytest
from attrs import evolve

from lambda_matrix.agent_events import ResumeEntry
from lambda_matrix.ids import EventId, RequestId, UserId
from lambda_matrix.matrix_events import AnswerState, Redaction, TextMessage
from lambda_matrix.store.questions import changes, confirmations, requests, withdrawals
from lambda_matrix.store.records import (
    Attempt,
    Confirmation,
    Done,
    Draft,
    Question,
    Request,
    Stopped,
)
from tests.store.telling import AGENT, ALICE, BOB, CHAT, OWN, ROOM, Told, draft, echo, mark, said

ASKED = Confirmation(
    user_id=ALICE,
    room_id=ROOM,
    kind="interrupts",
    platform_chat_id=CHAT,
    request=RequestId("q1"),
    expires_at=time.time() + 3600,
)
RESUME = (ResumeEntry("interrupt", "resolved", '{"approved": true}'),)


async def begin(told: Told) -> Attempt:
    attempt = await told.store.transact(requests.begin_next, ROOM)
    assert attempt is not None
    return attempt


async def nothing_begins(told: Told) -> bool:
    return await told.store.transact(requests.begin_next, ROOM) is None


async def finish(told: Told, request: Request, *answer: Draft) -> bool:
    done = Done(outcome="answered", answer=answer)
    return await told.store.transact(requests.finish, request, done, OWN)


# -- edits --


def edited(event_id: str, body: str, *, of: str = "$q1", by: UserId = ALICE) -> TextMessage:
    return evolve(said(event_id, body), replaces=EventId(of), sender=by)


async def edit(told: Told, event: TextMessage) -> Request | None:
    await told.events(event)
    return await told.store.transact(changes.edit, event, event.body)


async def test_an_edit_of_what_waits_replaces_its_text(told: Told) -> None:
    await told.asked()
    request = await edit(told, edited("$e", "And now?"))
    assert request is not None
    assert (request.text, request.edited, request.runs) == ("And now?", 1, 0)
    assert await told.waits() == []
    assert (await begin(told)).request == evolve(request, runs=0)


async def test_a_question_and_its_edit_come_in_one_batch(told: Told) -> None:
    question, change = said("$q1"), edited("$e", "And now?")
    await told.events(question, change)
    await told.ask(question)
    assert await told.store.transact(changes.edit, change, change.body) is not None
    assert (await begin(told)).request.text == "And now?"


async def test_an_edit_before_the_end_of_a_run_has_it_asked_anew(told: Told) -> None:
    await told.asked()
    old = (await begin(told)).request
    opening = draft(mark("$q1", state=AnswerState.OPEN))
    root = await told.store.transact(requests.open_answer, opening, OWN)
    assert await edit(told, edited("$e", "And now?")) is not None
    assert not await finish(told, old, draft(mark("$q1"))), "an answer to the old text"
    assert await told.outcome() is None
    attempt = await begin(told)
    assert (attempt.number, attempt.root, attempt.request.text) == (2, root, "And now?")
    assert await finish(told, attempt.request, draft(mark("$q1")))


async def test_an_edit_gives_all_attempts_back_and_not_one_more(told: Told) -> None:
    await told.asked()
    await begin(told)
    await edit(told, edited("$e", "And now?"))
    await told.store.transact(requests.give_back, RequestId("q1"))
    numbers = [(await begin(told)).number for _ in range(4)]
    assert numbers == [2, 3, 4, 0]


@pytest.mark.parametrize(
    "change",
    [
        edited("$e", "Hello?"),
        edited("$e", "Mine now", by=BOB),
        edited("$e", "What?", of="$unknown"),
    ],
    ids=["to the same", "of somebody else's", "of what is no question"],
)
async def test_an_edit_that_changes_nothing(told: Told, change: TextMessage) -> None:
    asked = await told.asked()
    assert await edit(told, change) is None
    assert await told.waits() == []
    assert (await begin(told)).request == asked


async def test_an_edit_is_heard_once(told: Told) -> None:
    await told.asked()
    change = edited("$e", "And now?")
    await edit(told, change)
    assert await told.store.transact(changes.edit, change, "Again?") is None
    assert (await begin(told)).request.text == "And now?"


async def test_what_is_answered_or_stopped_is_edited_no_more(told: Told) -> None:
    await told.asked()
    await told.store.transact(requests.mark_stopped, RequestId("q1"))
    assert await edit(told, edited("$e1", "And now?")) is None
    await told.finish("q1")
    assert await edit(told, edited("$e2", "And now?")) is None


async def test_a_command_that_asks_again_is_not_edited(told: Told) -> None:
    await told.asked()
    await told.finish("q1")
    await again(told, "$retry")
    assert await edit(told, edited("$e", "Something else", of="$retry")) is None
    assert (await begin(told)).request.text == "Hello?"


# -- redactions --


async def redact(told: Told, event_id: str, *, by: UserId = ALICE) -> tuple[Request, ...]:
    redaction = Redaction(
        room_id=ROOM, event_id=EventId(f"{event_id}-gone"), sender=by, redacts=EventId(event_id)
    )
    await told.events(redaction)
    return await told.store.transact(changes.withdraw, redaction)


async def to_redact(told: Told) -> set[str]:
    return set(await told.store.transact(withdrawals.to_redact, ROOM))


async def test_what_waits_and_is_taken_back_is_never_asked(told: Told) -> None:
    request = await told.asked()
    assert await redact(told, "$q1") == (request,)
    assert await nothing_begins(told)
    assert await told.next_row() is None


async def test_a_run_whose_question_is_taken_back_says_nothing(told: Told) -> None:
    await told.asked()
    request = (await begin(told)).request
    await redact(told, "$q1")
    opening = draft(mark("$q1", state=AnswerState.OPEN))
    assert await told.store.transact(requests.open_answer, opening, OWN) is None
    assert not await finish(told, request, draft(mark("$q1")))
    assert await told.next_row() is None


async def test_a_preview_on_its_way_is_redacted_when_it_shows_up(told: Told) -> None:
    await told.asked()
    await begin(told)
    opening = draft(mark("$q1", state=AnswerState.OPEN))
    assert await told.store.transact(requests.open_answer, opening, OWN) is not None
    row = await told.row()
    await redact(told, "$q1")
    assert await told.next_row() is None, "it is not tried again"
    assert await to_redact(told) == set()
    accepted = await told.events(echo("$root", row.mark, transaction_id=row.transaction_id))
    assert accepted.withdrawn == (ROOM,)
    assert await to_redact(told) == {"$root"}
    await told.store.transact(withdrawals.redacted, EventId("$root"))
    assert await to_redact(told) == set()


async def test_an_answer_goes_with_its_question_in_all_its_parts(told: Told) -> None:
    await told.asked()
    answer = [draft(mark("$q1", part=part, parts=2)) for part in range(2)]
    await told.finish("q1", *answer)
    for part in range(2):
        row = await told.row()
        await told.events(echo(f"$a{part}", row.mark, transaction_id=row.transaction_id))
    assert await redact(told, "$q1", by=BOB) == (), "it was answered"
    assert await to_redact(told) == {"$a0", "$a1"}
    assert await told.outcome() == "withdrawn"


async def test_a_redaction_is_heard_once(told: Told) -> None:
    await told.asked()
    await redact(told, "$q1")
    again = Redaction(
        room_id=ROOM, event_id=EventId("$q1-gone"), sender=ALICE, redacts=EventId("$q1")
    )
    assert await told.store.transact(changes.withdraw, again) == ()


async def test_the_redaction_of_anything_else(told: Told) -> None:
    request = await told.asked()
    assert await redact(told, "$smalltalk") == ()
    assert (await begin(told)).request == evolve(request)


async def test_all_that_came_of_a_question_goes_with_it(told: Told) -> None:
    await told.asked()
    await told.finish("q1")
    await told.store.transact(confirmations.ask, ASKED)
    retry = await again(told, "$retry")
    assert await redact(told, "$q1") == (retry,)
    assert await nothing_begins(told)
    assert await told.store.transact(confirmations.pending, ALICE, ROOM) is None


# -- !stop --


async def stop(
    told: Told, event_id: str, *, everything: bool, by: UserId = ALICE, at_work: str | None = "q1"
) -> Stopped:
    """Tell a `!stop` and obey it."""
    command = evolve(said(event_id, "!stop"), sender=by)

    def reply(stopped: Stopped) -> Draft:
        words = f"{len(stopped.requests)} {stopped.dropped is not None}"
        return draft(mark(event_id, f"reply:{event_id}"), content=words.encode())

    await told.events(command)
    return await told.store.transact(
        changes.stop,
        command,
        everything=everything,
        at_work=None if at_work is None else RequestId(at_work),
        reply=reply,
        own=OWN,
    )


async def ask_in_turn(told: Told) -> None:
    """Alice, Bob and Alice again have asked."""
    for number, asker in enumerate((ALICE, BOB, ALICE), 1):
        question = said(f"$q{number}", by=asker)
        await told.events(question)
        await told.ask(question, f"q{number}")


async def stopped(told: Told) -> list[str]:
    waiting = await told.store.transact(requests.waiting, ROOM)
    return [request.request_id for request in waiting if request.stopped]


async def test_stop_ends_the_one_at_work(told: Told) -> None:
    await ask_in_turn(told)
    assert await stop(told, "$stop", everything=False) == Stopped((RequestId("q1"),), None)
    assert await stopped(told) == ["q1"]
    assert (await told.row()).content == b"1 False"
    assert await told.waits() == []
    assert (await begin(told)).request.stopped


async def test_stop_ends_what_is_about_to_be_at_work(told: Told) -> None:
    await ask_in_turn(told)
    await stop(told, "$stop", everything=False, at_work=None)
    assert await stopped(told) == ["q1"]


async def test_stop_leaves_what_somebody_else_asked(told: Told) -> None:
    await ask_in_turn(told)
    assert await stop(told, "$stop", everything=False, by=BOB) == Stopped((), None)
    assert await stopped(told) == []
    assert (await told.row()).content == b"0 False"


async def test_stop_all_ends_what_its_sender_asked(told: Told) -> None:
    await ask_in_turn(told)
    assert len((await stop(told, "$stop", everything=True)).requests) == 2
    assert await stopped(told) == ["q1", "q3"]
    assert (await stop(told, "$stop2", everything=True, by=BOB)).requests == ("q2",)
    assert await stopped(told) == ["q1", "q2", "q3"]


async def test_a_stop_is_obeyed_once(told: Told) -> None:
    await ask_in_turn(told)
    await stop(told, "$stop", everything=False)
    await told.finish("q1")
    assert await stop(told, "$stop", everything=True) == Stopped((), None)
    assert await stopped(told) == []
    assert await told.value("SELECT count(*) FROM outbox") == 1


async def test_stop_where_nothing_is_to_be_stopped(told: Told) -> None:
    assert await stop(told, "$stop", everything=True) == Stopped((), None)
    assert (await told.row()).content == b"0 False"


async def test_stop_drops_what_waits_for_a_word_before_what_waits_behind_it(told: Told) -> None:
    await told.store.transact(confirmations.ask, ASKED)
    await ask_in_turn(told)
    assert await nothing_begins(told)
    assert await stop(told, "$b", everything=False, by=BOB, at_work=None) == Stopped((), None)
    assert await stop(told, "$a", everything=False, at_work=None) == Stopped((), ASKED)
    assert await stopped(told) == []
    assert (await begin(told)).request.request_id == "q1"


async def test_stop_all_drops_that_too(told: Told) -> None:
    await told.store.transact(confirmations.ask, ASKED)
    await ask_in_turn(told)
    done = await stop(told, "$a", everything=True, at_work=None)
    assert done == Stopped((RequestId("q1"), RequestId("q3")), ASKED)


async def test_what_is_stopped_does_not_wait_for_anybodys_word(told: Told) -> None:
    await told.store.transact(confirmations.ask, ASKED)
    await ask_in_turn(told)
    await stop(told, "$b", everything=True, by=BOB, at_work=None)
    attempt = await begin(told)
    assert (attempt.request.request_id, attempt.request.stopped) == ("q2", True)


# -- !yes, !no --


async def answer_for(told: Told, asked: Confirmation = ASKED) -> Request | None:
    command = said("$yes", "!yes")
    await told.events(command)
    question = Question(
        request_id=RequestId("resume"),
        text="!yes",
        agent=AGENT,
        platform_chat_id=CHAT,
        origin=EventId("$q1"),
        resume=RESUME,
    )
    notice = (draft(mark(None, "partly")),)
    return await told.store.transact(changes.answer_for, command, asked, question, notice, OWN)


async def test_a_word_goes_before_everything_that_waits_in_its_context(told: Told) -> None:
    await told.store.transact(confirmations.ask, ASKED)
    await ask_in_turn(told)
    assert await nothing_begins(told)
    request = await answer_for(told)
    assert request is not None
    assert request.resume == RESUME
    assert await told.waits() == []
    assert (await told.row()).request == "partly"
    assert (await begin(told)).request.request_id == "resume"
    await told.finish("resume")
    assert (await begin(told)).request.request_id == "q1"


async def test_a_word_that_comes_too_late_is_not_taken(told: Told) -> None:
    late = evolve(ASKED, expires_at=time.time() - 1)
    await told.store.transact(confirmations.ask, late)
    assert await answer_for(told, late) is None
    assert await told.waits() == ["$yes"]
    assert await told.next_row() is None


async def test_a_word_on_something_else_than_was_looked_at_is_not_taken(told: Told) -> None:
    await told.store.transact(confirmations.ask, evolve(ASKED, request=RequestId("newer")))
    assert await answer_for(told) is None


async def test_a_word_is_given_once(told: Told) -> None:
    await told.store.transact(confirmations.ask, ASKED)
    assert await answer_for(told) is not None
    await told.store.transact(confirmations.ask, ASKED)
    assert await answer_for(told) is None
    assert await told.store.transact(confirmations.pending, ALICE, ROOM) == ASKED


async def test_we_ask_with_the_prompt(told: Told) -> None:
    command = said("$delete", "!delete")
    await told.events(command)
    for _ in range(2):
        await told.store.transact(changes.ask_us, command, ASKED, draft(mark("$delete")), OWN)
    assert await told.store.transact(confirmations.pending, ALICE, ROOM) == ASKED
    assert await told.value("SELECT count(*) FROM outbox") == 1


async def test_what_is_asked_is_dropped_with_a_word(told: Told) -> None:
    await told.store.transact(confirmations.ask, ASKED)
    command = said("$no", "!no")
    await told.events(command)
    await told.store.transact(changes.drop, command, draft(mark("$no")), OWN)
    assert await told.store.transact(confirmations.pending, ALICE, ROOM) is None
    await told.store.transact(confirmations.ask, ASKED)
    await told.store.transact(changes.drop, command, draft(mark("$no")), OWN)
    assert await told.store.transact(confirmations.pending, ALICE, ROOM) == ASKED


# -- !retry --


async def last_asked(told: Told) -> Request | None:
    return await told.store.transact(changes.last_asked, ROOM, ALICE, None)


async def again(told: Told, event_id: str) -> Request:
    """Ask the last question again."""
    last = await last_asked(told)
    assert last is not None
    command = said(event_id, "!retry")
    await told.events(command)
    question = Question(
        request_id=RequestId(f"again{event_id}"),
        text=last.text,
        agent=AGENT,
        platform_chat_id=CHAT,
        origin=last.origin or last.question,
    )
    request = await told.store.transact(changes.ask_again, command, question)
    assert request is not None
    return request


async def test_the_last_that_was_asked_is_ones_own_and_not_taken_back(told: Told) -> None:
    assert await last_asked(told) is None
    await ask_in_turn(told)
    in_thread = said("$t")
    await told.events(in_thread)
    question = Question(
        request_id=RequestId("t"),
        text="In a thread",
        agent=AGENT,
        platform_chat_id=CHAT,
        thread_root=EventId("$root"),
    )
    await told.store.transact(requests.ask, in_thread, question)
    last = await last_asked(told)
    assert last is not None
    assert last.request_id == "q3"
    await redact(told, "$q3")
    last = await last_asked(told)
    assert last is not None
    assert last.request_id == "q1"
    there = await told.store.transact(changes.last_asked, ROOM, ALICE, EventId("$root"))
    assert there is not None
    assert there.text == "In a thread"


async def test_what_is_asked_again_and_again_leads_back_to_the_first(told: Told) -> None:
    first = await told.asked()
    await told.finish("q1")
    await again(told, "$r1")
    await told.finish("again$r1")
    request = await again(told, "$r2")
    assert request.origin == "$q1"
    found = await told.store.transact(changes.question_of, request)
    assert found == evolve(first, outcome="answered")
    assert await told.store.transact(changes.by_id, RequestId("q1")) == found
    assert await told.store.transact(changes.by_id, None) is None
    await redact(told, "$q1")
    assert await told.store.transact(changes.question_of, request) is None


async def test_files_go_along_again_but_not_new_ones(told: Told) -> None:
    async def file(event_id: str, request: str | None) -> None:
        await told.store.transact(
            lambda db: (
                db.execute(
                    "INSERT INTO attachments (event_id, room_id, sender, name, url, agent,"
                    " platform_chat_id, request) VALUES (?, ?, ?, 'f', 'mxc://f', ?, ?, ?)",
                    (event_id, ROOM, ALICE, AGENT, CHAT, request),
                ).rowcount
            )
        )

    async def goes_along_with(event_id: str) -> object:
        return await told.value("SELECT request FROM attachments WHERE event_id = ?", event_id)

    await told.asked()
    await file("$f1", "q1")
    await told.finish("q1")
    await file("$f2", None)
    await again(told, "$r1")
    assert await goes_along_with("$f1") == "again$r1"
    await told.finish("again$r1")
    await again(told, "$r2")
    assert await goes_along_with("$f1") == "again$r2"
    assert await goes_along_with("$f2") is None
