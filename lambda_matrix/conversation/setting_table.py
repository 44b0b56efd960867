"""How settings are written in `!set <key> <value>`.

A setting has a key and a few allowed values, each with its names in both languages (the first is
told), and every name works for everybody: `!set язык en`, `!set streaming выкл`.
"""

import re
from enum import Enum
from typing import assert_never

from attrs import frozen

from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.nearest import folded, nearest
from lambda_matrix.conversation.settings import (
    PersonSettings,
    ReplyStyle,
    SetLanguage,
    SetReplyStyle,
    SetStreaming,
    SetThreads,
    SettingChange,
    SetToolLines,
    Threads,
)


class SettingKey(Enum):
    """The settings that there are, by their English keys."""

    LANGUAGE = "language"
    STREAMING = "streaming"
    STYLE = "style"
    TOOLS = "tools"
    THREADS = "threads"


@frozen
class UnknownSetting:
    """There is no setting of this key; `nearest` is the most like it, if any, of `keys`."""

    key: str
    nearest: str | None
    keys: tuple[str, ...]


@frozen
class BadValue:
    """The setting `key` does not take `value` (None: there was none), but these."""

    key: str
    value: str | None
    allowed: tuple[str, ...]


SettingProblem = UnknownSetting | BadValue


@frozen
class Words:
    """The names of one thing in both languages; the first of each is the one that is told."""

    english: tuple[str, ...]
    russian: tuple[str, ...]

    def of(self, language: Language) -> tuple[str, ...]:
        """Return the names in `language`."""
        match language:
            case Language.EN:
                return self.english
            case Language.RU:
                return self.russian
            case _:
                assert_never(language)


_ON = Words(("on", "yes", "true", "1"), ("вкл", "да", "включить", "включено"))
_OFF = Words(("off", "no", "false", "0"), ("выкл", "нет", "выключить", "выключено"))

_KEYS = {
    SettingKey.LANGUAGE: Words(("language", "lang", "locale"), ("язык",)),
    SettingKey.STREAMING: Words(("streaming", "stream"), ("поток", "стриминг", "потоком")),
    SettingKey.STYLE: Words(("style", "replystyle", "reply"), ("стиль", "вид", "оформление")),
    SettingKey.TOOLS: Words(
        ("tools", "tool", "toollines", "toolstatuslines"), ("инструменты", "инструмент")
    ),
    SettingKey.THREADS: Words(("threads", "thread"), ("ветки", "треды", "ветка", "обсуждения")),
}
_VALUES: dict[SettingKey, tuple[tuple[SettingChange, Words], ...]] = {
    SettingKey.LANGUAGE: (
        (SetLanguage(Language.EN), Words(("en", "english"), ("en", "английский"))),
        (SetLanguage(Language.RU), Words(("ru", "russian"), ("ru", "русский"))),
    ),
    SettingKey.STREAMING: (
        (SetStreaming(is_on=True), _ON),
        (SetStreaming(is_on=False), _OFF),
    ),
    SettingKey.STYLE: (
        (
            SetReplyStyle(ReplyStyle.FORMATTED),
            Words(("formatted", "markdown", "rich"), ("разметка", "с разметкой", "красивый")),
        ),
        (
            SetReplyStyle(ReplyStyle.PLAIN),
            Words(("plain", "text"), ("простой", "просто", "текст")),
        ),
    ),
    SettingKey.TOOLS: (
        (SetToolLines(is_on=True), _ON),
        (SetToolLines(is_on=False), _OFF),
    ),
    SettingKey.THREADS: (
        (SetThreads(Threads.SHARED), Words(("shared", "common"), ("общие", "общий", "общая"))),
        (SetThreads(Threads.OWN), Words(("own", "separate"), ("свои", "свой", "своя", "отдельно"))),
    ),
}
_BY_NAME = {
    folded(name): (key, language)
    for language in Language
    for key, words in _KEYS.items()
    for name in words.of(language)
}
_WORDS_OF = {change: (key, words) for key, values in _VALUES.items() for change, words in values}
_SEPARATOR = re.compile(r"[\s=:]+")
_JOINERS = re.compile(r"[-_ ]")


def parse_change(argument: str) -> SettingChange | SettingProblem:
    """Return what `<key> <value>` changes, or what is wrong with it.

    The words of a problem are in the language in which the key was written.
    """
    words = _SEPARATOR.sub(" ", argument).strip().split(" ")
    for length in range(len(words), 0, -1):  # "reply style plain": the longest key that there is
        found = _BY_NAME.get(_JOINERS.sub("", folded("".join(words[:length]))))
        if found is not None:
            key, language = found
            return _value(key, language, " ".join(words[length:]))
    names = tuple(words.of(_language_of(argument))[0] for words in _KEYS.values())
    near = nearest(
        words[0], [name for each in _KEYS.values() for name in each.english + each.russian]
    )
    return UnknownSetting(words[0], near, names)


def key_word(key: SettingKey, language: Language) -> str:
    """Return how the setting is called in `language`."""
    return _KEYS[key].of(language)[0]


def allowed_words(key: SettingKey, language: Language) -> tuple[str, ...]:
    """Return the values that the setting takes, as they are written in `language`."""
    return tuple(words.of(language)[0] for _, words in _VALUES[key])


def as_they_stand(
    settings: PersonSettings, language: Language, threads: Threads | None
) -> dict[SettingKey, SettingChange]:
    """Return each setting as the change that would make it what it is.

    `language` is the one that is spoken, chosen or not. `threads` None: there is no chat.
    """
    standing: dict[SettingKey, SettingChange] = {
        SettingKey.LANGUAGE: SetLanguage(language),
        SettingKey.STREAMING: SetStreaming(settings.streaming),
        SettingKey.STYLE: SetReplyStyle(settings.reply_style),
        SettingKey.TOOLS: SetToolLines(settings.tool_lines),
    }
    if threads is not None:
        standing[SettingKey.THREADS] = SetThreads(threads)
    return standing


def described(change: SettingChange, language: Language) -> tuple[str, str]:
    """Return the key and the value of `change`, as they are written in `language`."""
    key, words = _WORDS_OF[change]
    return key_word(key, language), words.of(language)[0]


def _value(key: SettingKey, language: Language, written: str) -> SettingChange | BadValue:
    for change, words in _VALUES[key]:
        if folded(written) in map(folded, words.english + words.russian):
            return change
    return BadValue(key_word(key, language), written or None, allowed_words(key, language))


def _language_of(argument: str) -> Language:
    """Return the language in which something was written, by its letters."""
    is_cyrillic = any("а" <= letter <= "я" for letter in folded(argument))
    return Language.RU if is_cyrillic else Language.EN
