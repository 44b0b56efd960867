"""What is counted, by its names and labels."""

from __future__ import annotations

import time

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from lambda_matrix.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"lambda_matrix_{name}", labels)


def test_each_has_a_registry_of_its_own(metrics: Metrics) -> None:
    metrics.question_taken()
    assert value(metrics, "questions_total") == 1
    assert value(Metrics(), "questions_total") == 0
    assert b"lambda_matrix" not in generate_latest(CollectorRegistry())


def test_what_may_happen_is_there_before_it_does(metrics: Metrics) -> None:
    assert value(metrics, "answers_total", outcome="answered") is None
    metrics.expect(outcomes=["answered", "stopped"], kinds=["final"])
    assert value(metrics, "answers_total", outcome="answered") == 0
    assert value(metrics, "answers_total", outcome="stopped") == 0
    assert value(metrics, "events_sent_total", kind="final") == 0
    assert value(metrics, "rate_limit_wait_seconds_total", kind="final") == 0
    assert value(metrics, "files_total", direction="to_agent", outcome="refused") == 0
    assert value(metrics, "config_reloads_total", outcome="failure") == 0
    assert value(metrics, "log_records_total", level="error") == 0


def test_questions_and_their_answers(metrics: Metrics) -> None:
    metrics.question_answered("answered")
    metrics.first_text_shown(0.2)
    metrics.answer_completed(12)
    assert value(metrics, "answers_total", outcome="answered") == 1
    assert value(metrics, "answer_first_text_seconds_bucket", le="0.25") == 1
    assert value(metrics, "answer_first_text_seconds_bucket", le="0.1") == 0
    assert value(metrics, "answer_complete_seconds_sum") == 12


def test_runs_and_whether_their_agents_are_there(metrics: Metrics) -> None:
    assert metrics.heard("main") is None
    metrics.run_ended("main", "unreachable", 3.5, is_up=False)
    assert value(metrics, "agent_runs_total", agent="main", outcome="unreachable") == 1
    assert value(metrics, "agent_run_duration_seconds_sum", agent="main") == 3.5
    assert value(metrics, "agent_up", agent="main") == 0
    assert value(metrics, "agent_last_run_timestamp_seconds", agent="main") == pytest.approx(
        time.time(), abs=5
    )
    metrics.run_ended("main", "stopped", 1, is_up=None)
    assert value(metrics, "agent_up", agent="main") == 0, "nobody knows better"
    metrics.run_ended("main", "finished", 1, is_up=True)
    assert value(metrics, "agent_up", agent="main") == 1
    heard = metrics.heard("main")
    assert heard is not None
    assert heard.is_up
    assert heard.at == pytest.approx(time.time(), abs=5)


def test_an_agent_that_is_gone_is_not_shown_any_more(metrics: Metrics) -> None:
    for agent in ("main", "other"):
        metrics.run_ended(agent, "finished", 1, is_up=True)
    metrics.agents_in_force(["other", "new"])
    assert value(metrics, "agent_up", agent="main") is None
    assert value(metrics, "agent_last_run_timestamp_seconds", agent="main") is None
    assert metrics.heard("main") is None
    assert value(metrics, "agent_up", agent="other") == 1
    assert value(metrics, "agent_runs_total", agent="main", outcome="finished") == 1


def test_messages(metrics: Metrics) -> None:
    metrics.event_sent("final")
    metrics.event_refused()
    metrics.waited_for_turn("final", 2.5)
    assert value(metrics, "events_sent_total", kind="final") == 1
    assert value(metrics, "events_refused_total") == 1
    assert value(metrics, "rate_limit_wait_seconds_total", kind="final") == 2.5


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, "2xx"), (302, "3xx"), (404, "4xx"), (429, "429"), (502, "5xx"), (None, "none")],
)
def test_requests_by_what_came_of_them(metrics: Metrics, status: int | None, said: str) -> None:
    metrics.homeserver_asked("send", status, 0.02)
    assert value(metrics, "homeserver_requests_total", endpoint="send", status=said) == 1
    assert value(metrics, "homeserver_request_duration_seconds_count", endpoint="send") == 1


@pytest.mark.parametrize("to_agent", [True, False])
@pytest.mark.parametrize("worked", [True, False])
def test_files(metrics: Metrics, *, to_agent: bool, worked: bool) -> None:
    metrics.file_passed_on(to_agent=to_agent, worked=worked)
    direction = "to_agent" if to_agent else "to_room"
    outcome = "passed_on" if worked else "refused"
    assert value(metrics, "files_total", direction=direction, outcome=outcome) == 1


def test_reloads(metrics: Metrics) -> None:
    begun = metrics.last_reload
    assert begun.refused is None, "the start is one"
    assert value(metrics, "config_last_reload_successful") == 1
    metrics.reload_begun()
    assert metrics.reloads_begun > metrics.last_reload.number
    metrics.reloaded(refused="no TOML")
    assert metrics.reloads_begun == metrics.last_reload.number
    assert value(metrics, "config_last_reload_successful") == 0
    assert value(metrics, "config_last_reload_success_timestamp_seconds") == begun.at
    assert value(metrics, "config_reloads_total", outcome="failure") == 1
    metrics.reloaded()
    assert value(metrics, "config_last_reload_successful") == 1
    assert value(metrics, "config_last_reload_success_timestamp_seconds") == metrics.last_reload.at
    assert value(metrics, "config_reloads_total", outcome="success") == 1


def test_records(metrics: Metrics) -> None:
    metrics.logged("warning")
    assert value(metrics, "log_records_total", level="warning") == 1
