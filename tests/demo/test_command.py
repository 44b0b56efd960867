"""`lambda-matrix demo`, as it is run: without a terminal, on one, and where it cannot work."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import trio

DEMO = (sys.executable, "-m", "lambda_matrix", "demo")


async def run_demo(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    with trio.fail_after(100):
        return await trio.run_process(
            [*DEMO, *arguments],
            stdin=subprocess.DEVNULL,
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )


def survivors(directory: Path) -> dict[int, str]:
    """The programs that know the demo's directory: their ids and command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            inside = (process / "cwd").readlink().is_relative_to(directory)
        except OSError:
            continue  # it has just ended
        if process.name != str(os.getpid()) and (inside or str(directory) in command):
            found[int(process.name)] = command
    return found


async def test_without_a_terminal_every_answer_comes_and_nothing_is_left(
    synapse_python: Path, tmp_path: Path
) -> None:
    state = tmp_path / "demo"
    ended = await run_demo("--synapse-python", str(synapse_python), "--state", str(state))
    shown = ended.stdout.decode()
    assert ended.returncode == 0, shown
    assert "it was seen to grow" in shown
    assert re.search(r"^(\d+) asked, \1 answered, each once$", shown, re.MULTILINE)
    assert "\x1b" not in shown
    assert not state.exists()
    assert survivors(state) == {}


async def test_what_does_not_start_is_told_with_its_log(tmp_path: Path) -> None:
    state = tmp_path / "demo"
    arguments = ("--synapse-python", sys.executable, "--state", str(state), "--keep")
    ended = await run_demo(*arguments)
    assert ended.returncode == 1
    assert "No module named 'synapse'" in ended.stdout.decode()
    assert "Traceback" not in ended.stderr.decode()
    assert (state / "homeserver" / "homeserver.log").exists()
    again = await run_demo(*arguments)  # an earlier demo's directory is made anew
    assert again.returncode == 1


async def test_a_directory_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    ended = await run_demo("--synapse-python", sys.executable, "--state", str(tmp_path))
    assert ended.returncode == 2
    assert (tmp_path / "mine").exists()


async def wait_gone(pid: int, within: float = 20) -> None:
    """Wait for the end of a process that is nobody's child any more."""
    try:
        pidfd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        with trio.fail_after(within):
            await trio.lowlevel.wait_readable(pidfd)
    finally:
        os.close(pidfd)


class Terminal:
    """A demo on a pseudo-terminal: what it shows is waited for, what is typed is typed."""

    def __init__(self, arguments: list[str]) -> None:
        self.master, slave = pty.openpty()
        self.shown = ""
        self.process = subprocess.Popen(
            [*DEMO, *arguments], stdin=slave, stdout=slave, stderr=slave, start_new_session=True
        )
        os.close(slave)

    async def wait_shown(self, text: str, within: float = 60) -> None:
        with trio.move_on_after(within):
            while text not in self.shown:
                await trio.lowlevel.wait_readable(self.master)
                self.shown += os.read(self.master, 65_536).decode(errors="replace")
            return
        raise AssertionError(f"{text!r} was not shown within {within} s:\n{self.shown}")

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)


async def test_on_a_terminal_the_person_chats_until_the_end(
    synapse_python: Path, tmp_path: Path
) -> None:
    state = tmp_path / "demo"
    terminal = Terminal(["--synapse-python", str(synapse_python), "--state", str(state)])
    try:
        await terminal.wait_shown("Now you")
        assert "\x1b[" in terminal.shown
        terminal.type("typed by hand\n")
        await terminal.wait_shown("You said: typed by hand")
        terminal.type("file image\n")
        await terminal.wait_shown("[m.image] Rehearsal file")
        terminal.type("/2\n")
        await terminal.wait_shown("you are in chat 2 now")
        terminal.type("/9\n")
        await terminal.wait_shown("there are only these chats: /1, /2")
        terminal.type("!new\n")
        await terminal.wait_shown("you are in chat 3 now")
        terminal.type("\x04")
        assert await trio.to_thread.run_sync(terminal.process.wait) == 0
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)
    assert survivors(state) == {}


async def test_an_interrupt_before_the_end_leaves_nothing(
    synapse_python: Path, tmp_path: Path
) -> None:
    state = tmp_path / "demo"
    terminal = Terminal(["--synapse-python", str(synapse_python), "--state", str(state)])
    try:
        await terminal.wait_shown("The magic word")
        terminal.interrupt()
        assert await trio.to_thread.run_sync(terminal.process.wait) == 130
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)
    assert survivors(state) == {}


async def test_a_demo_that_is_killed_takes_its_programs_along(
    synapse_python: Path, tmp_path: Path
) -> None:
    state = tmp_path / "demo"
    terminal = Terminal(["--synapse-python", str(synapse_python), "--state", str(state)])
    await terminal.wait_shown("The magic word")
    there = survivors(state)
    assert len(there) >= 3
    terminal.process.kill()
    terminal.process.wait()
    os.close(terminal.master)
    for pid in there:
        await wait_gone(pid)
    assert survivors(state) == {}
