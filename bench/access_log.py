"""Who asked the homeserver for what, and when, from Synapse's own access log.

No proxy is in anybody's path. The log is switched on in the running homeserver (SIGHUP rereads its
log settings), and costs each request the same, whoever makes it.
"""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import psutil
import trio
from attrs import define, frozen

from lambda_matrix.demo.bare_http import open_caller
from lambda_matrix.demo.homeserver import Homeserver

# Synapse, docs/usage/administration/request_log.md, behind the time of our own formatter.
_LINE = re.compile(
    r"(?P<ended>\d+\.\d+) \S+ - \S+ - \{(?P<user>[^}]*)\} Processed request:"
    r" (?P<processing>[\d.]+)sec/(?P<sending>-?[\d.]+)sec .*?"
    r' (?P<size>\d+)B (?P<status>\d+)!? "(?P<method>[A-Z]+) (?P<path>[^ "]+) '
)
_KINDS = (
    ("PUT", "/send/m.room.message/", "event"),
    ("POST", "/receipt/", "receipt"),
    ("PUT", "/typing/", "typing"),
    ("GET", "/sync", "sync"),
)
_APPEARS_WITHIN = 10.0
KINDS = ("event", "receipt", "typing", "sync", "other")


@frozen
class Request:
    """One request: its kind, when the homeserver got it and answered it (Unix time), and how.

    `size` is the answer's, in bytes as they were sent.
    """

    kind: str
    began: float
    ended: float
    status: int
    size: int


@define
class AccessLog:
    """The access log of a running homeserver; made by `switch_on`."""

    _path: Path
    process: int
    """The homeserver's process id."""

    def position(self) -> int:
        """Where the log ends now."""
        return self._path.stat().st_size

    def requests(self, start: int, user: str) -> Sequence[Request]:
        """The requests of one user from `start` on."""
        with self._path.open("rb") as log:
            log.seek(start)
            text = log.read().decode(errors="replace")
        return [_request(found) for found in _LINE.finditer(text) if found["user"] == user]


def _request(found: re.Match[str]) -> Request:
    ended = float(found["ended"])
    lasted = float(found["processing"]) + max(0.0, float(found["sending"]))
    method, path = found["method"], found["path"]
    kinds = (kind for verb, part, kind in _KINDS if verb == method and part in path)
    return Request(
        next(kinds, "other"), ended - lasted, ended, int(found["status"]), int(found["size"])
    )


def time_inside(requests: Iterable[Request]) -> float | None:
    """The median time in seconds that a bot itself takes.

    From the moment at which the homeserver has handed out the question (the end of a /sync) until
    the answer's request arrives there. The log's times are whole milliseconds.
    """
    inside: list[float] = []
    syncs = [request.ended for request in requests if request.kind == "sync"]
    for request in requests:
        handed = [ended for ended in syncs if ended <= request.began + 0.001]
        if request.kind == "event" and handed:
            inside.append(request.began - max(handed))
    return median(inside) if inside else None


async def switch_on(homeserver: Homeserver, directory: Path) -> AccessLog:
    """Have the homeserver, which runs in `directory`, write its access log."""
    settings_file, log = directory / "log.json", directory / "access.log"
    settings = json.loads(settings_file.read_text())
    settings["formatters"]["access"] = {"format": "%(created).6f %(message)s"}
    settings["handlers"]["access"] = {
        "class": "logging.FileHandler",
        "filename": str(log),
        "formatter": "access",
    }
    settings["loggers"] = {
        "synapse.access": {"level": "INFO", "handlers": ["access"], "propagate": False}
    }
    settings_file.write_text(json.dumps(settings))
    process = next(
        child.pid
        for child in psutil.Process().children()
        if "synapse.app.homeserver" in child.cmdline()
    )
    os.kill(process, signal.SIGHUP)
    async with open_caller(homeserver.url) as caller:
        with trio.fail_after(_APPEARS_WITHIN):
            while not log.exists() or not log.stat().st_size:
                await caller.call("GET", "_matrix", "client", "versions")
                await trio.sleep(0.05)
    return AccessLog(log, process)
