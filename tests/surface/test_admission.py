"""Limits on what one person asks."""

from __future__ import annotations

from pathlib import Path

from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.conversation.limits import Limits, Take, TooFast
from lambda_matrix.ids import EventId, RoomId, UserId
from lambda_matrix.matrix_events import TimelineFact
from lambda_matrix.surface.admission import Admission
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import POLICY, TEXTS, open_lab, say_nothing

NOW = 2_000_000_000
"""Seconds: before any clock of today, so that it counts as it is."""


def message(seconds: float, sender: UserId = ANNA) -> TimelineFact:
    ts = round((NOW - 1_000_000_000 + seconds) * 1000)
    return TimelineFact(
        room_id=RoomId("!r"), event_id=EventId("$e"), sender=sender, origin_server_ts=ts
    )


def admission(burst: int = 2) -> Admission:
    return Admission(evolve(POLICY, limits=Limits(burst=burst, interval=30)))


def test_who_asks_too_much_at_once_waits() -> None:
    limited = admission()
    verdicts = [limited.admit(message(0), 0) for _ in range(3)]
    assert [type(verdict) for verdict in verdicts] == [Take, Take, TooFast]
    assert isinstance(limited.admit(message(0, UserId("@boris:example.org")), 0), Take)
    assert isinstance(limited.admit(message(31), 0), Take)


def test_what_was_asked_over_hours_is_not_held_against_anybody() -> None:
    limited = admission()
    assert all(isinstance(limited.admit(message(60 * n), 0), Take) for n in range(20))


def test_who_has_been_silent_is_forgotten() -> None:
    limited = admission()
    limited.admit(message(0), 0)
    for number in range(10_001):
        limited.admit(message(100, UserId(f"@u{number}:example.org")), 0)
    assert ANNA not in limited._buckets


async def test_each_limit_has_its_sentence(clock: MockClock, tmp_path: Path) -> None:
    policy = evolve(POLICY, limits=Limits(burst=3, interval=60, waiting=1))
    async with open_lab(clock, tmp_path) as lab, lab.chat(policy=policy) as service:
        lab.agent.behave = say_nothing
        lab.homeserver.say(service.room, ANNA, "One")
        await lab.agent.run()
        lab.homeserver.say(service.room, ANNA, "Two")
        third = lab.homeserver.say(service.room, ANNA, "Three")
        assert await lab.homeserver.answer(service.room, third) == TEXTS.questions.queue_full(1)
        (refusal,) = lab.homeserver.finals(service.room, third)
        assert refusal["m.relates_to"] == {"m.in_reply_to": {"event_id": third}}
        await service.ask("!stop all")
        lab.homeserver.say(service.room, ANNA, "Four")
        await lab.agent.run(2)
        refused = await service.ask("Five")
        assert refused.startswith(TEXTS.questions.too_fast(50)[:10])
