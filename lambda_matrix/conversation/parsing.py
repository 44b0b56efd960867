"""What the words after the prefix mean.

Every name works for everybody, whatever language they are spoken to in. What merely begins with the
prefix is no command (`!`, `!?`, `! text`); a doubled prefix says that a text only looks like one.
"""

import re
import unicodedata
from collections.abc import Callable

from attrs import frozen

from lambda_matrix.conversation.command_table import ALL, BY_NAME, CommandName, usage
from lambda_matrix.conversation.commands import (
    Archive,
    ArgumentProblem,
    BadArgument,
    Bind,
    ChangeSetting,
    Chats,
    Clear,
    Command,
    Context,
    Delete,
    Files,
    Forget,
    Help,
    ListSettings,
    Load,
    NeedsArgument,
    NewChat,
    No,
    NumberAsName,
    Remove,
    Rename,
    Retry,
    Save,
    SelectAgent,
    ShowSettings,
    Status,
    Stop,
    TakesNothing,
    TakesNumbers,
    TakesOnly,
    Unarchive,
    UnknownCommand,
    Yes,
)
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.nearest import folded, nearest
from lambda_matrix.conversation.setting_table import SettingProblem, parse_change

NAME_LIMIT = 100
"""Characters of a chat's or a saved conversation's name; what is longer is cut."""
_PUNCTUATION = ",.;:!?…"
_NUMBER_SEPARATOR = re.compile(r"[\s,;]+")
_NUMBER = re.compile(r"[#№]?0*([1-9][0-9]{0,3})[.)]?")
_EVERYTHING = frozenset(map(folded, ALL.english + ALL.russian))
_Understood = Command | ArgumentProblem
_Reader = Callable[[str, Language], _Understood]


@frozen
class Spoken:
    """A command that was written: which, in what language, and whether it makes sense."""

    name: CommandName
    language: Language
    command: Command


def parse(body: str, prefix: str = "!") -> Spoken | UnknownCommand | None:
    """Return the command that `body` gives and how it was written; None for an ordinary text."""
    text = unicodedata.normalize("NFC", body).strip()
    if not text.startswith(prefix):
        return None
    rest = text[len(prefix) :]
    if not rest[:1].isalpha():
        return None
    word, *arguments = rest.split(maxsplit=1)
    found = BY_NAME.get(folded(word.rstrip(_PUNCTUATION)))
    if found is None:
        near = nearest(word, BY_NAME)
        return UnknownCommand(prefix + word, near and prefix + near)
    name, language = found
    argument = arguments[0] if arguments else ""
    understood = _READERS[name](argument, language)
    if isinstance(understood, ArgumentProblem):
        return Spoken(name, language, BadArgument(usage(name, language, prefix), understood))
    return Spoken(name, language, understood)


def spoken_text(body: str, prefix: str = "!") -> str:
    """Return what an ordinary text says: `!!text` is how one says `!text`."""
    doubled = prefix * 2
    return body.replace(doubled, prefix, 1) if body.lstrip().startswith(doubled) else body


def parse_number(text: str) -> int | None:
    """Return the bare number (from 1) that `text` is, as people write it: 2, 2., #2, №2."""
    found = _NUMBER.fullmatch(text.strip())
    return int(found[1]) if found else None


def _alone(command: Command) -> _Reader:
    return lambda argument, _language: TakesNothing() if argument else command


def _named(make: Callable[[str], Command]) -> _Reader:
    def read(argument: str, _language: Language) -> _Understood:
        name = _name(argument)
        return NeedsArgument() if name is None else make(name)

    return read


def _stop(argument: str, language: Language) -> _Understood:
    if argument and not _is_everything(argument):
        return TakesOnly(ALL.of(language)[0])
    return Stop(everything=bool(argument))


def _save(argument: str, _language: Language) -> _Understood:
    name = _name(argument)
    return NumberAsName() if name is not None and parse_number(name) else Save(name)


def _remove(argument: str, _language: Language) -> _Understood:
    if not argument:
        return NeedsArgument()
    if _is_everything(argument):
        return Remove((), everything=True)
    numbers = _numbers(argument)
    return TakesNumbers() if numbers is None else Remove(numbers)


def _yes(argument: str, _language: Language) -> _Understood:
    if not argument or _is_everything(argument):
        return Yes()
    numbers = _numbers(argument)
    return TakesNumbers() if numbers is None else Yes(numbers)


def _set(argument: str, _language: Language) -> _Understood:
    if not argument:
        return ListSettings()
    change = parse_change(argument)
    return change if isinstance(change, SettingProblem) else ChangeSetting(change)


_READERS: dict[CommandName, _Reader] = {
    CommandName.STOP: _stop,
    CommandName.RETRY: _alone(Retry()),
    CommandName.CLEAR: _alone(Clear()),
    CommandName.NEW: lambda argument, _language: NewChat(_name(argument)),
    CommandName.CHATS: _alone(Chats()),
    CommandName.RENAME: _named(Rename),
    CommandName.ARCHIVE: _alone(Archive()),
    CommandName.UNARCHIVE: _alone(Unarchive()),
    CommandName.DELETE: _alone(Delete()),
    CommandName.BIND: _alone(Bind()),
    CommandName.CONTEXT: _alone(Context()),
    CommandName.SAVE: _save,
    CommandName.LOAD: lambda argument, _language: Load(_name(argument)),
    CommandName.FORGET: _named(Forget),
    CommandName.FILES: _alone(Files()),
    CommandName.REMOVE: _remove,
    CommandName.YES: _yes,
    CommandName.NO: lambda argument, _language: No(argument or None),
    CommandName.AGENT: lambda argument, _language: SelectAgent(_name(argument)),
    CommandName.SETTINGS: _alone(ShowSettings()),
    CommandName.SET: _set,
    CommandName.STATUS: _alone(Status()),
    # Who asks for help gets it, whatever else they wrote.
    CommandName.HELP: lambda _argument, _language: Help(),
}


def _name(argument: str) -> str | None:
    """Return the name that was written, in one line and cut; None for none."""
    return " ".join(argument.split())[:NAME_LIMIT].strip() or None


def _is_everything(argument: str) -> bool:
    return folded(argument) in _EVERYTHING


def _numbers(argument: str) -> tuple[int, ...] | None:
    """Return the numbers, each once; None if anything else is there."""
    found = [parse_number(each) for each in _NUMBER_SEPARATOR.split(argument.strip(" ,;"))]
    numbers = tuple(dict.fromkeys(number for number in found if number is not None))
    return None if None in found else numbers
