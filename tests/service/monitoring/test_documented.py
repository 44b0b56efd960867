"""What is exposed, documented, drawn and alerted on is the same."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.service.monitoring.exposition import Exposed
from lambda_matrix.service.monitoring.report import look
from lambda_matrix.surface.runs.outcomes import ANSWERS
from lambda_matrix.surface.runs.running import End
from tests.service.monitoring.seen import Service

DOCS = Path(__file__).parents[3] / "docs"
METRICS = (DOCS / "metrics.md").read_text(encoding="utf-8")
DASHBOARD: dict[str, Any] = json.loads((DOCS / "grafana/lambda-matrix.json").read_text("utf-8"))
ALERTS = (DOCS / "grafana/alerts.yml").read_text(encoding="utf-8")
NAME = re.compile(r"\b(?:lambda_matrix|process)_[a-z_]+\b")
SUFFIXES = {"counter": "_total", "info": "_info"}


async def exposed(service: Service) -> dict[str, str]:
    """Return all metrics there may be by their names in queries, with their types."""
    service.be_ready()
    metrics = service.watched.metrics
    found = Exposed(metrics.registry, await look(service.watched)).collect()
    return {
        metric.name + SUFFIXES.get(metric.type, ""): metric.type.replace("info", "gauge")
        for metric in found
    }


def expressions(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel.get("targets", ())]


def used(text: str) -> set[str]:
    """Return the metrics that a query names."""
    return {name.removesuffix("_bucket") for name in NAME.findall(text)}


async def test_each_metric_is_documented_and_nothing_else(service: Service) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \| .+ \|$", METRICS, re.MULTILINE)
    assert dict(rows) == await exposed(service)


async def test_the_dashboard_shows_each_metric(service: Service) -> None:
    shown = {name for panel in DASHBOARD["panels"] for name in used(" ".join(expressions(panel)))}
    assert shown == set(await exposed(service))


async def test_alerts_ask_for_metrics_that_there_are(service: Service) -> None:
    queries = re.findall(r"expr: (.+(?:\n {10}.+)*)", ALERTS)
    asked = {name for query in queries for name in used(query)}
    assert len(queries) == ALERTS.count("- alert:")
    assert asked <= set(await exposed(service))


def test_each_alert_says_what_to_do() -> None:
    for alert in ALERTS.split("- alert: ")[1:]:
        assert re.search(r"\n {10}summary: .+\n {10}description: \".+\"\n?", alert), alert


def test_the_dashboard_can_be_imported() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    variables = {each["name"] for each in DASHBOARD["templating"]["list"]}
    assert variables == {"datasource", "job", "instance"}
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"
            assert expressions(panel)
            assert all('job=~"$job"' in query for query in expressions(panel))


def test_each_outcome_is_documented() -> None:
    for outcome in (*ANSWERS, *(end.value for end in End), *(each.value for each in RunFailure)):
        assert f"`{outcome}`" in METRICS, outcome
