"""Whether the service manager is told that the service is alive: only while it is."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from lambda_matrix.pulse import Pulse
from lambda_matrix.service.watchdog import LOOK_INTERVAL, Watchdog

EXTENDED = "EXTEND_TIMEOUT_USEC=30000000"


@define
class Heard:
    """The service manager's end."""

    channel: socket.socket
    environ: dict[str, str]
    told: list[None] = field(factory=list)

    def lines(self) -> list[str]:
        """What came since this was last asked."""
        lines = []
        while True:
            try:
                lines.append(self.channel.recv(4096).decode())
            except BlockingIOError:
                return lines

    def watchdog(self, pulse: Pulse) -> Watchdog:
        return Watchdog(pulse, lambda: self.told.append(None), self.environ)


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(0)
        yield Heard(channel, {"NOTIFY_SOCKET": str(tmp_path / "notify")})


@pytest.fixture
def clock(autojump_clock: MockClock) -> MockClock:
    return autojump_clock


async def test_a_start_has_its_time_extended_while_it_goes_on(
    clock: MockClock, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    pulse = Pulse()
    pulse.lifecycle.step("reconciling", 25)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heard.watchdog(pulse).run)
        await trio.sleep(95)
        assert heard.lines() == [EXTENDED] * 3
        assert len(heard.told) == 10, "the line is told all the same"
        nursery.cancel_scope.cancel()
    (said,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert "stuck: the service itself (reconciling) for 30 s" in said.message


async def test_what_is_ready_is_fed_while_it_goes_on(
    clock: MockClock, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    heard.environ |= {"WATCHDOG_USEC": "15000000", "WATCHDOG_PID": str(os.getpid())}
    pulse = Pulse()
    watchdog = heard.watchdog(pulse)
    async with trio.open_nursery() as nursery:
        watchdog.ready()
        nursery.start_soon(watchdog.run)
        pulse.sync.step("waiting for news", 11)
        await trio.sleep(12)
        assert heard.lines() == ["READY=1", *["WATCHDOG=1"] * 3], "at a third of its time"
        await trio.sleep(10)
        assert heard.lines() == []
        pulse.sync.step("waiting for news", 1000)
        await trio.sleep(4)
        assert heard.lines() == ["WATCHDOG=1"]
        nursery.cancel_scope.cancel()
    assert [record.levelno for record in caplog.records] == [logging.ERROR, logging.WARNING]
    assert "the sync loop (waiting for news) for 15 s" in caplog.text


async def test_a_manager_that_did_not_hear_of_it_is_told_again(
    clock: MockClock, heard: Heard
) -> None:
    there = heard.environ["NOTIFY_SOCKET"]
    heard.environ["NOTIFY_SOCKET"] = f"{there}-not-yet"
    watchdog = heard.watchdog(Pulse())
    async with trio.open_nursery() as nursery:
        watchdog.ready()
        heard.environ["NOTIFY_SOCKET"] = there
        assert heard.lines() == []
        nursery.start_soon(watchdog.run)
        await trio.sleep(15)
        assert heard.lines() == ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]
        nursery.cancel_scope.cancel()


async def test_a_homeserver_or_a_disk_that_is_away_for_long_is_no_reason(
    clock: MockClock, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    pulse = Pulse()
    watchdog = heard.watchdog(pulse)
    watchdog.ready()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watchdog.run)
        pulse.lifecycle.step("waiting for the homeserver", 60)
        lines = []
        for _ in range(60):
            pulse.sync.wait("waiting for the homeserver", 30)
            await trio.sleep(30)
            pulse.disk.wait("waiting for the disk", 30)
            await trio.sleep(30)
            pulse.disk.over()
            lines += heard.lines()
        nursery.cancel_scope.cancel()
    assert set(lines) == {"READY=1", "WATCHDOG=1"}
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, LOOK_INTERVAL),
        ({"WATCHDOG_USEC": "60000000"}, LOOK_INTERVAL),
        ({"WATCHDOG_USEC": "3000000"}, 1.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, LOOK_INTERVAL),
        ({"WATCHDOG_USEC": "0"}, LOOK_INTERVAL),
        ({"WATCHDOG_USEC": "a minute"}, LOOK_INTERVAL),
    ],
)
async def test_it_looks_as_often_as_the_manager_wants(
    clock: MockClock, heard: Heard, environ: dict[str, str], interval: float
) -> None:
    heard.environ |= environ
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heard.watchdog(Pulse()).run)
        await trio.sleep(10 * interval - 0.1)
        assert len(heard.lines()) == 10
        nursery.cancel_scope.cancel()
