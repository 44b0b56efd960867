"""Agents' files between the answer and the room."""

from __future__ import annotations

from lambda_matrix.ids import EventId
from lambda_matrix.matrix_events import MediaMessage, Redaction
from lambda_matrix.store import housekeeping
from lambda_matrix.store.files import offered
from lambda_matrix.store.questions import changes, requests
from lambda_matrix.store.records import Done
from tests.store.telling import BOT, OWN, ROOM, Told, draft, mark


async def answered(told: Told, *files: tuple[str, str | None]) -> None:
    request = await told.asked()
    await told.store.transact(requests.finish, request, Done(outcome="answered", files=files), OWN)


async def test_files_come_one_after_the_other(told: Told) -> None:
    await answered(told, ("a.txt", None), ("b.txt", "Look"))
    assert await told.store.transact(offered.rooms_with_files) == (ROOM,)
    seen = []
    while found := await told.store.transact(offered.next_file, ROOM):
        file, request = found
        seen.append((file.path, file.caption, request.question))
        said = draft(mark("$q1", f"file:{file.position}"))
        assert await told.store.transact(offered.settle, file, said, OWN)
        assert not await told.store.transact(offered.settle, file, said, OWN)
    assert seen == [("a.txt", None, "$q1"), ("b.txt", "Look", "$q1")]
    assert (await told.row()).request == "file:1"
    assert await told.value("SELECT count(*) FROM outbox") == 2


async def test_a_question_taken_back_has_no_files(told: Told) -> None:
    await answered(told, ("a.txt", None))
    found = await told.store.transact(offered.next_file, ROOM)
    assert found is not None
    redaction = Redaction(
        room_id=ROOM, event_id=EventId("$r"), sender=found[1].asker, redacts=EventId("$q1")
    )
    await told.events(redaction)
    await told.store.transact(changes.withdraw, redaction)
    assert await told.store.transact(offered.next_file, ROOM) is None
    assert not await told.store.transact(offered.settle, found[0], draft(mark("$q1")), OWN)


async def test_the_echo_of_a_file_settles_its_row(told: Told) -> None:
    await answered(told, ("a.txt", None))
    file_mark = mark("$q1", "file:1")
    (row,) = await told.commit(draft(file_mark))
    echo = MediaMessage(
        room_id=ROOM,
        event_id=EventId("$file"),
        sender=BOT,
        msgtype="m.file",
        filename="a.txt",
        url="mxc://example.org/a",
        answer=file_mark,
    )
    await told.events(echo)
    assert await told.state(row) == "sent"
    assert await told.answered_event(row) == "$file"
    assert await told.waits() == []


async def test_files_are_forgotten_with_their_requests(told: Told) -> None:
    await answered(told, ("a.txt", None))
    await told.value("UPDATE inbox SET settled_at = settled_at - 40 * 86400 RETURNING 1")
    await told.store.transact(housekeeping.forget_old, 30.0)
    assert await told.value("SELECT count(*) FROM offered_files") == 0
