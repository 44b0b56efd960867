"""Whose run is cut off: also of one that has only just begun, before it is known whose it is."""

from __future__ import annotations

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RequestId, RoomId, UserId
from lambda_matrix.store.records import Request
from lambda_matrix.surface.runs.running import End, RunAtWork, Running, RunScope

ROOM = RoomId("!room")
MINE = Request(
    request_id=RequestId("mine"),
    question=EventId("$q"),
    room_id=ROOM,
    asker=UserId("@anna:example.org"),
    text="Hello?",
    agent=AgentId("main"),
    platform_chat_id=PlatformChatId(1),
    as_reply=False,
    attempts=1,
    runs=1,
    stopped=False,
    outcome=None,
)
OTHER = evolve(MINE, request_id=RequestId("other"))


def begun(running: Running, request: Request, *, early: bool) -> RunScope:
    """A run, of which it is known whose it is unless it is `early`."""
    scope = running.begin(ROOM)
    if not early:
        scope.take(request)
    return scope


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("request_id", [MINE.request_id, None])
async def test_a_run_is_cut_off(request_id: RequestId | None, *, early: bool) -> None:
    running = Running()
    scope = begun(running, MINE, early=early)
    running.stop(ROOM, request_id, End.WITHDRAWN)
    running.stop(ROOM, request_id)
    if early:
        assert not scope.scope.cancel_called
        scope.take(MINE)
    assert scope.scope.cancel_called
    assert scope.end is End.WITHDRAWN, "the first reason counts"


@pytest.mark.parametrize("early", [False, True])
async def test_another_ones_run_goes_on(*, early: bool) -> None:
    running = Running()
    scope = begun(running, MINE, early=early)
    running.stop(ROOM, OTHER.request_id)
    running.stop(RoomId("!elsewhere"))
    running.stop_outdated(evolve(OTHER, edited=1))
    scope.take(MINE)
    assert not scope.scope.cancel_called


@pytest.mark.parametrize("early", [False, True])
async def test_an_edit_cuts_off_the_older_text_alone(*, early: bool) -> None:
    running = Running()
    for edition, is_cut in ((0, True), (1, False)):
        request = evolve(MINE, edited=edition)
        scope = begun(running, request, early=early)
        running.stop_outdated(evolve(MINE, edited=1))
        scope.take(request)
        assert scope.scope.cancel_called is is_cut


async def test_who_is_at_work() -> None:
    running = Running()
    assert running.at_work(ROOM) is None
    scope = running.begin(ROOM)
    assert (running.at_work(ROOM), running.is_running(ROOM), running.count) == (None, True, 1)
    scope.take(MINE)
    assert running.at_work(ROOM) == MINE.request_id
    running.end(ROOM)
    assert (running.at_work(ROOM), running.count) == (None, 0)


async def test_what_is_at_work_is_what_has_its_turn(autojump_clock: MockClock) -> None:
    running = Running()
    first = begun(running, MINE, early=False)
    assert running.all_at_work() == (), "it stands in line"
    first.begin()
    await trio.sleep(3)
    elsewhere = running.begin(RoomId("!elsewhere"))
    elsewhere.begin()
    assert [run.seconds for run in running.all_at_work()] == [3], "nobody knows yet whose it is"
    elsewhere.take(OTHER)
    await trio.sleep(2)
    assert running.all_at_work() == (
        RunAtWork(ROOM, MINE.request_id, MINE.agent, MINE.asker, 5),
        RunAtWork(RoomId("!elsewhere"), OTHER.request_id, OTHER.agent, OTHER.asker, 2),
    )
    running.end(ROOM)
    assert [run.request_id for run in running.all_at_work()] == ["other"]


async def test_once_closed_what_has_not_begun_is_for_the_next_start() -> None:
    running = Running()
    at_work = running.begin(ROOM)
    at_work.take(MINE)
    at_work.begin()
    in_line = running.begin(RoomId("!second"))
    in_line.take(OTHER)
    early = running.begin(RoomId("!third"))
    running.close()
    assert running.is_closed
    early.take(OTHER)
    assert [scope.end for scope in (at_work, in_line, early)] == [None, End.PARKED, End.PARKED]
    assert [scope.scope.cancel_called for scope in (at_work, in_line, early)] == [False, True, True]
