"""Commands of the operator's on a stack, as processes of their own."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import trio

from lambda_matrix.demo.processes import Child, Program, start
from tests.lab.chatting import Stack
from tests.lab.product import PRODUCT

_number = count(1)


def state_files(stack: Stack) -> dict[Path, bytes]:
    """What lies in the state directory; of sockets there is nothing to be read."""
    directory = stack.settings.directory / "state"
    return {path: path.read_bytes() for path in directory.iterdir() if path.is_file()}


class Command:
    """A command of the operator's, as a process of its own; what it says is kept in a file."""

    def __init__(self, stack: Stack, *arguments: str) -> None:
        directory = stack.settings.directory
        command = [*PRODUCT, *arguments]
        command += ["--config", str(directory / "config.toml")]
        self.log = directory / f"command{next(_number)}.log"
        self.child: Child = start(Program("the command", command, self.log))

    async def end(self, within: float = 60) -> tuple[int, str]:
        """Wait for its end; return its exit status, and what it said."""
        try:
            with trio.fail_after(within):
                status = await self.child.wait()
        finally:
            await self.child.stop()  # noqa: ASYNC102 - it shields itself, with a timeout
        return status, self.log.read_text(encoding="utf-8")
