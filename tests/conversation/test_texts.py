import ast
import re
from operator import attrgetter
from pathlib import Path

import pytest
from attrs import fields_dict, has

import lambda_matrix
from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.commands import BadArgument
from lambda_matrix.conversation.language import Language, parse_language
from lambda_matrix.conversation.parsing import Spoken, parse
from lambda_matrix.conversation.texts import Texts, texts
from lambda_matrix.conversation.texts_en import wording as english
from lambda_matrix.conversation.texts_ru import wording as russian
from lambda_matrix.surface.writing.rendering import render
from tests.conversation.samples import LINK, SAMPLES, sentences

A_NAME = {"contexts.default_name"}  # made of a name, and passed on as one
IN_LATIN = {"rooms.space_name"}
TO_COME: set[str] = set()
"""Sentences that nothing says yet."""


@pytest.mark.parametrize("language", Language)
def test_every_sentence_can_be_said(language: Language) -> None:
    for where, sentence in sentences(texts(language)):
        assert sentence == sentence.strip() != "", where
        assert "  " not in sentence, where
        assert "None" not in sentence, where
        assert ".." not in sentence, where
        assert " ." not in sentence, where


def test_nothing_is_sampled_that_is_not_there() -> None:
    assert set(SAMPLES) <= {where for where, _ in sentences(texts(Language.EN))}


def test_no_sentence_waits_in_vain_to_be_said() -> None:
    """Each name of the catalogue is asked for somewhere. A name that two themes share counts."""
    written = {"catalogue", "texts_en", "texts_ru"}
    asked: set[str] = set()
    for file in Path(lambda_matrix.__file__).parent.rglob("*.py"):
        if not written & set(file.parts):
            tree = ast.parse(file.read_text(encoding="utf-8"))
            asked |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    catalogue = texts(Language.EN)
    there = {
        f"{theme}.{name}"
        for theme in fields_dict(Texts)
        if has(type(getattr(catalogue, theme)))
        for name in fields_dict(type(getattr(catalogue, theme)))
    }
    assert {where for where in there if where.split(".")[1] not in asked} == TO_COME


@pytest.mark.parametrize("language", Language)
def test_no_text_stands_in_two_places(language: Language) -> None:
    said: dict[str, str] = {}
    for where, sentence in sentences(texts(language)):
        assert said.setdefault(sentence, where) == where, sentence


def test_both_languages_say_what_they_are_given() -> None:
    """A name or a number that one of them shows, the other shows, too."""
    pairs = zip(sentences(texts(Language.EN)), sentences(texts(Language.RU)), strict=True)
    for (where, english_one), (_, russian_one) in pairs:
        for given in ("a_b", r"a\_b", "a*b", r"a\*b", "matrix.to", "image/png", "@a"):
            assert (given in english_one) == (given in russian_one), (where, given)


def test_each_language_uses_its_own_letters() -> None:
    for where, sentence in sentences(texts(Language.RU)):
        if where not in A_NAME | IN_LATIN:
            assert re.search("[а-яё]", sentence, re.IGNORECASE), where
    for where, sentence in sentences(texts(Language.EN)):
        assert not re.search("[а-яё]", sentence, re.IGNORECASE), where


@pytest.mark.parametrize("language", Language)
def test_each_failure_has_a_sentence_of_its_own(language: Language) -> None:
    said = [texts(language).answers.failure(failure) for failure in RunFailure]
    assert len(set(said)) == len(RunFailure)


@pytest.mark.parametrize("language", Language)
def test_the_commands_that_are_spoken_of_exist_and_have_the_prefix(language: Language) -> None:
    spoken_of = {
        (where, found)
        for where, sentence in sentences(texts(language, "/"))
        for found in re.findall(r"`(/[a-zа-яё][^`]*)`", sentence)
    }
    assert len({found for _, found in spoken_of}) > 15
    for where, found in spoken_of:
        spoken = parse(re.sub("<.*>", "1", found), "/")
        assert isinstance(spoken, Spoken), (where, found)
        assert not isinstance(spoken.command, BadArgument), (where, found)


def test_names_from_outside_are_harmless() -> None:
    assert str(LINK) == r"[2\*2](https://matrix.to/#/!abc?via=example.org)"
    assert texts(Language.EN).answers.tool_line("a_b\n# c") == r"_Using a\_b \# c …_"


HOSTILE = "<b>*a*</b> [x](https://evil.example) `c` | $d$\n# e"


@pytest.mark.parametrize("language", Language)
def test_nothing_from_outside_becomes_markup(language: Language) -> None:
    """Whatever stands alone among what a sentence is given is shown as it was written."""
    say = texts(language)
    for where, samples in SAMPLES.items():
        if where in A_NAME:
            continue
        sentence = attrgetter(where)(say)
        for arguments in samples:
            hostile = [HOSTILE if isinstance(each, str) else each for each in arguments]
            shown = render(sentence(*hostile)).formatted_body or ""
            assert 'evil.example"' not in shown, where
            assert "<b>" not in shown, where
            assert "data-mx-maths" not in shown, where
            assert "<h1" not in shown, where


@pytest.mark.parametrize(
    ("count", "form"),
    [
        (0, "many"),
        (1, "one"),
        (2, "few"),
        (4, "few"),
        (5, "many"),
        (11, "many"),
        (14, "many"),
        (21, "one"),
        (22, "few"),
        (25, "many"),
        (100, "many"),
        (101, "one"),
        (111, "many"),
    ],
)
def test_russian_plurals(count: int, form: str) -> None:
    assert russian.plural(count, "one", "few", "many") == form


def test_english_plurals() -> None:
    assert "1 question " in texts(Language.EN).questions.queued(1)
    assert "2 questions " in texts(Language.EN).questions.queued(2)


@pytest.mark.parametrize(
    ("size", "in_english", "in_russian"),
    [
        (0, "0 bytes", "0 байт"),
        (1, "1 byte", "1 байт"),
        (999, "999 bytes", "999 байт"),
        (1000, "1 kB", "1 кБ"),
        (340_400, "340 kB", "340 кБ"),
        (999_999, "1 MB", "1 МБ"),
        (1_250_000, "1.2 MB", "1,2 МБ"),
        (50_000_000, "50 MB", "50 МБ"),
        (2_000_000_000, "2 GB", "2 ГБ"),
    ],
)
def test_sizes(size: int, in_english: str, in_russian: str) -> None:
    assert english.sized(size) == in_english
    assert russian.sized(size) == in_russian


@pytest.mark.parametrize(
    ("seconds", "in_english", "in_russian"),
    [
        (0.1, "a second", "секунду"),
        (8.4, "8 seconds", "8 секунд"),
        (59.6, "a minute", "минуту"),
        (130, "2 minutes", "2 минуты"),
        (3599, "an hour", "час"),
        (5 * 3600, "5 hours", "5 часов"),
        (86_000, "a day", "день"),
        (3 * 86_400, "3 days", "3 дня"),
    ],
)
def test_times(seconds: float, in_english: str, in_russian: str) -> None:
    assert english.span(seconds) == in_english
    assert russian.span(seconds) == in_russian


def test_how_long_ago() -> None:
    assert (english.ago(30), english.ago(7200)) == ("just now", "2 hours ago")
    assert (russian.ago(30), russian.ago(7200)) == ("только что", "2 часа назад")


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("ru", Language.RU),
        ("EN", Language.EN),
        ("ru_RU.UTF-8", Language.RU),
        (" en-GB ", Language.EN),
    ],
)
def test_languages_are_named_by_their_codes(code: str, language: Language) -> None:
    assert parse_language(code) is language


@pytest.mark.parametrize("code", ["", "de", "russian"])
def test_a_language_that_is_not_spoken(code: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Language"):
        parse_language(code)
