"""What Prometheus itself says: its tools of what it would read, and a server that reads it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from attrs import frozen

from lambda_matrix.demo.homeserver import free_port
from lambda_matrix.demo.processes import Program, running
from lambda_matrix.metrics import Metrics
from lambda_matrix.service.monitoring.hosts import hosts_of
from lambda_matrix.service.monitoring.listening import listen_on_port
from lambda_matrix.service.monitoring.pages import Pages
from lambda_matrix.service.monitoring.serving import Asked, Server
from tests.lab.lacking import lacking
from tests.service.monitoring.seen import Service
from tests.service.monitoring.test_documented import DASHBOARD, DOCS, expressions

ALERTS = DOCS / "grafana/alerts.yml"
UNPACKED = DOCS.parent / "build/prometheus/usr/bin"
"""Where .ci/run puts it."""
WITHIN = 60.0
"""Seconds of real time."""
POLL = 0.2


def tool(name: str) -> str:
    """Return the path of one of Prometheus' programs."""
    found = shutil.which(name, path=f"{UNPACKED}:{os.environ['PATH']}")
    if found is None:
        lacking(f"no {name} on this machine (Debian: apt install prometheus)")
    return found


def promtool(*arguments: str, stdin: str = "") -> None:
    """Run promtool, which must find nothing amiss."""
    done = subprocess.run(
        [tool("promtool"), *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_rules() -> None:
    promtool("check", "rules", "--lint-fatal", str(ALERTS))


# Of each alert: series that are well for minutes 0 to 5 and then are not, and the first minute in
# which it fires. Values as promtool writes them: "1x5" is 1 and five times more, "0+6x60" grows.
FIRES = [
    ("LambdaMatrixDown", {"up": "1x5 0x60"}, 8),
    ("LambdaMatrixStuck", {"lambda_matrix_healthy": "1x5 0x60"}, 8),
    ("LambdaMatrixHomeserverAway", {"lambda_matrix_homeserver_up": "1x5 0x60"}, 11),
    ("LambdaMatrixHomeserverAway", {"lambda_matrix_sync_age_seconds": "30x5 200x60"}, 11),
    ("LambdaMatrixDiskRefuses", {"lambda_matrix_disk_up": "1x5 0x60"}, 7),
    ("LambdaMatrixNotReady", {"lambda_matrix_ready": "1x5 0x60"}, 21),
    (
        "LambdaMatrixQuestionsWait",
        {"lambda_matrix_questions_oldest_wait_seconds": "30x5 700x60"},
        11,
    ),
    ("LambdaMatrixMessagesWait", {"lambda_matrix_outbox_oldest_age_seconds": "1x5 400x60"}, 11),
    (
        "LambdaMatrixRateLimited",
        {'lambda_matrix_rate_limit_wait_seconds_total{kind="final"}': "0x5 60+60x60"},
        26,
    ),
    ("LambdaMatrixAgentAway", {'lambda_matrix_agent_up{agent="main"}': "1x5 0x60"}, 11),
    (
        "LambdaMatrixAnswersFail",
        {
            'lambda_matrix_answers_total{outcome="answered"}': "0+6x65",
            'lambda_matrix_answers_total{outcome="timed_out"}': "0x5 6+6x60",
        },
        22,
    ),
    ("LambdaMatrixMessagesRefused", {"lambda_matrix_events_refused_total": "0x5 1x60"}, 6),
    ("LambdaMatrixReloadRefused", {"lambda_matrix_config_last_reload_successful": "1x5 0x60"}, 7),
    (
        "LambdaMatrixDescriptors",
        {"process_open_fds": "100x5 900x60", "process_max_fds": "1000x65"},
        16,
    ),
]
STAYS_QUIET = [
    {"up": "1x5 0 1x60"},  # a restart between two scrapes
    {"lambda_matrix_homeserver_up": "1x5 0x3 1x60", "lambda_matrix_ready": "1x5 0x3 1x60"},
    {"lambda_matrix_sync_age_seconds": "35x65"},
    {'lambda_matrix_answers_total{outcome="stopped"}': "0+6x65"},  # people do that
    {'lambda_matrix_rate_limit_wait_seconds_total{kind="preview"}': "0+60x65"},
]
LABELS = {"job": "lambda-matrix", "instance": "one"}


def tried(series: Mapping[str, str], firing: Mapping[int, str | None]) -> dict[str, object]:
    """Return a test of promtool's: which alert fires in which minutes; None is none."""
    return {
        "interval": "1m",
        "input_series": [
            {"series": _labelled(name), "values": values} for name, values in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"})',
                "eval_time": f"{minute}m",
                "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}]
                if alert
                else [],
            }
            for minute, alert in firing.items()
        ],
    }


def _labelled(series: str) -> str:
    name, _, more = series.removesuffix("}").partition("{")
    labels = [f'{label}="{value}"' for label, value in LABELS.items()]
    return f"{name}{{{','.join([*labels, *([more] if more else [])])}}}"


def promtool_tests(folder: Path, *tests: Mapping[str, object]) -> None:
    """Let promtool perform these tests of the rules."""
    file = folder / "alerts_test.yml"
    content = {"rule_files": [str(ALERTS)], "evaluation_interval": "1m", "tests": tests}
    file.write_text(json.dumps(content))  # which is YAML
    promtool("test", "rules", str(file))


@pytest.mark.parametrize(("alert", "series", "minute"), FIRES)
def test_an_alert_fires_when_it_should_and_not_before(
    alert: str, series: Mapping[str, str], minute: int, tmp_path: Path
) -> None:
    promtool_tests(tmp_path, tried(series, {5: None, minute - 1: None, minute: alert, 60: alert}))


def test_each_alert_is_tried() -> None:
    assert re.findall(r"- alert: (\w+)", ALERTS.read_text(encoding="utf-8")) == list(
        dict.fromkeys(alert for alert, _, _ in FIRES)
    )


@pytest.mark.parametrize("series", STAYS_QUIET)
def test_what_is_usual_fires_nothing(series: Mapping[str, str], tmp_path: Path) -> None:
    promtool_tests(tmp_path, tried(series, dict.fromkeys(range(0, 66, 5))))


async def test_the_metrics_follow_the_conventions(service: Service) -> None:
    service.be_ready()
    count_everything(service.watched.metrics)
    asked = Asked(method="GET", path="/metrics", host="localhost", accept="")
    answer = await Pages(service.watched, hosts_of("127.0.0.1")).answer(asked)
    promtool("check", "metrics", stdin=answer.body.decode())


# -- a server --


@frozen
class Prometheus:
    """A server that reads the metrics of one service."""

    client: httpx.AsyncClient

    async def query(self, query: str) -> list[Any]:
        """Return what a query gives now."""
        answer = await self.client.get("/api/v1/query", params={"query": query})
        told = answer.json()
        assert told["status"] == "success", (query, told)
        assert not told.get("warnings"), (query, told)
        found: list[Any] = told["data"]["result"]
        return found

    async def rules(self) -> list[Any]:
        """Return the alerts as they are now."""
        told = (await self.client.get("/api/v1/rules")).json()
        (group,) = told["data"]["groups"]
        rules: list[Any] = group["rules"]
        return rules

    async def until(self, query: str) -> None:
        """Wait until a query gives something."""
        with trio.fail_after(WITHIN):
            while True:
                try:
                    if await self.query(query):
                        return
                except (httpx.TransportError, json.JSONDecodeError):
                    pass  # it starts
                await trio.sleep(POLL)


@pytest.fixture
async def prometheus(service: Service, tmp_path: Path) -> AsyncIterator[Prometheus]:
    """A Prometheus that reads of a service at work, twice a second, as docs/metrics.md says."""
    program = tool("prometheus")
    service.be_ready()
    async with trio.open_nursery() as nursery:
        pages = Pages(service.watched, hosts_of("127.0.0.1"))
        listeners = await listen_on_port("127.0.0.1", 0)
        await nursery.start(Server(pages.answer).run, listeners)
        nursery.start_soon(_be_at_work, service.watched.metrics)
        own_port, port = free_port(), listeners[0].socket.getsockname()[1]
        config = tmp_path / "prometheus.yml"
        config.write_text(
            json.dumps(  # which is YAML
                {
                    "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
                    "rule_files": [str(ALERTS)],
                    "scrape_configs": [
                        {
                            "job_name": "lambda-matrix",
                            "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
                        }
                    ],
                }
            )
        )
        command = [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{own_port}",
        ]
        url = f"http://127.0.0.1:{own_port}"
        async with (
            running(Program("Prometheus", command, tmp_path / "prometheus.log", {}, tmp_path)),
            httpx.AsyncClient(base_url=url, trust_env=False) as client,
        ):
            yield Prometheus(client)
        nursery.cancel_scope.cancel()


async def _be_at_work(metrics: Metrics) -> None:
    while True:
        count_everything(metrics)
        await trio.sleep(POLL)


def count_everything(metrics: Metrics) -> None:
    """Let everything happen that is counted."""
    for happens in (
        metrics.question_taken,
        partial(metrics.question_answered, "answered"),
        partial(metrics.first_text_shown, 0.7),
        partial(metrics.answer_completed, 3.0),
        partial(metrics.run_ended, "main", "success", 2.0, is_up=True),
        partial(metrics.event_sent, "final"),
        metrics.event_refused,
        partial(metrics.waited_for_turn, "final", 0.1),
        partial(metrics.homeserver_asked, "send", 200, 0.02),
        partial(metrics.homeserver_asked, "send", 429, 0.02),
        partial(metrics.file_passed_on, to_agent=True, worked=True),
        metrics.reloaded,
        partial(metrics.logged, "warning"),
    ):
        happens()


async def test_it_answers_each_query_of_the_dashboard(prometheus: Prometheus) -> None:
    await prometheus.until('count_over_time(up{job="lambda-matrix"}[1m]) >= 4')
    assert await prometheus.query('up{job="lambda-matrix"} == 1')
    queries = [query for panel in DASHBOARD["panels"] for query in expressions(panel)]
    assert queries
    empty = [query for query in queries if not await prometheus.query(_filled_in(query))]
    assert not empty


def _filled_in(query: str) -> str:
    """The query as Grafana asks it with all of its variables chosen."""
    return (
        query.replace("$job", "lambda-matrix")
        .replace("$instance", ".*")
        .replace("$__rate_interval", "1m")
        .replace("$__range", "1m")
    )


async def test_it_evaluates_each_alert_and_fires_none_of_a_service_that_is_well(
    prometheus: Prometheus,
) -> None:
    await prometheus.until('count_over_time(up{job="lambda-matrix"}[1m]) >= 4')
    await prometheus.until("count_over_time(ALERTS[1m]) >= 2")
    rules = await prometheus.rules()
    assert {rule["health"] for rule in rules} == {"ok"}
    assert [rule["name"] for rule in rules if rule["state"] == "firing"] == [
        "LambdaMatrixMessagesRefused"  # one is counted as refused again and again
    ]
