"""What is done with each message takes as long in a large database as in a small one."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlite_utils import Database

from lambda_matrix.agent_events import ThreadMessage
from lambda_matrix.ids import EventId, RequestId, SyncToken
from lambda_matrix.matrix_events import Redaction, SyncBatch
from lambda_matrix.store import intake, outbox, standing
from lambda_matrix.store.conversations import contexts
from lambda_matrix.store.figures import figures
from lambda_matrix.store.files import attachments, offered
from lambda_matrix.store.questions import changes, requests, withdrawals
from lambda_matrix.store.records import Done, Exchange, Question
from lambda_matrix.store.topology import chats, rooms
from tests.store.telling import AGENT, ALICE, CHAT, OWN, ROOM, Told, draft, echo, joined, mark, said

P = ParamSpec("P")
R = TypeVar("R")

GROWING = "inbox|requests|outbox|row|root|messages|contexts|previews|attachments|offered_files"
"""Tables with a row for each message, or nearly so, by the names that queries give them."""
FROM_END_TO_END = re.compile(rf"SCAN ({GROWING})(?! USING)")


async def slow_steps(
    told: Told, operation: Callable[Concatenate[Database, P], R], *args: P.args, **kwargs: P.kwargs
) -> list[str]:
    """Do it, and return where SQLite read one of those tables from end to end."""

    def traced(db: Database) -> list[str]:
        statements: list[str] = []
        db.conn.set_trace_callback(statements.append)
        try:
            operation(db, *args, **kwargs)
        finally:
            db.conn.set_trace_callback(None)
        return [
            f"{step[3]}: {statement}"
            for statement in statements
            for step in db.execute(f"EXPLAIN QUERY PLAN {statement}").fetchall()
            if FROM_END_TO_END.match(step[3])
        ]

    return await told.store.transact(traced)


async def test_a_question_and_its_answer_read_no_table_from_end_to_end(told: Told) -> None:
    await told.events(said("$q0"))
    room = await told.store.transact(rooms.room, ROOM)
    assert room is not None
    message = said("$q1")
    batch = SyncBatch(
        next_batch=SyncToken("s9"),
        joined=(joined(message, echo("$e0", mark("$q0", "q0"), edits="$root")),),
    )
    question = Question(
        request_id=RequestId("q1"), text="Hello?", agent=AGENT, platform_chat_id=CHAT
    )
    slow = await slow_steps(told, intake.accept_batch, batch, OWN)
    slow += await slow_steps(told, requests.look, ROOM, 100)
    slow += await slow_steps(told, standing.open_here, room, ALICE, EventId("$e0"))
    slow += await slow_steps(told, contexts.of_place, room, None)
    slow += await slow_steps(told, requests.ask, message, question)
    slow += await slow_steps(told, requests.begin_next, ROOM)
    slow += await slow_steps(told, contexts.whole_thread, CHAT)
    slow += await slow_steps(told, attachments.next_to_do, ROOM)
    request = await told.store.transact(changes.by_id, RequestId("q1"))
    assert request is not None
    done = Done(
        outcome="answered",
        answer=(draft(mark("$q1")),),
        exchange=Exchange(messages=(ThreadMessage(id="a", role="assistant"),)),
    )
    slow += await slow_steps(told, requests.finish_then_next, request, done, OWN)
    slow += await slow_steps(told, outbox.sent_then_next, 1, EventId("$a1"), ROOM)
    slow += await slow_steps(told, offered.next_file, ROOM)
    slow += await slow_steps(told, chats.first_questions, ROOM)
    assert slow == []


async def test_in_a_long_chat_an_answer_takes_as_many_steps_as_in_a_new_one(told: Told) -> None:
    """Not even its own room's rows are read through: an index may be used, and be the wrong one."""
    await exchange(told, 0)  # what is done once in a room
    short = await exchange(told, 1)
    for number in range(2, 200):
        await exchange(told, number)
    assert await exchange(told, 200) < 1.5 * short


async def exchange(told: Told, number: int) -> int:
    """Have a question answered, from T1 to its echo; return how many steps SQLite took, in tens."""
    question, request_id = said(f"$q{number}"), RequestId(f"q{number}")
    its = mark(question.event_id, request_id)
    asked = Question(request_id=request_id, text="Hello?", agent=AGENT, platform_chat_id=CHAT)
    done = Done(outcome="answered", answer=(draft(its),))
    counted = 0

    def count() -> int:
        nonlocal counted
        counted += 1
        return 0

    def all_of_it(db: Database) -> None:
        db.conn.set_progress_handler(count, 10)
        try:
            batch = SyncBatch(next_batch=SyncToken(f"q{number}"), joined=(joined(question),))
            intake.accept_batch(db, batch, OWN)
            requests.look(db, ROOM, 100)
            requests.ask(db, question, asked)
            attempt = requests.begin_next(db, ROOM)
            assert attempt is not None
            _, row = requests.finish_then_next(db, attempt.request, done, OWN)
            assert row is not None
            outbox.sent_then_next(db, row.seq, EventId(f"$a{number}"), ROOM)
            answer = echo(f"$a{number}", its, transaction_id=row.transaction_id)
            batch = SyncBatch(next_batch=SyncToken(f"a{number}"), joined=(joined(answer),))
            intake.accept_batch(db, batch, OWN)
        finally:
            db.conn.set_progress_handler(None, 0)

    await told.store.transact(all_of_it)
    return counted


async def test_a_second_thought_reads_no_table_from_end_to_end(told: Told) -> None:
    await told.asked()
    edit = said("$edit", "What?")
    redaction = Redaction(
        room_id=ROOM, event_id=EventId("$gone"), sender=ALICE, redacts=EventId("$q1")
    )
    await told.events(edit, redaction)
    slow = await slow_steps(told, changes.last_asked, ROOM, ALICE, None)
    slow += await slow_steps(told, changes.edit, edit, "What?")
    slow += await slow_steps(told, changes.withdraw, redaction)
    slow += await slow_steps(told, withdrawals.redacted, EventId("$a1"))
    assert slow == []


async def test_to_watch_reads_no_table_from_end_to_end(told: Told) -> None:
    """Metrics are scraped every few seconds, for years."""
    await told.asked()
    assert await slow_steps(told, figures, frozenset({RequestId("q1")})) == []
