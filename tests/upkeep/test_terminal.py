"""What is told where, how questions are answered, and how long work shows."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import trio
from attrs import define
from trio.testing import MockClock, wait_all_tasks_blocked

from lambda_matrix.upkeep.terminal import Progress, Terminal, duration


@define
class Screen:
    """A pseudo-terminal with a command at it, and whoever sits before it."""

    terminal: Terminal
    _keys: int

    def type(self, text: str) -> None:
        os.write(self._keys, text.encode())

    def seen(self) -> str:
        """All that was written so far: what a terminal gets arrives a little later."""
        print("END", file=self.terminal.out, flush=True)
        seen = ""
        while not seen.endswith("END\r\n"):
            seen += os.read(self._keys, 65_536).decode()
        return seen.removesuffix("END\r\n")


@pytest.fixture
def screen() -> Iterator[Screen]:
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as out, os.fdopen(os.dup(theirs)) as keyboard:
        yield Screen(Terminal(out, out, keyboard), ours)
    os.close(ours)


@pytest.fixture
def piped() -> Terminal:
    return Terminal(io.StringIO(), io.StringIO())


def written(stream: object) -> str:
    assert isinstance(stream, io.StringIO)
    return stream.getvalue()


def test_paragraphs_stand_apart(piped: Terminal) -> None:
    piped.tell("one\ntwo")
    piped.remark("beside it")
    piped.tell("three")
    assert written(piped.out) == "one\ntwo\n\nthree\n"
    assert written(piped.err) == "beside it\n"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("y\n", True),
        (" YES \n", True),
        ("n\n", False),
        ("\n", False),
        ("yep\n", False),
        ("\x04", False),
    ],
)
async def test_only_a_plain_yes_is_one(screen: Screen, typed: str, meant: bool) -> None:  # noqa: FBT001 - a table's column
    screen.type(typed)
    assert await screen.terminal.confirm("Do it?") is meant
    assert "Do it? [y/N]" in screen.seen()


async def test_a_question_can_be_given_up(screen: Screen) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(screen.terminal.confirm, "Do it?")
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    screen.terminal.remark("Interrupted.")
    assert screen.seen().endswith("[y/N] \r\nInterrupted.\r\n")


async def test_no_answer_is_a_no_where_nobody_sits(tmp_path: Path) -> None:
    for input_file in (Path(os.devnull), tmp_path / "empty"):
        input_file.touch()
        with input_file.open() as keyboard:
            terminal = Terminal(io.StringIO(), io.StringIO(), keyboard)
            assert await terminal.confirm("Go on?") is False
            assert await terminal.read_line() == ""


async def test_progress_on_a_terminal_is_one_line(screen: Screen) -> None:
    progress = Progress(screen.terminal, 2)
    progress.step("leaving !a:x (a \x1b[2J long name)")
    progress.step("done")
    screen.terminal.tell("Result")
    seen = screen.seen()
    assert "\x1b" not in seen
    assert "1 of 2: leaving !a:x" in seen
    assert seen.count("\n") == 1
    last = seen.split("\r")
    assert last[-2].strip() == "Result"  # "\r\n" is what a terminal makes of an end of line
    assert last[-3].strip() == ""


async def test_progress_is_no_wider_than_the_terminal(
    screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    Progress(screen.terminal, 2).step("ж" * 100)
    assert len(screen.seen()) == 39


async def test_progress_elsewhere_is_a_line_now_and_then(
    autojump_clock: MockClock, piped: Terminal
) -> None:
    progress = Progress(piped, 100)
    for _ in range(30):
        progress.step("working")
        await trio.sleep(1)
    assert written(piped.err) == (
        "11 of 100, about 90 s more: working\n21 of 100, about 80 s more: working\n"
    )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "about 1 s"), (119, "about 119 s"), (120, "about 2 minutes"), (7200, "about 2.0 hours")],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said
