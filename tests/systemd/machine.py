"""A booted throw-away host, as a test sees it: run commands in it, read and write its files.

To look around in one by hand:

    make systemd-shell                 # Debian 13; RELEASE=bookworm for Debian 12
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TypeVar

import trio
from attrs import frozen

from tests.systemd.releases import Release

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
HOSTS = ROOT / "build/systemd-hosts"
"""Where the tarballs and the running hosts are; git does not look there."""
COMMAND_WITHIN = 120.0
"""Seconds that a command may take; starting the service waits for it to be ready."""
_POLL_EVERY = 0.05
_ENVIRONMENT = (
    "env",
    "-i",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME=/root",
    "LANG=C.UTF-8",
    "SYSTEMD_PAGER=cat",
    "SYSTEMD_COLORS=0",
)


class CommandError(Exception):
    """A command on the host failed; the text has what it said."""


class NotInTimeError(Exception):
    """What was waited for did not come; the text tells how it was instead."""


@frozen
class Ended:
    """How a command ended, and what it said."""

    status: int
    output: str
    errors: str


@frozen
class Machine:
    """A host: `leader` is its PID 1 as counted here, `gateway` this machine's address.

    Everything runs as the host's root.
    """

    release: Release
    name: str
    leader: int
    address: str
    gateway: str

    def inside(self, *command: str) -> list[str]:
        """The command, as it is started here to run there."""
        namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd")
        entered = ("nsenter", "--target", str(self.leader), *namespaces, "--")
        return [*entered, *_ENVIRONMENT, *command]

    async def attempt(self, *command: str, stdin: str = "") -> Ended:
        """Run a command that may fail.

        Raises:
          NotInTimeError: it did not end.
        """
        with trio.move_on_after(COMMAND_WITHIN) as scope:
            done = await trio.run_process(
                self.inside(*command),
                stdin=stdin.encode(),
                capture_stdout=True,
                capture_stderr=True,
                check=False,
            )
        if scope.cancelled_caught:
            raise NotInTimeError(f"{' '.join(command)} did not end in {COMMAND_WITHIN:g} s")
        output, errors = done.stdout.decode(), done.stderr.decode()
        return Ended(done.returncode, output, errors)

    async def run(self, *command: str, stdin: str = "") -> str:
        """Run a command; returns what it wrote to standard output.

        Raises:
          CommandError: it failed.
        """
        ended = await self.attempt(*command, stdin=stdin)
        if ended.status != 0:
            said = (ended.output + ended.errors).strip()
            raise CommandError(f"{' '.join(command)}: status {ended.status}\n{said}")
        return ended.output

    def path(self, name: str) -> Path:
        """The file `name` of the host, as it is called here (proc_pid_root(5)).

        A link in it that is absolute leads out of the host.
        """
        return Path(f"/proc/{self.leader}/root") / name.lstrip("/")

    def write(self, name: str, text: str, mode: int = 0o644) -> None:
        """Write a file of the host, and the folders above it."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    @asynccontextmanager
    async def reading(self, *command: str) -> AsyncIterator[AsyncIterator[str]]:
        """The lines of a command that goes on writing; it is ended with the block."""
        async with trio.open_nursery() as nursery:
            process = await nursery.start(_start, self.inside(*command))
            assert process.stdout is not None
            async with aclosing(_lines(process.stdout)) as lines:
                yield lines
            nursery.cancel_scope.cancel()


async def _start(
    command: list[str], task_status: trio.TaskStatus[trio.Process] = trio.TASK_STATUS_IGNORED
) -> None:
    await trio.run_process(command, stdout=subprocess.PIPE, task_status=task_status)


async def _lines(stream: trio.abc.ReceiveStream) -> AsyncGenerator[str, None]:
    rest = b""
    async for chunk in stream:
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line.decode()


async def until(check: Callable[[], Awaitable[T | None]], what: str, within: float = 30) -> T:
    """Ask again and again until the answer is true; returns it.

    Raises:
      NotInTimeError: it was not within `within` seconds.
    """
    with trio.move_on_after(within):
        while not (answer := await check()):  # noqa: ASYNC110 - nobody tells of it: asking is the way
            await trio.sleep(_POLL_EVERY)
        return answer
    raise NotInTimeError(f"no {what} within {within:g} s")


@contextmanager
def booted_machine(release: Release) -> Iterator[Machine]:
    """A new host that is up, for the length of the block; also gone if this process is killed."""
    keeper = ["unshare", "--mount", "--propagation", "private", "--", sys.executable]
    process = subprocess.Popen(
        [*keeper, "-m", "tests.systemd.keeper", release.value, str(HOSTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        start_new_session=True,  # Ctrl-C is for pytest, which then ends standard input
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the host did not come up; its keeper has said why, above")
        told = json.loads(line)
        yield Machine(
            release,
            told["name"],
            told["leader"],
            told["address"],
            told["gateway"],
        )
        process.stdin.close()


def main() -> None:
    """Boot a host and give a shell on it; it is gone when the shell ends."""
    with booted_machine(Release(sys.argv[1])) as machine:
        subprocess.run(machine.inside("TERM=linux", "bash", "--login"), check=False)


if __name__ == "__main__":
    main()
