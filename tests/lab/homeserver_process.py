"""Runs one Synapse until standard input ends: for fixtures that outlive one Trio run.

    python -m tests.lab.homeserver_process SYNAPSE_PYTHON DIRECTORY OPTIONS

Prints one line of JSON when the homeserver is ready. OPTIONS is JSON too.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import trio

from lambda_matrix.demo.homeserver import (
    DATABASE,
    Homeserver,
    HomeserverSettings,
    Limits,
    open_homeserver,
)

ROOT = Path(__file__).parents[2]
_MEMORY = Path("/dev/shm")  # noqa: S108  a folder of its own is made in it
_ROOM = 1 << 30
"""Bytes that are to be free in memory for a homeserver's database to be kept there."""


@contextmanager
def homeserver_process(
    python: Path,
    directory: Path,
    *,
    limits: Limits = Limits.UNLIMITED,
    encrypted_default: bool = False,
    room_version: str | None = None,
) -> Iterator[Homeserver]:
    """A Synapse that keeps only what conversations need, and no cache of /sync.

    With that cache a client that starts anew at once would see the past.
    """
    options = {
        "limits": limits.name,
        "encrypted_default": encrypted_default,
        "room_version": room_version,
    }
    command = [sys.executable, "-m", "tests.lab.homeserver_process"]
    with _database_in_memory(directory):
        process = subprocess.Popen(
            [*command, str(python), str(directory), json.dumps(options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        with process:
            yield from _homeserver_of(process)


def _homeserver_of(process: subprocess.Popen[bytes]) -> Iterator[Homeserver]:
    """Wait until it is ready, and end it after the block."""
    assert process.stdin is not None
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the homeserver did not start; its log is above")
    told = json.loads(line)
    yield Homeserver(told["url"], told["server_name"], told["secret"], Path(told["log"]))
    process.stdin.close()


@contextmanager
def _database_in_memory(directory: Path) -> Iterator[None]:
    """Keep the homeserver's database in memory, where there is room: it commits a lot.

    What is tested is what the service does; whether a homeserver outlives a power cut is not.
    """
    if not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        yield
        return
    with TemporaryDirectory(prefix="homeserver-", dir=_MEMORY) as memory:
        directory.mkdir(exist_ok=True)
        (directory / DATABASE).symlink_to(Path(memory) / DATABASE)
        yield


async def main() -> None:
    python, directory, raw_options = sys.argv[1:]
    options = json.loads(raw_options)
    settings = HomeserverSettings(
        python=Path(python),
        directory=Path(directory),
        limits=Limits[options["limits"]],
        encrypted_default=options["encrypted_default"],
        room_version=options["room_version"],
        sync_cache=False,
        directories=False,
    )
    async with open_homeserver(settings) as homeserver:
        told = {
            "url": homeserver.url,
            "server_name": homeserver.server_name,
            "secret": homeserver.registration_secret,
            "log": str(homeserver.log),
        }
        print(json.dumps(told), flush=True)  # noqa: T201  the fixture reads it
        stdin = trio.lowlevel.FdStream(sys.stdin.fileno())
        while await stdin.receive_some(1):
            pass


if __name__ == "__main__":
    trio.run(main)
