"""The operator's guide: both languages say the same, and what they name is there."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from lambda_matrix.cli import main
from lambda_matrix.config.loading import _SECTIONS, keys
from lambda_matrix.conversation.language import Language
from lambda_matrix.exits import Exit
from lambda_matrix.installation import layout

ROOT = Path(__file__).parents[1]
GUIDES = {
    language: (ROOT / f"docs/operations/{language.value}.md").read_text(encoding="utf-8")
    for language in Language
}
ENGLISH = GUIDES[Language.EN]
LEAST_LITERAL = 16
"""Characters of a text in the program by which it is known in a line of the journal."""
MOST_FOREIGN = 0.75
"""The part of such a line that may be of others: names, paths, what a library says."""
each_language = pytest.mark.parametrize("language", Language)


def blocks(text: str) -> list[tuple[str, str]]:
    """Return each code block: its language, and what is in it."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """Return the text with a mark in place of each code block."""
    return re.sub(r"^```.*?^```$", "~~~", text, flags=re.MULTILINE | re.DOTALL)


def shape(text: str) -> list[str]:
    """Return how each block begins: a heading, an item, a row, a code block, a text."""
    begun: list[str] = []
    for block in prose(text).strip().split("\n\n"):
        begun += re.findall(r"^(#+ (?:\d\. )?|- |\| |~~~)", block, re.MULTILINE) or ["text"]
    return begun


def test_the_guides_are_built_alike() -> None:
    english, *others = (shape(GUIDES[language]) for language in (Language.EN, Language.RU))
    assert english.count("## ") > len(Language)
    for other in others:
        assert other == english


def test_the_guides_show_the_same_commands_and_the_same_lines() -> None:
    assert blocks(GUIDES[Language.RU]) == blocks(ENGLISH)


def test_the_guides_lead_to_the_same_places() -> None:
    def outside(text: str) -> list[str]:
        return sorted(re.findall(r"\]\((\.\./[^)]+)\)", prose(text)))

    assert outside(GUIDES[Language.RU]) == outside(ENGLISH)


@each_language
def test_links_within_a_guide_lead_to_a_heading(language: Language) -> None:
    text = GUIDES[language]
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}
    for anchor in re.findall(r"\]\(#([^)]+)\)", text):
        assert anchor in anchors, anchor


@each_language
def test_the_same_is_named_in_both(language: Language) -> None:
    """What stands between backquotes is of the program: never translated."""

    def named(text: str) -> set[str]:
        return {re.sub(r"\s+", " ", each) for each in re.findall(r"`([^`]+)`", prose(text))}

    assert named(GUIDES[language]) ^ named(ENGLISH) == set()


def commands() -> Iterator[list[str]]:
    """Yield the arguments of each `lambda-matrix` that is shown."""
    shown = [line for kind, text in blocks(ENGLISH) if kind == "sh" for line in text.splitlines()]
    shown += re.findall(r"`(lambda-matrix [^`]+)`", prose(ENGLISH))
    for line in shown:
        given = re.fullmatch(r"(?:python3 |\S+/)?lambda-matrix(?:\.pex)?(?:\.previous)? (.+)", line)
        if given is not None:
            yield shlex.split(given[1], comments=True)


def test_each_command_exists_with_its_options() -> None:
    given = list(commands())
    assert {name for name, *_ in given} >= {"install", "uninstall", "login", "doctor", "reset"}
    context = click.Context(main)
    for name, *options in given:
        command = main.get_command(context, name)
        assert command is not None, name
        known = {option for each in command.params for option in each.opts + each.secondary_opts}
        assert set(options) <= known | {"--help"}, name


def test_each_unit_and_each_file_of_the_installation_is_one() -> None:
    installed = {
        layout.SERVICE,
        layout.AGENT,
        layout.STACK,
        *map(str, (*layout.PROGRAM, layout.COMMAND, layout.CONFIGURATION, layout.WORKSPACES)),
        *(str(piece.target) for piece in (*layout.PIECES, *layout.SETTINGS)),
        *map(str, (*layout.DATA, *layout.CACHES)),
        str(layout.OPERATORS_UNITS / layout.SERVICE),  # of an installation by hand
    }
    for unit in re.findall(r"\blambda-[\w-]+\.(?:service|target)\b", ENGLISH):
        assert unit in installed, unit
    for path in re.findall(r"/(?:etc|usr|var)/[\w./-]*lambda-[\w./-]*\w", ENGLISH):
        if path.startswith(("/etc/credstore", "/etc/nginx")):
            continue
        above = {str(parent) for parent in Path(path).parents}
        is_data = above & {str(layout.CONFIGURATION), *map(str, layout.DATA), str(layout.VENVS)}
        inner = any(known.startswith(f"{path}/") for known in installed)
        assert path in installed or is_data or inner, path


def test_each_setting_is_one() -> None:
    named = re.findall(r"`\[(\w+)\](?: (\w+))?(?: = [^`]+)?`", ENGLISH)
    assert named
    for section, key in named:
        if section != "Service":
            assert section in _SECTIONS, section
            assert not key or key in {each.name for each in keys(_SECTIONS[section])}, key


@each_language
def test_each_status_is_one(language: Language) -> None:
    word = {Language.EN: "status", Language.RU: "код"}[language]
    told = re.findall(rf"\b{word} (\d\d)\b", GUIDES[language], re.IGNORECASE)
    assert {int(each) for each in told} == {
        Exit.SESSION_DEAD,
        Exit.DATABASE_DAMAGED,
        Exit.ANOTHER_INSTANCE,
        Exit.CONFIGURATION,
    }


@cache
def sentences() -> tuple[re.Pattern[str], ...]:
    """Return a pattern for each text in the program; its groups are what is always the same."""
    patterns = set()
    for file in (ROOT / "lambda_matrix").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            pieces = [piece for piece in _pieces(node) if piece]
            if sum(map(len, pieces)) >= LEAST_LITERAL:
                patterns.add(".+?".join(f"({re.escape(piece)})" for piece in pieces))
    return tuple(map(re.compile, patterns))


def _pieces(node: ast.AST) -> list[str]:
    """Return the literal pieces of a text; between them stands what differs."""
    match node:
        case ast.Constant(value=str(text)):
            return re.split(r"%(?:\.\d)?[sdrf]", text)
        case ast.JoinedStr(values=values):
            return [str(each.value) for each in values if isinstance(each, ast.Constant)]
        case _:
            return []


def foreign(line: str) -> str:
    """Return what of a line stands in no text of the program."""
    own = [False] * len(line)
    for pattern in sentences():
        found = pattern.search(line)
        for group in range(1, pattern.groups + 1) if found else ():
            begin, end = found.span(group) if found else (0, 0)
            own[begin:end] = [True] * (end - begin)
    return "".join(character for character, is_own in zip(line, own, strict=True) if not is_own)


def test_each_line_of_the_journal_is_one_that_the_program_says() -> None:
    lines = [line for kind, text in blocks(ENGLISH) if kind == "text" for line in text.splitlines()]
    assert lines
    for line in lines:
        assert len(foreign(line)) < MOST_FOREIGN * len(line), foreign(line)
