"""How the demo looks: what it does, how long that took, and who said what in which room."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO

import click
import trio
from attrs import define, field

_INDENT = "    "


def wants_colour(out: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Colours go to a terminal, unless `NO_COLOR` is set to anything (no-color.org)."""
    return out.isatty() and not environment.get("NO_COLOR")


@define
class Transcript:
    """Prints the demo, line by line as it happens."""

    out: TextIO = field(factory=lambda: sys.stdout)
    colour: bool = field(default=False)

    def line(self, text: str = "", *, fg: str | None = None, bold: bool = False) -> None:
        """One line of any kind."""
        styled = click.style(text, fg=fg, bold=bold) if text else ""
        click.echo(styled, file=self.out, color=self.colour)

    def chapter(self, title: str) -> None:
        """A new part of the story."""
        self.line()
        self.line(title, bold=True)

    def note(self, text: str) -> None:
        """A remark on what is to be seen."""
        self.line(f"  · {text}", fg="cyan")

    def good(self, text: str) -> None:
        """Something that was expected, and came."""
        self.line(f"  ✓ {text}", fg="green")

    def bad(self, text: str) -> None:
        """Something that was expected, and did not come."""
        self.line(f"  ✗ {text}", fg="red")

    def said(self, who: str, room: str, text: str, *, by_bot: bool = False) -> None:
        """A message, as it finally stands."""
        self.line(f"  {room} │ {who}:", fg="yellow" if by_bot else "blue", bold=True)
        for line in text.splitlines() or [""]:
            self.line(f"{_INDENT}{line}")

    @contextmanager
    def step(self, doing: str) -> Iterator[None]:
        """A step that takes a while: said when it begins, and timed when it is done."""
        self.line(f"  … {doing}")
        began = trio.current_time()
        yield
        self.good(f"done in {trio.current_time() - began:.1f} s")
