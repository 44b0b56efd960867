import re
from collections.abc import Iterator

import attrs
import pytest

from lambda_matrix.agent_events import RunFailure
from lambda_matrix.conversation.commands import UnknownCommand
from lambda_matrix.conversation.parsing import parse_command
from lambda_matrix.conversation.texts import (
    ChatLine,
    Language,
    Link,
    StatusFacts,
    Texts,
    Way,
    parse_language,
    texts,
)
from lambda_matrix.conversation.texts_ru import plural

LINK = Link("Chat *2*", "https://matrix.to/#/!abc?via=example.org")
WAY = Way(space=Link("Lambda", "https://matrix.to/#/!space"), chat=LINK)
FACTS = StatusFacts(agent="main", failure=None, running=1, waiting=2, version="1.0", sync_age=0.5)


def sentences(say: Texts) -> Iterator[str]:
    """Everything that can be said, in one form at least."""
    for name, value in attrs.asdict(say, recurse=False).items():
        if isinstance(value, str) and not name.startswith(("argument_", "help_")):
            yield value
    yield from (say.chat_name(number) for number in (1, 2))
    yield from (say.greeting_lobby(WAY), say.greeting_again(WAY))
    yield from (say.encrypted_room(LINK), say.encrypted_room(None), say.new_chat(LINK))
    for seconds in (5.0, 60.0, 300.0, 7200.0):
        yield from (say.onboarding_delayed(seconds), say.new_chat_delayed(seconds))
        yield say.status(attrs.evolve(FACTS, sync_age=seconds))
    yield say.chats(())
    yield say.chats((ChatLine(LINK, is_busy=False), ChatLine(LINK, is_busy=True)))
    yield say.chats((ChatLine(LINK, is_busy=True, waiting=3),))
    for count in (1, 2, 5, 21):
        yield from (say.stopped_all(count), say.queued(count), say.queue_full(count))
    yield from (say.status(FACTS), say.status(attrs.evolve(FACTS, sync_age=None)))
    yield from (say.status(attrs.evolve(FACTS, failure=failure)) for failure in RunFailure)
    yield from (say.failure(failure) for failure in RunFailure)
    yield from (say.unknown_command("!x", "!y"), say.unknown_command("!x", None))
    yield from (say.bad_argument("!stop [all]"), say.tool_line("search_web"))
    yield from (say.interrupt(()), say.interrupt(("Delete it?",)), say.file_not_sent("a_b.png"))


@pytest.mark.parametrize("language", Language)
def test_every_sentence_can_be_said(language: Language) -> None:
    for sentence in sentences(texts(language)):
        assert sentence == sentence.strip() != ""
        assert "  " not in sentence
        assert "None" not in sentence
        assert "retry" not in sentence


def test_each_language_uses_its_own_letters() -> None:
    assert all(
        re.search("[а-яё]", each, re.IGNORECASE)
        for each in sentences(texts(Language.RU))
        if each != "Lambda"
    )
    assert not any(
        re.search("[а-яё]", each, re.IGNORECASE) for each in sentences(texts(Language.EN))
    )


@pytest.mark.parametrize("language", Language)
def test_each_failure_has_a_sentence_of_its_own(language: Language) -> None:
    said = [texts(language).failure(failure) for failure in RunFailure]
    assert len(set(said)) == len(RunFailure)


@pytest.mark.parametrize("language", Language)
def test_the_commands_that_are_spoken_of_exist_and_have_the_prefix(language: Language) -> None:
    spoken_of = {
        found
        for sentence in sentences(texts(language, "/"))
        for found in re.findall(r"`(/[a-zа-яё]+)`", sentence)
    }
    assert len(spoken_of) == 3
    assert not any(isinstance(parse_command(each, "/"), UnknownCommand) for each in spoken_of)


def test_names_from_outside_are_harmless() -> None:
    assert str(LINK) == r"[Chat \*2\*](https://matrix.to/#/!abc?via=example.org)"
    assert texts(Language.EN).tool_line("a_b\n# c") == r"_Using a\_b \# c …_"


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
    assert plural(count, "one", "few", "many") == form


def test_english_plurals() -> None:
    assert "1 question " in texts(Language.EN).queued(1)
    assert "2 questions " in texts(Language.EN).queued(2)


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
