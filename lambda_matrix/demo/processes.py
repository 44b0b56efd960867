"""Programs that the demo and the tests start: each dies with its parent, and is stopped for sure.

The parent-death signal of Linux is bound to the *thread* that forked, and Trio spawns processes in
worker threads which go away when idle. So a child is started from Trio's own thread (a few
milliseconds), through util-linux' `setpriv`, which arms the signal and execs the program; its end
is awaited through a pidfd.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trio
from attrs import define, frozen

STOP_GRACE = 10.0
"""Seconds between SIGTERM and SIGKILL."""


class ChildError(Exception):
    """A program ended, or did not get ready, when it should have; the text holds its log's tail."""


@frozen
class Program:
    """What to start: `name` for people, `command` and `environment` (added to ours), `log` file."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = {}
    directory: Path | None = None


@define
class Child:
    """A running program, the leader of a process group of its own."""

    program: Program
    _popen: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """The process id."""
        return self._popen.pid

    @property
    def returncode(self) -> int | None:
        """The exit code (minus the signal's number when killed); None while it runs."""
        return self._popen.poll()

    async def wait(self) -> int:
        """Wait for the end; returns the exit code."""
        if (code := self._popen.poll()) is not None:
            return code
        pidfd = os.pidfd_open(self._popen.pid)
        try:
            await trio.lowlevel.wait_readable(pidfd)
        finally:
            os.close(pidfd)
        return self._popen.wait()

    def terminate(self) -> None:
        """Ask for a clean end (SIGTERM to the program itself)."""
        if self._popen.poll() is None:
            self._popen.terminate()

    def kill(self) -> None:
        """SIGKILL to the whole process group: nobody gets to say anything."""
        if self._popen.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)

    async def stop(self, grace: float = STOP_GRACE) -> int:
        """SIGTERM, and SIGKILL after `grace` seconds; returns the exit code. Never cancelled."""
        self.terminate()
        with trio.CancelScope(shield=True, deadline=trio.current_time() + grace):
            await self.wait()
        self.kill()
        with trio.CancelScope(shield=True):
            await self.wait()
        return self._popen.wait()

    def log_tail(self, lines: int = 30) -> str:
        """The last lines that the program wrote."""
        return tail(self.program.log, lines)

    def failure(self, what: str) -> ChildError:
        """An error that says `what`, and shows the end of the program's log."""
        return ChildError(f"{self.program.name} {what}; the end of its log:\n{self.log_tail()}")


def tail(path: Path, lines: int = 30) -> str:
    """The last `lines` lines of a log file; says so when there are none."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return f"({path}: no such file)"
    return "\n".join(text.splitlines()[-lines:]) or f"({path}: empty)"


def start(program: Program) -> Child:
    """Start a program now, its standard output and error appended to its log.

    Call it from Trio's thread: the child dies when this thread does.

    Raises:
      OSError: there is no such program.
    """
    setpriv = shutil.which("setpriv")
    armed = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
    with program.log.open("ab") as log:
        popen = subprocess.Popen(  # noqa: S603  the caller names the program
            [*armed, *program.command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=program.directory,
            env={**os.environ, **program.environment},
            start_new_session=True,
        )
    return Child(program, popen)


@asynccontextmanager
async def running(program: Program) -> AsyncIterator[Child]:
    """A program for the length of the block, started as `start` does and stopped for sure."""
    child = start(program)
    try:
        yield child
    finally:
        await child.stop()  # noqa: ASYNC102 - it shields itself, with a timeout


async def start_notifying(program: Program, within: float) -> Child:
    """Start a program and wait until it says READY=1 as sd_notify(3) has it.

    `within` is in seconds. On any failure, cancellation included, the program is gone again.

    Raises:
      ChildError: it ended, or said nothing in time.
    """
    with tempfile.TemporaryDirectory(prefix="lm-notify-") as directory:
        address = f"{directory}/socket"
        with trio.socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            await notify.bind(address)
            environment = {**program.environment, "NOTIFY_SOCKET": address}
            child = start(Program(program.name, program.command, program.log, environment))
            try:
                await _wait_ready(child, notify, within)
            except BaseException:
                child.kill()
                with trio.CancelScope(shield=True):
                    await child.wait()
                raise
    return child


async def _wait_ready(child: Child, notify: trio.socket.SocketType, within: float) -> None:
    said = b""
    async with trio.open_nursery() as nursery:
        nursery.cancel_scope.deadline = trio.current_time() + within
        nursery.start_soon(_cancel_at_end, child, nursery.cancel_scope)
        while b"READY=1" not in said.split(b"\n"):
            said = await notify.recv(4096)
        nursery.cancel_scope.cancel()
    if b"READY=1" in said.split(b"\n"):
        return
    if child.returncode is not None:
        raise child.failure(f"ended with code {child.returncode} instead of getting ready")
    raise child.failure(f"was not ready within {within:g} s")


async def _cancel_at_end(child: Child, scope: trio.CancelScope) -> None:
    await child.wait()
    scope.cancel()
