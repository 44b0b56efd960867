import pytest
from hypothesis import given, strategies as st

from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.setting_table import (
    BadValue,
    SettingKey,
    SettingProblem,
    UnknownSetting,
    allowed_words,
    as_they_stand,
    described,
    key_word,
    parse_change,
)
from lambda_matrix.conversation.settings import (
    PersonChange,
    PersonSettings,
    ReplyStyle,
    SetLanguage,
    SetReplyStyle,
    SetStreaming,
    SetThreads,
    SettingChange,
    SetToolLines,
    Threads,
    changed,
)


@pytest.mark.parametrize(
    ("argument", "change"),
    [
        ("language ru", SetLanguage(Language.RU)),
        ("язык en", SetLanguage(Language.EN)),
        ("ЯЗЫК Русский", SetLanguage(Language.RU)),
        ("language=ru", SetLanguage(Language.RU)),
        ("language:  en", SetLanguage(Language.EN)),
        ("streaming off", SetStreaming(is_on=False)),
        ("streaming выкл", SetStreaming(is_on=False)),
        ("поток вкл", SetStreaming(is_on=True)),
        ("style plain", SetReplyStyle(ReplyStyle.PLAIN)),
        ("reply style plain", SetReplyStyle(ReplyStyle.PLAIN)),
        ("reply_style formatted", SetReplyStyle(ReplyStyle.FORMATTED)),
        ("стиль с разметкой", SetReplyStyle(ReplyStyle.FORMATTED)),
        ("tools off", SetToolLines(is_on=False)),
        ("tool status lines on", SetToolLines(is_on=True)),
        ("threads own", SetThreads(Threads.OWN)),
        ("ветки общие", SetThreads(Threads.SHARED)),
        ("language", BadValue("language", None, ("en", "ru"))),
        ("language de", BadValue("language", "de", ("en", "ru"))),
        ("поток может быть", BadValue("поток", "может быть", ("вкл", "выкл"))),
        (
            "langauge ru",
            UnknownSetting(
                "langauge", "language", ("language", "streaming", "style", "tools", "threads")
            ),
        ),
        (
            "шрифт",
            UnknownSetting("шрифт", None, ("язык", "поток", "стиль", "инструменты", "ветки")),
        ),
    ],
)
def test_settings_in_both_languages(argument: str, change: SettingChange | SettingProblem) -> None:
    assert parse_change(argument) == change


@given(st.text())
def test_whatever_is_set_is_understood_somehow(argument: str) -> None:
    parse_change(argument)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("key", SettingKey)
def test_what_is_told_can_be_typed(key: SettingKey, language: Language) -> None:
    for word in allowed_words(key, language):
        change = parse_change(f"{key_word(key, language)} {word}")
        assert not isinstance(change, SettingProblem)
        assert described(change, language) == (key_word(key, language), word)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (SetLanguage(Language.RU), PersonSettings(language=Language.RU)),
        (SetStreaming(is_on=False), PersonSettings(streaming=False)),
        (SetReplyStyle(ReplyStyle.PLAIN), PersonSettings(reply_style=ReplyStyle.PLAIN)),
        (SetToolLines(is_on=False), PersonSettings(tool_lines=False)),
    ],
)
def test_a_change_changes_one_thing(change: PersonChange, expected: PersonSettings) -> None:
    assert changed(PersonSettings(), change) == expected
    assert changed(expected, change) == expected


def test_settings_as_they_stand() -> None:
    standing = as_they_stand(PersonSettings(), Language.RU, None)
    assert SettingKey.THREADS not in standing
    assert standing[SettingKey.LANGUAGE] == SetLanguage(Language.RU)
    standing = as_they_stand(PersonSettings(streaming=False), Language.EN, Threads.OWN)
    assert standing[SettingKey.STREAMING] == SetStreaming(is_on=False)
    assert list(standing) == list(SettingKey)
