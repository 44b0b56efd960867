"""Starts of the service, with and without its database: how long they take, and what they cost."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import trio
from access_log import AccessLog, Request
from attrs import evolve, frozen
from contenders import pid_of, under
from population import Population
from usage import cpu_of, peak_memory, resident_memory, sample, used

from lambda_matrix.demo.own_programs import Restartable
from lambda_matrix.demo.processes import Program

_READY_WITHIN = 300.0
_SETTLED_WITHIN = 60.0
_LOOK_EVERY = 0.05
_REST = 5.0
"""Seconds after all is settled in which what was begun may end, before memory is read."""
_COUNTED_WITHIN = 10.0


@frozen
class Start:
    """One start. Times are in seconds, memory and the database in MB, CPU in seconds.

    `ready` is from the start of the process until READY=1; `settled` until, besides, no gap is left
    to be read and every chat is known, None if that never came. Memory is as of a rest after that.
    `requests` are the service's own, as the homeserver counts them.
    """

    ready: float
    settled: float | None
    gaps: int
    chats: int
    resident: float
    peak: float
    cpu: float
    homeserver_cpu: float
    foreign: float
    requests: Sequence[Request]
    stored: float

    @property
    def largest_sync(self) -> Request:
        """The sync with the longest answer."""
        return max((r for r in self.requests if r.kind == "sync"), key=lambda sync: sync.size)


@frozen
class State:
    """The service's database, looked at from beside the running service."""

    directory: Path

    @property
    def _files(self) -> Sequence[Path]:
        names = ("lambda-matrix.db", "lambda-matrix.db-wal", "lambda-matrix.db-shm")
        return [self.directory / name for name in names]

    def forget(self) -> None:
        """Delete it, as an accident would."""
        for file in self._files:
            file.unlink(missing_ok=True)

    @property
    def size(self) -> float:
        """How much there is on disk, in MB."""
        return sum(file.stat().st_size for file in self._files if file.exists()) / 1e6

    def ask(self, query: str, *values: object) -> int:
        """One number that the database tells."""
        return int(self.text(query, *values))

    def text(self, query: str, *values: object) -> str:
        """One value that the database tells."""
        with closing(sqlite3.connect(f"file:{self._files[0]}?mode=ro", uri=True)) as database:
            return str(database.execute(query, values).fetchone()[0])

    @property
    def gaps(self) -> int:
        """The stretches of rooms' histories that are still to be read."""
        return self.ask("SELECT count(*) FROM gaps")

    @property
    def chats(self) -> int:
        """The chats whose owners and contexts are known."""
        return self.ask(
            "SELECT count(*) FROM rooms WHERE kind = 'chat' AND owner IS NOT NULL"
            " AND platform_chat_id IS NOT NULL"
        )


@frozen
class Stage:
    """What is started, again and again: the service of a populated homeserver."""

    program: Program
    state: State
    population: Population
    log: AccessLog

    async def start(self, service: Restartable) -> Start:
        """Start the service, which is not running, and watch it until it is at rest."""
        position, before = self.log.position(), sample({"homeserver": self.log.process})
        began = time.monotonic()
        await service.start(_READY_WITHIN)
        ready, pid, gaps = time.monotonic() - began, pid_of(service), self.state.gaps
        settled = await self._settled(began)
        await trio.sleep(_REST)
        spent = used(before, sample({"homeserver": self.log.process}))
        return Start(
            ready=ready,
            settled=settled,
            gaps=gaps,
            chats=self.state.chats,
            resident=resident_memory(pid),
            peak=peak_memory(pid),
            cpu=cpu_of(pid),
            homeserver_cpu=spent.processes["homeserver"],
            foreign=max(0.0, spent.foreign - cpu_of(pid) / spent.seconds),
            requests=self.log.requests(position, self.population.bot.user_id),
            stored=self.state.size,
        )

    async def starts(self, many: int, *, forgetting: bool) -> Sequence[Start]:
        """Several starts, one after the other; `forgetting` deletes the database before each."""
        found = []
        service = Restartable(self.program)
        try:
            for _ in range(many):
                if forgetting:
                    self.state.forget()
                found.append(await self.start(service))
                await service.stop()
        finally:
            await service.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
        return found

    async def tasks(self, directory: Path) -> Mapping[str, int]:
        """The Trio tasks of the service at rest: how many of each name."""
        file = directory / "tasks.json"
        service = Restartable(under("counted.py", self.program, file))
        try:
            await self.start(service)
            os.kill(pid_of(service), signal.SIGUSR1)
            with trio.fail_after(_COUNTED_WITHIN):
                while not file.exists():  # noqa: ASYNC110 - another process writes it
                    await trio.sleep(_LOOK_EVERY)
        finally:
            await service.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
        counted: Mapping[str, int] = json.loads(file.read_text())
        return counted

    async def _settled(self, began: float) -> float | None:
        wanted = sum(len(person.chats) for person in self.population.people)
        with trio.move_on_after(_SETTLED_WITHIN):
            while self.state.gaps or self.state.chats < wanted:  # noqa: ASYNC110 - another process's
                await trio.sleep(_LOOK_EVERY)
            return time.monotonic() - began
        return None

    def under(self, script: str, into: Path) -> Stage:
        """The same, with the service under a script of this folder."""
        return evolve(self, program=under(script, self.program, into))
