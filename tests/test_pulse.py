"""Who is stuck, and who rightly waits."""

from __future__ import annotations

import pytest
from attrs import define

from lambda_matrix.pulse import LONGEST_STORING, Pulse, Stuck


@define
class Clock:
    """A clock that the test sets."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pulse(clock: Clock) -> Pulse:
    return Pulse(clock)


def test_nobody_is_stuck_who_has_not_begun(pulse: Pulse, clock: Clock) -> None:
    clock.now += 1e6
    assert pulse.stuck() is None
    assert pulse.sync.age is None
    assert pulse.sync_age is None


def test_a_part_is_stuck_once_its_step_is_over_its_time(pulse: Pulse, clock: Clock) -> None:
    pulse.sync.step("waiting for news", 110)
    clock.now += 110
    assert pulse.stuck() is None
    assert pulse.sync.age == 110
    clock.now += 1
    stuck = pulse.stuck()
    assert stuck == Stuck("the sync loop", "waiting for news", 111)
    assert str(stuck) == "the sync loop (waiting for news) for 111 s"
    pulse.sync.step("taking in an answer", 60)
    assert pulse.stuck() is None


def test_a_part_that_is_over_is_not_judged(pulse: Pulse, clock: Clock) -> None:
    pulse.lifecycle.step("starting", 10)
    pulse.lifecycle.over()
    clock.now += 11
    assert pulse.stuck() is None


def test_an_answer_has_an_age(pulse: Pulse, clock: Clock) -> None:
    pulse.answered()
    clock.now += 3
    assert pulse.sync_age == 3


def test_a_disk_that_refuses_again_and_again_excuses_everybody(pulse: Pulse, clock: Clock) -> None:
    pulse.sync.step("taking in an answer", 60)
    pulse.store.step("a transaction", 60)
    for _ in range(100):
        pulse.disk.wait("waiting for the disk", 10)
        clock.now += 10
        assert pulse.stuck() is None
    pulse.disk.over()
    clock.now += 60
    assert pulse.stuck() is None, "its time begins anew"
    clock.now += 1
    assert pulse.stuck() == Stuck("the sync loop", "taking in an answer", 1061)


def test_a_disk_that_does_not_even_refuse_excuses_nobody(pulse: Pulse, clock: Clock) -> None:
    pulse.disk.wait("waiting for the disk", 10)
    clock.now += 10 + LONGEST_STORING + 1
    assert pulse.stuck() == Stuck("the disk", "waiting for the disk", 11 + LONGEST_STORING)


def test_a_homeserver_that_is_away_excuses_the_start_alone(pulse: Pulse, clock: Clock) -> None:
    pulse.lifecycle.step("reconciling", 600)
    for _ in range(100):
        pulse.sync.wait("waiting for the homeserver", 60)
        clock.now += 60
        assert pulse.stuck() is None
    pulse.store.step("a transaction", 60)
    pulse.sync.wait("waiting for the homeserver", 61)
    clock.now += 61
    assert pulse.stuck() == Stuck("the database", "a transaction", 61)
    pulse.store.over()
    pulse.sync.step("waiting for news", 1e6)
    clock.now += 601
    assert pulse.stuck() == Stuck("the service itself", "reconciling", 6662)
