"""What is counted while questions are answered (`lambda_matrix.metrics`)."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.metrics import Metrics
from tests.agent.servers import tcp_agent
from tests.lab.proxy import rate_limited
from tests.lab.small_homeserver import ANNA
from tests.surface.bridging import (
    SEND,
    Lab,
    Service,
    answer_at_once,
    in_steps,
    open_lab,
    say_nothing,
)
from tests.surface.runs.test_failures import nobody


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(f"lambda_matrix_{name}", labels) or 0


async def sent_all(service: Service) -> None:
    """Wait until nothing is owed any more: the answer's row is marked after its event is there."""
    while await service.rows(where="state = 'pending'"):  # noqa: ASYNC110 - no event tells of it
        await trio.sleep(0.1)


async def answered(lab: Lab, service: Service, outcome: str) -> None:
    """Have a question answered, with this outcome."""
    before = value(lab.metrics, "answers_total", outcome=outcome)
    await service.ask("Anybody?")
    await sent_all(service)
    assert value(lab.metrics, "answers_total", outcome=outcome) == before + 1


async def test_an_answer_that_is_there_at_once(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        metrics = lab.metrics
        await answered(lab, service, "answered")
        assert value(metrics, "questions_total") == 1
        assert value(metrics, "answer_first_text_seconds_count") == 1
        assert value(metrics, "answer_complete_seconds_count") == 1
        assert value(metrics, "events_sent_total", kind="final") == 1
        assert value(metrics, "events_sent_total", kind="first") == 0
        assert value(metrics, "agent_runs_total", agent="main", outcome="finished") == 1
        assert value(metrics, "agent_up", agent="main") == 1
        assert value(metrics, "rate_limit_wait_seconds_total", kind="final") == 0


async def test_an_answer_to_an_older_text_of_its_question_is_not_counted(
    clock: MockClock, tmp_path: Path
) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        lab.homeserver.say(service.room, ANNA, "Old")
        run = await lab.agent.run()
        # As an edit does that comes between the end of the run and T2.
        await service.store.transact(
            lambda db: db.execute("UPDATE requests SET text = 'New', edited = edited + 1")
        )
        lab.agent.behave = answer_at_once
        await run.text("Of the old")
        await run.finish()
        await lab.homeserver.wait(lambda: "Answer to New" in lab.homeserver.bodies(service.room))
        await sent_all(service)
        assert value(lab.metrics, "answers_total", outcome="answered") == 1


async def test_an_answer_that_grows(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = in_steps("One. ", "Two. ", "Three.")
        await answered(lab, service, "answered")
        metrics = lab.metrics
        assert value(metrics, "answer_first_text_seconds_count") == 1
        assert value(metrics, "answer_complete_seconds_count") == 1
        assert value(metrics, "events_sent_total", kind="first") == 1
        assert value(metrics, "events_sent_total", kind="preview") >= 1
        assert value(metrics, "events_sent_total", kind="final") == 1
        assert value(metrics, "agent_run_duration_seconds_sum", agent="main") >= 6


async def test_what_is_said_to_commands_is_no_answer(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        await service.ask("!help")
        await sent_all(service)
        assert value(lab.metrics, "events_sent_total", kind="final") == 1
        assert value(lab.metrics, "questions_total") == 0
        assert value(lab.metrics, "answer_complete_seconds_count") == 0


async def test_an_agent_that_is_not_there(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with tcp_agent(nobody) as gone:
            pass
        lab.with_agent(base_url=gone)
        async with lab.chat() as service:
            await answered(lab, service, "unreachable")
        metrics = lab.metrics
        assert value(metrics, "agent_runs_total", agent="main", outcome="unreachable") == 1
        assert metrics.registry.get_sample_value("lambda_matrix_agent_up", {"agent": "main"}) == 0


async def test_a_run_that_is_stopped(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.agent.behave = say_nothing
        question = lab.homeserver.say(service.room, ANNA, "Think")
        await lab.agent.run()
        lab.homeserver.say(service.room, ANNA, "!stop")
        await lab.homeserver.answer(service.room, question)
        metrics = lab.metrics
        assert value(metrics, "agent_runs_total", agent="main", outcome="stopped") == 1
        assert value(metrics, "answers_total", outcome="stopped") == 1
        assert metrics.heard("main") is None, "nobody knows"


async def test_a_run_that_the_end_of_the_service_cuts_off(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        lab.agent.behave = say_nothing
        async with lab.chat() as service:
            lab.homeserver.say(service.room, ANNA, "Think")
            await lab.agent.run()
        assert value(lab.metrics, "agent_runs_total", agent="main", outcome="parked") == 1


async def test_a_question_for_an_agent_that_is_gone(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab:
        async with lab.chat() as service:
            await service.change("UPDATE rooms SET agent = 'gone' WHERE room_id = ?", service.room)
            await answered(lab, service, RunFailure.NO_AGENT.value)
        assert value(lab.metrics, "agent_runs_total", agent="gone", outcome="no_agent") == 0


async def test_what_a_rate_limit_costs(clock: MockClock, tmp_path: Path) -> None:
    async with open_lab(clock, tmp_path) as lab, lab.chat() as service:
        lab.proxy.spoil(SEND, rate_limited(5000), times=1)
        await answered(lab, service, "answered")
        waited = value(lab.metrics, "rate_limit_wait_seconds_total", kind="final")
        assert waited == pytest.approx(5, abs=1)
