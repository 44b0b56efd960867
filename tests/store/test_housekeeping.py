from __future__ import annotations

from itertools import chain

from lambda_matrix.ids import EventId
from lambda_matrix.matrix_events import AnswerState
from lambda_matrix.store import housekeeping, outbox
from lambda_matrix.store.files import offered
from lambda_matrix.store.questions import requests
from tests.store.telling import OWN, ROOM, Told, draft, mark, said

DAYS = 30.0


async def age(told: Told, days: float = DAYS + 1) -> None:
    """Let everything that is stored be so much older."""
    seconds = days * 86_400
    for table, column in (("inbox", "settled_at"), ("outbox", "created_at")):
        older = f"UPDATE {table} SET {column} = {column} - ? RETURNING 1"  # noqa: S608 - names
        await told.value(older, seconds)


async def forget(told: Told) -> None:
    await told.store.transact(housekeeping.forget_old, DAYS)


async def left(told: Told, table: str, column: str) -> list[object]:
    """What is left in a table."""
    select = f"SELECT {column} FROM {table} ORDER BY 1"  # noqa: S608 - names
    rows = await told.store.transact(lambda db: db.execute(select).fetchall())
    return list(chain(*rows))


async def answered(told: Told, name: str) -> None:
    """Ask and answer one question, by an edit of a preview."""
    await told.asked(f"$q{name}", f"q{name}")
    (root,) = await told.commit(draft(mark(f"$q{name}", state=AnswerState.OPEN)))
    await told.finish(f"q{name}", draft(mark(f"$q{name}"), replaces=root))
    for seq in (root, root + 1):
        await told.store.transact(outbox.sent, seq, EventId(f"$sent{seq}"))


async def test_what_is_old_and_settled_is_forgotten(told: Told) -> None:
    await answered(told, "1")
    await age(told)
    await answered(told, "2")
    await forget(told)
    assert await left(told, "inbox", "event_id") == ["$q2"]
    assert await left(told, "requests", "request_id") == ["q2"]


async def test_an_edit_is_forgotten_before_what_it_edits(told: Told) -> None:
    await answered(told, "1")
    await age(told)
    await forget(told)
    assert await left(told, "outbox", "seq") == [1]
    await forget(told)
    assert await left(told, "outbox", "seq") == []


async def test_what_is_still_owed_is_not_forgotten(told: Told) -> None:
    pending, parked, refused = await told.commit(*(draft(mark(None, name)) for name in "abc"))
    await told.store.transact(outbox.refuse, refused, None, OWN)
    await told.value("UPDATE outbox SET parked = 1 WHERE seq = ? RETURNING 1", parked)
    await age(told, DAYS - 1)
    await forget(told)
    assert await left(told, "outbox", "seq") == [pending, parked, refused]
    await age(told, 2)
    await forget(told)
    assert await left(told, "outbox", "seq") == [pending]


async def test_what_was_not_reacted_to_is_not_forgotten(told: Told) -> None:
    await told.events(said("$q1"))
    await age(told)
    await forget(told)
    assert await told.waits() == ["$q1"]


async def test_what_an_open_request_stands_on_is_not_forgotten(told: Told) -> None:
    """The service was away for longer than things are kept, in the middle of an answer."""
    await told.asked()
    (root,) = await told.commit(draft(mark("$q1", state=AnswerState.OPEN)))
    await told.store.transact(outbox.sent, root, EventId("$root"))
    await age(told)
    await forget(told)
    await told.events(said("$q1"))
    assert await told.waits() == []
    attempt = await told.store.transact(requests.begin_next, ROOM)
    assert attempt is not None
    assert attempt.root == root
    assert await told.answered_event(root) == "$root"


async def test_files_that_were_offered_are_forgotten_with_their_requests(told: Told) -> None:
    request = await told.asked()
    await told.store.transact(offered.note, request, (("a.txt", None),))
    await told.finish("q1")
    await forget(told)
    assert await left(told, "offered_files", "path") == ["a.txt"]
    await age(told)
    await forget(told)
    assert await left(told, "offered_files", "path") == []
