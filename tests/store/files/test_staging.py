"""What becomes of people's files, step by step, also where a step comes too late."""

from __future__ import annotations

import pytest

from lambda_matrix.ids import EventId, PlatformChatId, RequestId, UserId
from lambda_matrix.matrix_events import MediaMessage, Redaction
from lambda_matrix.store import housekeeping
from lambda_matrix.store.files import attachments, staging
from lambda_matrix.store.questions import changes, requests
from lambda_matrix.store.records import Draft, FetchedFile, Question, Request, StagedFile
from tests.store.telling import AGENT, ALICE, BOB, CHAT, OWN, ROOM, Told, draft, mark, said

ELSEWHERE = PlatformChatId(2000)


def file_of(event_id: str, *, by: UserId = ALICE, caption: str | None = None) -> MediaMessage:
    return MediaMessage(
        room_id=ROOM,
        event_id=EventId(event_id),
        sender=by,
        msgtype="m.file",
        filename=f"{event_id}.txt",
        url=f"mxc://example.org/{event_id.removeprefix('$')}",
        caption=caption,
        mimetype="text/plain",
        size=5,
    )


def at(file: StagedFile) -> FetchedFile:
    return FetchedFile(
        path=f"chats/{file.platform_chat_id}/{file.name}",
        name=file.name,
        kind="document",
        mime_type="text/plain",
        size=5,
    )


async def stage(told: Told, event_id: str, **more: UserId) -> bool:
    message = file_of(event_id, **more)
    await told.events(message)
    return await told.store.transact(staging.stage, message, AGENT, CHAT)


async def to_do(told: Told) -> StagedFile:
    file = await told.store.transact(attachments.next_to_do, ROOM)
    assert file is not None
    return file


async def fetch(told: Told, file: StagedFile | None = None) -> bool:
    """The oldest file is there; what is said names how many wait."""
    file = file or await to_do(told)
    return await told.store.transact(
        staging.fetched,
        file,
        at(file),
        lambda waiting: draft(mark(file.event_id, f"got {len(waiting)}")),
        OWN,
    )


async def refuse(told: Told, file: StagedFile | None = None) -> None:
    file = file or await to_do(told)

    def reply(asked_in_vain: bool) -> Draft:  # noqa: FBT001 - as it is called back
        return draft(mark(file.event_id, f"refused {asked_in_vain}"))

    await told.store.transact(staging.refuse, file, reply, OWN)


async def ask(
    told: Told, event_id: str = "$q", chat: PlatformChatId = CHAT, caption: str | None = None
) -> Request:
    message = said(event_id) if caption is None else file_of(event_id, caption=caption)
    await told.events(message)
    question = Question(
        request_id=RequestId(f"of {event_id}"), text="?", agent=AGENT, platform_chat_id=chat
    )
    request = await told.store.transact(requests.ask, message, question)
    assert request is not None
    return request


async def along(told: Told, request: Request) -> list[str]:
    files = await told.store.transact(attachments.of_request, request.request_id)
    return [file.name.removesuffix(".txt") for file in files]


async def waiting(told: Told, who: UserId = ALICE) -> list[str]:
    files = await told.store.transact(attachments.staged, ROOM, who)
    return [file.event_id for file in files]


async def was_said(told: Told) -> list[object]:
    select = "SELECT request FROM outbox ORDER BY seq"
    rows = await told.store.transact(lambda db: db.execute(select).fetchall())
    return [row[0] for row in rows]


async def test_a_message_is_staged_once(told: Told) -> None:
    assert await stage(told, "$a")
    assert not await told.store.transact(staging.stage, file_of("$a"), AGENT, CHAT)
    assert await waiting(told) == ["$a"]
    assert await told.store.transact(attachments.rooms_to_serve) == (ROOM,)
    assert await told.store.transact(staging.count, ROOM, ALICE) == 1


async def test_the_last_file_tells_of_all_that_wait(told: Told) -> None:
    await stage(told, "$a")
    await stage(told, "$b")
    await stage(told, "$c", by=BOB)
    assert await fetch(told)
    assert await was_said(told) == []
    assert await fetch(told)
    assert await was_said(told) == ["got 2"]
    assert await told.store.transact(attachments.rooms_with_files) == (ROOM,)


async def test_a_run_waits_for_the_files_of_its_question(told: Told) -> None:
    await stage(told, "$a")
    await stage(told, "$b", by=BOB)
    request = await ask(told)
    assert await told.store.transact(requests.begin_next, ROOM) is None
    assert await fetch(told)
    assert await was_said(told) == [], "the answer says enough"
    assert await told.store.transact(requests.begin_next, ROOM) is not None
    assert await along(told, request) == ["$a"]
    assert await waiting(told) == []
    assert await waiting(told, BOB) == ["$b"]


async def test_what_was_asked_with_a_refused_file_is_not_asked(told: Told) -> None:
    await stage(told, "$a")
    await fetch(told)
    request = await ask(told, "$b", caption="What is it?")
    await refuse(told)
    assert await was_said(told) == ["got 1", "refused True"]
    assert await told.store.transact(requests.begin_next, ROOM) is None
    assert await told.outcome(request.request_id) == "file refused"
    assert await waiting(told) == ["$a"]


async def test_any_other_question_goes_on_without_it(told: Told) -> None:
    await stage(told, "$a")
    request = await ask(told)
    await refuse(told)
    assert await was_said(told) == ["refused False"]
    assert await told.store.transact(requests.begin_next, ROOM) is not None
    assert await along(told, request) == []


async def test_a_file_goes_to_the_context_that_it_is_asked_in(told: Told) -> None:
    await stage(told, "$a")
    before = await to_do(told)
    await fetch(told)
    request = await ask(told, chat=ELSEWHERE)
    again = await to_do(told)
    assert (again.event_id, again.platform_chat_id, again.path) == ("$a", ELSEWHERE, None)
    assert not await fetch(told, before), "that is where nobody looks any more"
    assert await fetch(told)
    assert await along(told, request) == ["$a"]


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_file_that_was_taken_back_is_to_be_deleted(told: Told, is_there: bool) -> None:  # noqa: FBT001 - a parameter
    await stage(told, "$a")
    file = await to_do(told)
    if is_there:
        await fetch(told)
    redaction = Redaction(room_id=ROOM, event_id=EventId("$r"), sender=ALICE, redacts=EventId("$a"))
    await told.events(redaction)
    await told.store.transact(changes.withdraw, redaction)
    gone = await to_do(told)
    assert (gone.state, gone.path is not None) == ("removed", is_there)
    assert not await fetch(told, file)
    await refuse(told, file)
    assert await was_said(told) == ["got 1"] * is_there
    assert await waiting(told) == []
    await told.store.transact(attachments.deleted, gone.event_id)
    assert await told.store.transact(attachments.next_to_do, ROOM) is None


async def remove(told: Told, event_id: str, numbers: tuple[int, ...] | None) -> None:
    command = said(event_id, "!remove")
    await told.events(command)

    def reply(gone: tuple[StagedFile, ...], count: int) -> Draft:
        return draft(mark(event_id, f"{','.join(file.event_id for file in gone)} of {count}"))

    for _ in range(2):  # the second time it is settled
        await told.store.transact(staging.remove, command, numbers, reply, OWN)


async def test_files_are_taken_off_by_their_numbers(told: Told) -> None:
    for event_id in ("$a", "$b", "$c", "$d"):
        await stage(told, event_id)
    await remove(told, "$1", (2, 9))
    await remove(told, "$2", (3, 1, 3))
    assert await waiting(told) == ["$b", "$d"]
    await remove(told, "$3", None)
    await remove(told, "$4", None)
    assert await was_said(told) == [" of 4", "$c,$a of 4", "$b,$d of 2", " of 0"]


async def test_a_question_asked_again_takes_its_files_along(told: Told) -> None:
    request = await ask(told, "$a", caption="What is it?")
    await refuse(told)
    retry = said("$again", "!retry")
    await told.events(retry)
    again = Question(
        request_id=RequestId("again"), text="?", agent=AGENT, platform_chat_id=CHAT,
        origin=request.question,
    )  # fmt: skip
    later = await told.store.transact(changes.ask_again, retry, again)
    assert later is not None
    assert await fetch(told)
    assert await along(told, later) == ["$a"]


async def test_files_are_forgotten_with_their_requests(told: Told) -> None:
    await stage(told, "$a")
    await fetch(told)
    await ask(told)
    await told.finish("of $q")
    await stage(told, "$b")
    await refuse(told)
    await stage(told, "$c")
    older = "UPDATE inbox SET settled_at = settled_at - 40 * 86400 RETURNING 1"
    await told.value(older)
    await told.store.transact(housekeeping.forget_old, 30.0)
    assert await told.value("SELECT group_concat(event_id) FROM attachments") == "$c"
