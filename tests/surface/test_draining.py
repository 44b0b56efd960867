"""What is at work when the service is stopped ends first, and nothing else begins."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from attrs import evolve
from trio.testing import MockClock

from lambda_matrix.conversation.limits import Limits
from lambda_matrix.ids import EventId
from lambda_matrix.pulse import Pulse
from lambda_matrix.service.status_line import StatusLine
from lambda_matrix.service.stopping import finish
from tests.lab.proxy import bad_gateway, rate_limited
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import (
    POLICY,
    SEND,
    AgentRun,
    Lab,
    Service,
    answer_at_once,
    in_steps,
    open_lab,
    say_nothing,
)
from tests.surface.runs.test_answering import attempts

AT_ONCE = 0.2
"""Seconds in which nothing is waited for."""


async def drained(service: Service, within: float = 60) -> float:
    """Drain; return the seconds that it took, or `within` if that was not enough."""
    began = trio.current_time()
    with trio.move_on_after(within):
        await service.bridge.draining.run()
    return trio.current_time() - began


@asynccontextmanager
async def asked(
    lab: Lab, behave: Callable[[AgentRun], Awaitable[None]]
) -> AsyncIterator[tuple[Service, EventId]]:
    """A service whose agent is at Anna's question: it, and the question."""
    lab.agent.behave = behave
    async with lab.chat() as service:
        question = lab.homeserver.say(service.room, ANNA, "Count")
        await lab.agent.run()
        yield service, question


async def test_nothing_at_work_is_not_waited_for(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        assert await service.ask("Hello?") == "Answer to Hello?"
        await trio.sleep(5)
        assert await drained(service) < AT_ONCE


async def test_an_answer_is_finished_and_sent(clock: MockClock, tmp_path: Path) -> None:
    async with (
        open_lab(clock, tmp_path) as lab,
        asked(lab, in_steps("One ", "two ", "three")) as (service, question),
    ):
        assert service.bridge.draining.left == 1
        assert 3 < await drained(service) < 7
        assert service.bridge.draining.left == 0
        (final,) = lab.homeserver.finals(service.room, question)
        assert final["body"] == "One two three"


async def test_what_waits_behind_it_is_left_to_the_next_start(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with asked(lab, in_steps("One ", "two")) as (service, _):
            room = service.room
            behind = lab.homeserver.say(service.room, ANNA, "And then?")
            await service.caught_up()
            await trio.sleep(1)
            await drained(service)
            late = lab.homeserver.say(service.room, ANNA, "Anybody?")
            await service.caught_up()
            await trio.sleep(5)
            assert lab.agent.questions == ["Count"]
            assert await attempts(service) == [(1, "answered"), (0, None), (0, None)]
        lab.agent.behave = answer_at_once
        async with lab.service():
            assert await lab.homeserver.answer(room, behind) == "Answer to And then?"
            assert await lab.homeserver.answer(room, late) == "Answer to Anybody?"


async def test_who_stands_in_line_for_a_run_is_left_to_the_next_start(
    clock: MockClock, tmp_path: Path
) -> None:
    one_at_a_time = evolve(POLICY, limits=Limits(burst=1000, waiting=1000, runs=1))
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = in_steps("One ", "two")
        async with lab.service(policy=one_at_a_time) as service:
            rooms = [await service.new_chat() for _ in range(2)]
            for number, room in enumerate(rooms):
                lab.homeserver.say(room, ANNA, f"Q{number}")
                await service.caught_up()
            await lab.agent.run()
            await drained(service)
            assert lab.agent.questions == ["Q0"]
            assert await attempts(service) == [(1, "answered"), (0, None)]


async def test_a_run_that_takes_too_long_is_left_as_it_is(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with asked(lab, say_nothing) as (service, question):
            room = service.room
            assert await drained(service, within=10) == pytest.approx(10, abs=AT_ONCE)
        async with lab.service() as service:
            run = await lab.agent.run(2)
            assert await attempts(service) == [(1, None)], "the first was given back"
            await run.text("At last")
            await run.finish()
            assert await lab.homeserver.answer(room, question) == "At last"


async def test_the_time_for_a_stop_is_kept_and_told(
    clock: MockClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with open_lab(clock, tmp_path) as lab, asked(lab, say_nothing) as (service, _):
        began = trio.current_time()
        await finish(service.bridge.draining, StatusLine(Pulse()), 10)
        assert trio.current_time() - began == pytest.approx(10, abs=AT_ONCE)
    assert "answers that are not finished, left to the next start: 1" in caplog.text


async def test_a_run_that_fails_meanwhile_is_left_to_the_next_start(
    clock: MockClock, tmp_path: Path
) -> None:
    async def go_away(run: AgentRun) -> None:
        await run.start()
        await trio.sleep(2)
        await run.socket.aclose()

    async with open_lab(clock, tmp_path) as lab:
        async with asked(lab, go_away) as (service, question):
            room = service.room
            assert await drained(service) < 10
            assert not lab.homeserver.finals(room, question)
            assert await attempts(service) == [(0, None)]
        lab.agent.behave = answer_at_once
        async with lab.service():
            assert await lab.homeserver.answer(room, question) == "Answer to Count"


async def test_an_answer_that_is_just_being_committed_is_waited_for(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, asked(lab, say_nothing) as (service, question):
        run = await lab.agent.run()
        held = trio.Event()

        async def hold_the_store() -> None:
            async with service.store._turn:
                held.set()
                await trio.sleep(2)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold_the_store)
            await held.wait()
            await run.text("Done")
            await run.finish()
            await trio.sleep(1)
            assert service.bridge.draining.left == 0
            await drained(service)
        assert [final["body"] for final in lab.homeserver.finals(service.room, question)] == [
            "Done"
        ]


async def test_a_rate_limit_is_waited_for(clock: MockClock, tmp_path: Path) -> None:
    async with (
        open_lab(clock, tmp_path) as lab,
        asked(lab, in_steps("One", pause=0.1)) as (service, question),
    ):
        lab.proxy.spoil(SEND, rate_limited(3000), times=1)
        assert await drained(service) > 3
        assert len(lab.homeserver.finals(service.room, question)) == 1


async def test_a_homeserver_that_fails_is_not_waited_for(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with asked(lab, in_steps("One", pause=0.1)) as (service, question):
            room = service.room
            rule = lab.proxy.spoil(SEND, bad_gateway())
            assert await drained(service) < 5
            assert await attempts(service) == [(1, "answered")]
            assert await drained(service) < AT_ONCE, "nor later"
        lab.proxy.mend(rule)
        async with lab.service():
            assert await lab.homeserver.answer(room, question) == "One"
            assert len(lab.homeserver.finals(room, question)) == 1


async def test_a_whole_answer_is_committed_though_the_end_comes_first(
    clock: MockClock, tmp_path: Path
) -> None:
    """The stop hits T2 while another transaction has its turn: the agent is not asked again."""
    async with open_lab(clock, tmp_path) as lab, trio.open_nursery() as others:
        async with asked(lab, say_nothing) as (service, question):
            room = service.room
            run = await lab.agent.run()
            held = trio.Event()

            async def hold_the_store() -> None:
                async with service.store._turn:  # no other way to stand in a commit
                    held.set()
                    await trio.sleep(2)

            others.start_soon(hold_the_store)
            await held.wait()
            await run.text("Done")
            await run.finish()
            await trio.sleep(1)
        async with lab.service() as service:
            assert await lab.homeserver.answer(room, question) == "Done"
            assert await attempts(service) == [(1, "answered")]
    assert len(lab.agent.runs) == 1
