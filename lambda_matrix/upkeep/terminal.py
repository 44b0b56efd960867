"""The operator's terminal: what is told goes to stdout, how it goes on and questions to stderr."""

from __future__ import annotations

import os
import shutil
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import trio
from attrs import define, field

from lambda_matrix.upkeep.tables import printable, width

_CHUNK = 4096
_LINE_EVERY = 10.0
"""Seconds between two lines of progress where no line can be written over."""
_FIRST_ESTIMATE = 5.0
"""Seconds after which there is something to estimate the rest by."""
_MINUTE = 60.0
_YES = frozenset({"y", "yes"})


@define(eq=False)
class Terminal:
    """Where a command is at work. `acting` is set once it has begun to change things."""

    out: TextIO = field(factory=lambda: sys.stdout)
    err: TextIO = field(factory=lambda: sys.stderr)
    keyboard: TextIO = field(factory=lambda: sys.stdin)
    acting: bool = False
    _is_fresh: bool = True
    _pending: str = ""
    _is_asking: bool = False

    def tell(self, paragraph: str) -> None:
        """Write a paragraph of the result, apart from the one before."""
        self._clear()
        print(paragraph if self._is_fresh else f"\n{paragraph}", file=self.out, flush=True)
        self._is_fresh = False

    def remark(self, text: str) -> None:
        """Write a line about what is going on."""
        self._clear()
        print(text, file=self.err, flush=True)

    async def confirm(self, question: str) -> bool:
        """Ask; only a plain yes is one. The end of the input is none."""
        self.err.write(f"\n{question} [y/N] ")
        self.err.flush()
        self._is_asking = True
        # Waited for rather than read at once, so that a signal ends it.
        await _readable(self.keyboard.fileno())
        said = os.read(self.keyboard.fileno(), _CHUNK).decode(errors="replace")
        self._is_asking = not said.endswith("\n")
        return said.strip().lower() in _YES

    async def ask_unseen(self, question: str) -> str:
        """Ask for a line that is not shown while it is typed; the keyboard is a terminal."""
        self.err.write(f"{question} ")
        self.err.flush()
        self._is_asking = True  # nobody sees the end of the line either
        with _without_echo(self.keyboard.fileno()):
            said = await self.read_line()
        self._clear()
        return said

    async def read_line(self) -> str:
        """Return the next line without its end; the end of the input is one."""
        said = b""
        while not said.endswith(b"\n"):
            # Waited for rather than read at once, so that a signal ends it.
            await _readable(self.keyboard.fileno())
            chunk = os.read(self.keyboard.fileno(), _CHUNK)
            if not chunk:
                break
            said += chunk
        return said.decode(errors="replace").partition("\n")[0].rstrip("\r")

    def overwrite(self, text: str) -> None:
        """Write a line that the next one takes the place of. Only for a terminal."""
        columns = shutil.get_terminal_size().columns - 1
        text = printable(text)
        while width(text) > columns:
            text = text[:-1]
        self._clear()
        self._pending = text
        self.err.write(text)
        self.err.flush()

    def _clear(self) -> None:
        if self._is_asking:  # nobody has ended that line
            self.err.write("\n")
            self.err.flush()
            self._is_asking = False
        if self._pending:
            self.err.write("\r" + " " * width(self._pending) + "\r")
            self._pending = ""


async def _readable(descriptor: int) -> None:
    """Wait until there is something to read, which files and /dev/null always have."""
    try:
        await trio.lowlevel.wait_readable(descriptor)
    except PermissionError:  # what always has something cannot be waited for: epoll_ctl(2), EPERM
        await trio.lowlevel.checkpoint()


@contextmanager
def _without_echo(descriptor: int) -> Iterator[None]:
    """Have a terminal not show what is typed, for a while (termios(3))."""
    before = termios.tcgetattr(descriptor)
    unseen = termios.tcgetattr(descriptor)
    unseen[3] &= ~termios.ECHO
    try:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, unseen)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)


@define(eq=False)
class Progress:
    """Tells how far long work is: on a terminal at each step, elsewhere now and then."""

    _terminal: Terminal
    _total: int
    _done: int = -1
    _began: float = field(factory=trio.current_time)
    _told: float = field(factory=trio.current_time)

    def step(self, what: str) -> None:
        """Another step begins, and those before it are done."""
        self._done += 1
        line = f"{self._done + 1:,} of {self._total:,}{self._rest()}: {what}"
        if self._terminal.err.isatty():
            self._terminal.overwrite(line)
        elif trio.current_time() - self._told >= _LINE_EVERY:
            self._told = trio.current_time()
            self._terminal.remark(line)

    def _rest(self) -> str:
        elapsed = trio.current_time() - self._began
        if elapsed < _FIRST_ESTIMATE or not self._done:
            return ""
        return f", {duration(elapsed / self._done * (self._total - self._done))} more"


def duration(seconds: float) -> str:
    """Return some seconds as people say them."""
    if seconds < 2 * _MINUTE:
        return f"about {max(1, round(seconds))} s"
    if seconds < 2 * _MINUTE * _MINUTE:
        return f"about {round(seconds / _MINUTE)} minutes"
    return f"about {seconds / _MINUTE / _MINUTE:.1f} hours"
