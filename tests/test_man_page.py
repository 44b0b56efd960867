"""The manual page tells of every command, option and exit status, and is written as roff is."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
from attrs import fields

from lambda_matrix.cli import _PLACES, main
from lambda_matrix.exits import Exit
from lambda_matrix.logs.fields import Fields

PAGE = Path(__file__).parents[1] / "docs/man/lambda-matrix.1"
TEXT = PAGE.read_text(encoding="utf-8").replace("\\-", "-")


def section(heading: str) -> str:
    """Return what stands under a heading, to the next one of its kind."""
    kind = ".SS" if heading.startswith("lambda-matrix ") else ".SH"
    form = rf"(?ms)^{kind} {re.escape(heading)}\b.*?(?=^\.S[HS] |\Z)"
    found = re.search(form, TEXT)
    assert found is not None, heading
    return found[0]


@pytest.mark.parametrize("name", _PLACES)
def test_every_command_and_option_stands_in_it(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    text = section(f"lambda-matrix {name}")
    options = [each for each in command.params if isinstance(each, click.Option)]
    for option in options:
        for form in (*option.opts, *option.secondary_opts):
            assert re.search(rf"(?<![\w-]){re.escape(form)}(?![\w-])", text), form
    told = set(re.findall(r"(?m)^\.B.*?(--[a-z][a-z-]+)", text))
    known = {form for each in options for form in (*each.opts, *each.secondary_opts)}
    assert told <= known


def test_every_exit_status_stands_in_it() -> None:
    told = set(map(int, re.findall(r"^\.TP\n\.B (\d+)$", section("EXIT STATUS"), re.MULTILINE)))
    assert {0, *map(int, Exit)} <= told


def test_every_field_of_the_journal_stands_in_it() -> None:
    text = section("JOURNAL")
    for field in fields(Fields):
        assert f"LAMBDA_{field.name.upper()}" in text


@pytest.mark.parametrize(
    "command", [["groff", "-man", "-ww", "-z"], ["mandoc", "-Tlint"]], ids=lambda each: each[0]
)
def test_it_is_clean_roff(command: list[str]) -> None:
    program = shutil.which(command[0])
    if program is None:
        pytest.skip(f"no {command[0]} on this machine")
    done = subprocess.run(
        [program, *command[1:], str(PAGE)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
