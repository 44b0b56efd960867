"""What is answered where, and to whom."""

from __future__ import annotations

import json
import re

import pytest
import trio
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain_text
from trio.testing import MockClock

from lambda_matrix.client_server_api.backoff import HomeserverBack
from lambda_matrix.disk import DiskRefuses
from lambda_matrix.service.monitoring.hosts import hosts_of
from lambda_matrix.service.monitoring.pages import Pages
from lambda_matrix.service.monitoring.serving import Answer, Asked
from lambda_matrix.service.monitoring.watched import LONGEST_SILENCE
from lambda_matrix.surface.overview import Overview
from tests.service.monitoring.seen import ANNA, HOMESERVER, ROOM, Service

IDS = (ROOM, ANNA, HOMESERVER.user_id, "2B80H7IlWj", "%21abc")


async def ask(
    service: Service, path: str, *, private: bool = False, accept: str = "", host: str = "localhost"
) -> Answer:
    hosts = None if private else hosts_of("127.0.0.1")
    asked = Asked(method="GET", path=path, host=host, accept=accept)
    return await Pages(service.watched, hosts).answer(asked)


async def told(service: Service, path: str, *, private: bool = False) -> tuple[int, str]:
    answer = await ask(service, path, private=private)
    return answer.status, answer.body.decode()


# -- health and readiness --


async def test_a_start_is_healthy_and_not_ready(service: Service) -> None:
    assert await told(service, "/healthz") == (200, "ok\n")
    assert await told(service, "/readyz") == (503, "starting\n")
    service.line.enter("reconciling: 3 of 10")
    assert await told(service, "/readyz") == (503, "reconciling: 3 of 10\n")


async def test_a_service_that_is_ready(service: Service) -> None:
    service.be_ready()
    assert await told(service, "/healthz") == (200, "ok\n")
    assert await told(service, "/readyz") == (200, "ready\n")


async def test_without_a_homeserver_nobody_is_answered_and_nothing_is_ill(
    service: Service,
) -> None:
    service.be_ready()
    service.lose_homeserver()
    assert await told(service, "/healthz") == (200, "ok\n")
    status, why = await told(service, "/readyz", private=True)
    assert status == 503
    assert re.fullmatch(rf"homeserver away since 20.* UTC: .*{re.escape(ROOM)}\n", why)
    service.line.homeserver(HomeserverBack(1))
    assert await told(service, "/readyz") == (200, "ready\n")


async def test_a_homeserver_that_has_long_been_silent(
    service: Service, autojump_clock: MockClock
) -> None:
    service.be_ready()
    await trio.sleep(LONGEST_SILENCE + 1)
    status, why = await told(service, "/readyz")
    assert status == 503
    assert why.startswith("homeserver silent since 20")


async def test_a_homeserver_that_has_never_answered(service: Service) -> None:
    service.line.ready(service.overview)
    status, why = await told(service, "/readyz")
    assert (status, why[:23]) == (503, "homeserver silent since")


async def test_a_disk_that_refuses(service: Service) -> None:
    service.be_ready()
    service.line.disk(DiskRefuses("database or disk is full"))
    status, why = await told(service, "/readyz")
    assert status == 503
    assert why.startswith("waiting for the disk since 20")
    assert why.endswith("UTC: database or disk is full\n")
    assert await told(service, "/healthz") == (200, "ok\n")


async def test_what_is_stuck_is_ill(service: Service, autojump_clock: MockClock) -> None:
    service.be_ready()
    service.pulse.sync.step("taking in what is new", 60)
    await trio.sleep(61)
    said = "stuck: the sync loop (taking in what is new) for 61 s\n"
    assert await told(service, "/healthz") == (503, said)
    assert await told(service, "/readyz") == (503, said)


async def test_a_service_that_stops(service: Service) -> None:
    service.be_ready()
    service.line.enter("stopping: 1 answer being finished, 8 s left")
    assert await told(service, "/readyz") == (
        503,
        "stopping: 1 answer being finished, 8 s left\n",
    )


# -- who is answered --


@pytest.mark.parametrize("path", ["/", "/healthz", "/metrics", "/status.json", "/nowhere"])
async def test_a_strangers_name_is_answered_nothing(service: Service, path: str) -> None:
    answer = await ask(service, path, host="rebound.example")
    assert answer.status == 421
    assert (await ask(service, path, host="rebound.example", private=True)).status != 421


async def test_what_there_is_not(service: Service) -> None:
    status, said = await told(service, "/favicon.ico")
    assert status == 404
    assert "/readyz" in said


@pytest.mark.parametrize("path", ["/", "/readyz", "/metrics", "/status", "/status.json"])
async def test_ids_are_shown_on_a_unix_socket_alone(service: Service, path: str) -> None:
    service.be_ready()
    service.warn(f"run 5f2a.1 in {ROOM} of {ANNA} failed: PUT /rooms/%21abc%3Aexample.org/send")
    service.lose_homeserver()
    _, public = await told(service, path)
    assert [name for name in IDS if name in public] == []
    _, private = await told(service, path, private=True)
    if path != "/metrics":
        assert ROOM in private
    else:
        assert [name for name in IDS if name in private] == []


# -- metrics --


@pytest.mark.parametrize("is_ready", [True, False])
async def test_metrics_are_what_prometheus_reads(service: Service, *, is_ready: bool) -> None:
    if is_ready:
        service.be_ready()
    answer = await ask(service, "/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    families = {family.name: family for family in plain_text(answer.body.decode())}
    assert families["lambda_matrix_ready"].samples[0].value == is_ready
    assert ("lambda_matrix_rooms" in families) is is_ready
    assert ("lambda_matrix_sync_age_seconds" in families) is is_ready


async def test_open_metrics_are_given_to_who_asks_for_them(service: Service) -> None:
    service.be_ready()
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.1"
    answer = await ask(service, "/metrics", accept=accept)
    assert answer.content_type.startswith("application/openmetrics-text; version=1.0.0")
    parsed = openmetrics(answer.body.decode())  # type: ignore[no-untyped-call]  # it has none
    families = {family.name: family for family in parsed}
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families.values()
        for sample in family.samples
    }
    assert samples["lambda_matrix_runs", "main"] == 1
    assert samples["lambda_matrix_runs", "evil"] == 0
    assert samples[("lambda_matrix_people",)] == 12
    assert samples[("lambda_matrix_questions_waiting",)] == 3
    assert samples[("lambda_matrix_questions_oldest_wait_seconds",)] == 12.5
    assert samples[("lambda_matrix_homeserver_up",)] == 1
    assert samples["lambda_matrix_answers_total", "answered"] == 0
    assert families["lambda_matrix_build"].samples[0].labels["version"]


async def test_nothing_waits_for_no_time(service: Service) -> None:
    service.be_ready()
    service.be_idle()
    answer = await ask(service, "/metrics")
    assert b"\nlambda_matrix_questions_oldest_wait_seconds 0.0\n" in answer.body


async def test_a_database_that_does_not_answer_is_left_out(
    service: Service, autojump_clock: MockClock
) -> None:
    service.be_ready()

    async def hang() -> Overview:
        return await trio.sleep_forever()

    service.watched.overview = hang
    metrics = (await ask(service, "/metrics")).body
    assert b"lambda_matrix_ready" in metrics
    assert b"lambda_matrix_rooms" not in metrics
    _, page = await told(service, "/")
    assert "The database has not been asked." in page


# -- for people --


async def test_the_page_shows_how_things_are(service: Service) -> None:
    service.be_ready()
    answer = await ask(service, "/")
    page = answer.body.decode()
    assert answer.content_type == "text/html; charset=utf-8"
    assert "<title>lambda-matrix: ready</title>" in page
    assert "ready since 20" in page
    assert "<dd>61, 37 of them chats</dd>" in page
    assert "3, the oldest for 12 s" in page
    assert ">1 min 12 s</td>" in page
    assert "None since the start." in page


async def test_nothing_of_others_becomes_part_of_the_page(service: Service) -> None:
    service.be_ready()
    service.warn("<img src=x onerror=alert(1)> & co")
    _, page = await told(service, "/", private=True)
    assert "<script" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;" in page
    assert "&lt;img src=x onerror=alert(1)&gt; &amp; co" in page


async def test_the_page_may_load_nothing(service: Service) -> None:
    answer = await ask(service, "/")
    policy = dict(answer.headers)["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


async def test_faults_are_shown_the_newest_first_and_not_all(service: Service) -> None:
    for number in range(25):
        service.warn(f"fault {number}")
    _, said = await told(service, "/status.json", private=True)
    assert [fault["text"] for fault in json.loads(said)["faults"]] == [
        f"fault {number}" for number in range(24, 4, -1)
    ]


async def test_an_agent_is_as_it_was_when_it_was_last_asked(service: Service) -> None:
    _, said = await told(service, "/status")
    assert re.search(r"main +Lambda +not asked yet", said)
    service.watched.metrics.run_ended("main", "unreachable", 1, is_up=False)
    _, said = await told(service, "/status")
    assert re.search(r"main +Lambda +NOT REACHED, 20", said)
    service.watched.metrics.run_ended("main", "finished", 1, is_up=True)
    _, said = await told(service, "/status")
    assert re.search(r"main +Lambda +reached, 20", said)


async def test_a_refused_reload_is_shown(service: Service) -> None:
    assert "Settings    in force since 20" in (await told(service, "/status"))[1]
    service.watched.metrics.reloaded(refused="config.toml: no TOML")
    assert "the last reload was refused, 20" in (await told(service, "/status"))[1]


async def test_text_for_a_terminal(service: Service) -> None:
    _, said = await told(service, "/status", private=True)
    assert said.startswith("lambda-matrix: starting\n\nService\n  Up since    20")
    assert "has not answered yet" in said
    assert "The database was not asked." in said
    service.be_ready()
    service.line.disk(DiskRefuses("full"))
    _, said = await told(service, "/status", private=True)
    assert said.startswith("lambda-matrix: waiting for the disk since 20")
    assert "Disk        refuses since 20" in said
    assert re.search(
        rf"\n  For +Agent +Room +Asked by +Request\n  1 min 12 s +main +{ROOM} +{ANNA} +5f2a\n",
        said,
    )
    assert re.search(r"\n  Messages for rooms that the bot is not in +4\n", said)
    assert "\nVersions\n  lambda-matrix" in said
