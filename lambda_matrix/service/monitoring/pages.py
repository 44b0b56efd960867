"""What is answered where: /healthz, /readyz, /metrics, the page at /, and /status for terminals."""

from __future__ import annotations

import json
from typing import Any

from attrs import asdict, frozen

from lambda_matrix.service.monitoring.exposition import expose
from lambda_matrix.service.monitoring.hosts import Hosts
from lambda_matrix.service.monitoring.page import CONTENT_SECURITY_POLICY, page
from lambda_matrix.service.monitoring.report import Report, look, masked, without_ids
from lambda_matrix.service.monitoring.serving import Answer, Asked, plain
from lambda_matrix.service.monitoring.text import text
from lambda_matrix.service.monitoring.watched import Verdict, Watched

OK = 200
UNAVAILABLE = 503
_THERE = "/, /healthz, /readyz, /metrics, /status and /status.json"
_LENIENT = ("utf-8", "backslashreplace")  # a file's name may be no text


@frozen
class Pages:
    """Answers for one place that is listened on.

    Where `hosts` is None, a Unix socket, whoever may connect may see ids, too.
    """

    _watched: Watched
    _hosts: Hosts | None

    async def answer(self, asked: Asked) -> Answer:
        """Answer a GET; a HEAD is answered alike."""
        if self._hosts is not None and not self._hosts.allow(asked.host):
            return plain(421, "This host name is not served here.")
        match asked.path:
            case "/healthz":
                answer = self._verdict(self._watched.health())
            case "/readyz":
                answer = self._verdict(self._watched.readiness())
            case "/metrics":
                registry = self._watched.metrics.registry
                kind, metrics = expose(registry, await look(self._watched), asked.accept)
                answer = Answer(status=OK, body=metrics, content_type=kind)
            case "/status":
                answer = Answer(status=OK, body=text(await self._look()).encode(*_LENIENT))
            case "/status.json":
                answer = _json(await self._look())
            case "/":
                answer = _html(await self._look())
            case _:
                answer = plain(404, f"There are {_THERE}.")
        return answer

    async def _look(self) -> Report:
        report = await look(self._watched)
        return report if self._hosts is None else without_ids(report)

    def _verdict(self, verdict: Verdict) -> Answer:
        why = verdict.why if self._hosts is None else masked(verdict.why)
        return plain(OK if verdict.is_good else UNAVAILABLE, " ".join(why.split()))


def _html(report: Report) -> Answer:
    return Answer(
        status=OK,
        body=page(report).encode(*_LENIENT),
        content_type="text/html; charset=utf-8",
        headers=(("Content-Security-Policy", CONTENT_SECURITY_POLICY),),
    )


def _json(report: Report) -> Answer:
    said: dict[str, Any] = asdict(report)
    body = json.dumps(said, ensure_ascii=False, indent=2).encode(*_LENIENT)
    return Answer(status=OK, body=body + b"\n", content_type="application/json")
