"""The operator's commands, on the host where the service runs."""

from __future__ import annotations

from lambda_matrix.exits import Exit
from tests.lab.chatting import Talk
from tests.systemd.installed import PASSWORD
from tests.systemd.site import Site

_ASK = """
import sys, urllib.request
with urllib.request.urlopen("http://127.0.0.1:9114" + sys.argv[1]) as answer:
    print(answer.status, answer.read().decode())
"""
"""Asks where the example settings have the service listen, from the host itself."""


async def test_login_keeps_the_password_from_which_the_service_starts(site: Site) -> None:
    site.machine.path(PASSWORD).unlink()
    wrong = await site.machine.attempt("lambda-matrix", "login", "--stdin", stdin="not it")
    assert wrong.status != 0
    assert not site.machine.path(PASSWORD).exists()
    await site.machine.run("lambda-matrix", "login", "--stdin", stdin=site.bot.password)
    assert site.machine.path(PASSWORD).stat().st_mode & 0o777 == 0o600
    await site.unit.start()


async def test_doctor_finds_a_running_service_well(talk: Talk, site: Site) -> None:
    examined = await site.machine.attempt("lambda-matrix", "doctor")
    faults = [line for line in examined.output.splitlines() if line.startswith("  fault")]
    assert faults == []
    assert examined.status == 0
    assert (await talk.ask("Did that hurt?")).is_final


async def test_doctor_says_what_is_wrong_and_where(site: Site) -> None:
    site.shut()
    examined = await site.machine.attempt("lambda-matrix", "doctor")
    assert examined.status != 0
    assert f":{site.port}" in examined.output
    assert "refused" in examined.output


async def test_status_and_health_tell_how_the_running_service_is(talk: Talk, site: Site) -> None:
    assert (await talk.ask("Are you there?")).is_final
    told = await site.machine.run("lambda-matrix", "status")
    assert site.url in told
    assert told.startswith("lambda-matrix: ready")
    ready = await site.machine.run("python3", "-c", _ASK, "/readyz")
    assert ready.startswith("200 ")
    metrics = await site.machine.run("python3", "-c", _ASK, "/metrics")
    assert 'lambda_matrix_answers_total{outcome="answered"' in metrics
    assert talk.chat not in metrics
    await site.unit.stop()
    stopped = await site.machine.attempt("lambda-matrix", "status")
    assert stopped.status == Exit.NOT_RUNNING
