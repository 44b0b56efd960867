from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from attrs import evolve

from lambda_matrix.client_server_api.backoff import HomeserverAway, HomeserverBack
from lambda_matrix.disk import DiskObeys, DiskRefuses
from lambda_matrix.ids import AgentId, RequestId, RoomId, UserId
from lambda_matrix.pulse import Pulse
from lambda_matrix.service.status_line import LONGEST_PHASE, StatusLine
from lambda_matrix.surface.overview import Overview
from lambda_matrix.surface.runs.running import RunAtWork
from tests.store.counting import NOTHING

RUN = RunAtWork(RoomId("!r"), RequestId("q"), AgentId("main"), UserId("@anna:example.org"), 1.0)
FIGURES = evolve(NOTHING, rooms=61, people=12, chats=37)
IDLE = Overview(FIGURES, ())
BUSY = Overview(evolve(FIGURES, rooms=1, waiting=1), (RUN, RUN))


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str | None]]:
    """What the service manager hears: the next line, or None if there is none."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(0)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))

        def heard() -> str | None:
            try:
                return manager.recv(4096).decode().removeprefix("STATUS=")
            except BlockingIOError:
                return None

        yield heard


def test_what_is_waited_for_comes_first(said: Callable[[], str | None]) -> None:
    line = StatusLine(Pulse(float))
    line.enter("catching up")
    assert said() == "catching up"
    line.homeserver(HomeserverAway("refused"))
    assert said() == "waiting for the homeserver: refused"
    line.disk(DiskRefuses("full"))
    assert said() == "waiting for the disk: full"
    line.homeserver(HomeserverBack(3))
    assert said() is None, "it is the same line"
    line.remark("damage", "a damaged database was set aside")
    assert said() == "waiting for the disk: full; a damaged database was set aside"
    line.disk(DiskObeys(3))
    assert said() == "catching up; a damaged database was set aside"
    line.remark("damage", None)
    assert said() == "catching up"


def test_what_was_waited_for_ends_with_whoever_waited(said: Callable[[], str | None]) -> None:
    pulse = Pulse(float)
    line = StatusLine(pulse)
    line.ready(IDLE)
    line.homeserver(HomeserverAway("refused"))
    line.disk(DiskRefuses("full"))
    pulse.disk.wait("waiting for the disk", 10)
    line.remark("reload", "not reloaded: it is wrong")
    line.begin_anew()
    line.enter("stopping")
    heard = [said() for _ in range(6)]
    assert heard[-2:] == ["stopping; not reloaded: it is wrong", None]
    assert pulse.disk.at is None


def test_what_is_at_work_is_counted(said: Callable[[], str | None]) -> None:
    clock = [0.0]
    pulse = Pulse(lambda: clock[0])
    line = StatusLine(pulse)
    line.ready(IDLE)
    assert said() == "ready: 61 rooms, 0 requests running"
    pulse.answered()
    clock[0] += 3
    line.ready(BUSY)
    assert said() == "ready: 1 room, 2 requests running, 1 waiting, synced 3 s ago"
    line.homeserver(HomeserverAway("refused"))
    assert said() == "waiting for the homeserver: refused, synced 3 s ago"
    for seconds, told in ((600, "10 min"), (7200, "2 h")):
        clock[0] = seconds
        line.tell()
        assert said() == f"waiting for the homeserver: refused, synced {told} ago"
    line.homeserver(HomeserverBack(3))
    assert said() == "ready: 1 room, 2 requests running, 1 waiting, synced 2 h ago"
    line.enter("stopping")
    assert said() == "stopping"


def test_a_phase_is_a_step_that_may_be_stuck(said: Callable[[], str | None]) -> None:
    clock = [0.0]
    pulse = Pulse(lambda: clock[0])
    line = StatusLine(pulse)
    line.enter("reconciling")
    assert said() == "reconciling"
    clock[0] += LONGEST_PHASE
    line.proceed("reconciling: 1 of 2")
    assert said() is None, "it may come often"
    line.tell()
    assert said() == "reconciling: 1 of 2"
    clock[0] += LONGEST_PHASE + 1
    line.tell()
    assert said() == "stuck: the service itself (reconciling: 1 of 2) for 601 s"
    line.ready(IDLE)
    assert said() == "ready: 61 rooms, 0 requests running"
    clock[0] += 1e6
    line.tell()
    assert said() is None
