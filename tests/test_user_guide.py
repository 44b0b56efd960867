"""The user guides: all of them say the same, and every command and setting is there and right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lambda_matrix.config.settings import LimitsSection
from lambda_matrix.conversation.command_table import BY_NAME, TABLE, usage
from lambda_matrix.conversation.commands import BadArgument
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.nearest import folded
from lambda_matrix.conversation.parsing import Spoken, parse, spoken_text
from lambda_matrix.conversation.setting_table import SettingKey, allowed_words, key_word
from lambda_matrix.store.conversations.saved import MOST_SAVED

ROOT = Path(__file__).parents[1]
GUIDES = {
    language: (ROOT / f"docs/user-guide/{language.value}.md").read_text(encoding="utf-8")
    for language in Language
}
each_language = pytest.mark.parametrize("language", Language)


def items(language: Language) -> list[str]:
    """Return the commands that are explained, as the items of lists begin with them."""
    return re.findall(r"^- `(![^`]+)`", GUIDES[language], re.MULTILINE)


@each_language
def test_each_command_is_explained_once_as_it_is_written(language: Language) -> None:
    assert sorted(items(language)) == sorted(usage(name, language, "!") for name in TABLE)


@each_language
def test_whatever_looks_like_a_command_is_one_of_that_language(language: Language) -> None:
    shown = set(re.findall(r"`(![^`]+)`", GUIDES[language])) - set(items(language))
    texts = {text for text in shown if text.startswith("!!")}
    assert len(texts) == 1
    for text in shown - {spoken_text(text) for text in texts}:
        spoken = parse(text)
        if text in texts:
            assert spoken is None
            continue
        assert isinstance(spoken, Spoken), text
        if " " in text:  # else it is only named
            assert not isinstance(spoken.command, BadArgument), text
        name = folded(text[1:].split()[0])
        assert name == folded(TABLE[spoken.name].names.of(language)[0]), text


@each_language
def test_each_setting_is_there_with_its_values(language: Language) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", GUIDES[language], re.MULTILINE)
    assert {key: tuple(re.findall("`([^`]+)`", values)) for key, values in rows} == {
        key_word(key, language): allowed_words(key, language) for key in SettingKey
    }


@each_language
def test_the_limits_are_those_that_hold_without_a_setting(language: Language) -> None:
    section = re.split(r"^## ", GUIDES[language], flags=re.MULTILINE)[-3]
    limits = LimitsSection()
    assert [int(told) for told in re.findall(r"\d+", section)] == [
        limits.questions_per_minute,
        limits.questions_in_line,
        limits.runs_per_person,
        limits.file_megabytes,
        limits.files_in_line,
        MOST_SAVED,
    ]


def test_the_readme_names_each_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in TABLE:
        assert f"`!{name.value}`" in readme, name


def test_the_guides_are_built_alike() -> None:
    english, *others = map(shape, Language)
    assert len(english) > len(TABLE)
    for other in others:
        assert other == english


def shape(language: Language) -> list[str]:
    """Return how each block begins: a heading, a list's item, with its command, a row, a text."""
    begun = []
    for block in GUIDES[language].strip().split("\n\n"):
        marks = re.findall(r"^(#+ |\d\. |- (?:`!\w+)?|\| )", block, re.MULTILINE) or ["text"]
        begun += [_without_language(mark) for mark in marks]
    return begun


def _without_language(mark: str) -> str:
    _, is_command, word = mark.partition("!")
    return BY_NAME[folded(word)][0].value if is_command else mark
