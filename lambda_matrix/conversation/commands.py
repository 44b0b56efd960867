"""Commands: what the words after the prefix mean, and the help that is made from the same table.

Every name works for everybody, whatever language they are spoken to in. What merely begins with the
prefix is no command (`!`, `!?`, `! text`); a doubled prefix says that a text only looks like one.
"""

import difflib
import unicodedata
from collections.abc import Callable
from enum import Enum
from typing import assert_never

from attrs import frozen

from lambda_matrix.conversation.markdown import as_code
from lambda_matrix.conversation.texts import Language, Texts, texts


class CommandName(Enum):
    """The commands that there are, by their English names."""

    HELP = "help"
    NEW = "new"
    CHATS = "chats"
    STOP = "stop"
    STATUS = "status"


@frozen
class Help:
    """`!help`: list the commands."""


@frozen
class NewChat:
    """`!new [name]`: a new chat room; None leaves the name to the service."""

    name: str | None


@frozen
class Chats:
    """`!chats`: list the user's chats."""


@frozen
class Stop:
    """`!stop [all]`: cancel the running request, with `everything` also those that wait."""

    everything: bool


@frozen
class Status:
    """`!status`: is the agent reachable, is the service well."""


@frozen
class UnknownCommand:
    """A command that there is not, and the nearest that there is; both with their prefix."""

    word: str
    nearest: str | None


@frozen
class BadArgument:
    """A command with an argument that it does not take.

    `usage` is how it is written, e.g. `!stop [all]`, in the language in which it was.
    """

    usage: str


Command = Help | NewChat | Chats | Stop | Status | UnknownCommand | BadArgument

NAME_LIMIT = 100
"""Characters of a chat's name; what is longer is cut."""


@frozen
class _Entry:
    """A row of the table: what a command is called (the first name is told), and takes."""

    english: tuple[str, ...]
    russian: tuple[str, ...]
    line: Callable[[Texts], str]
    argument: Callable[[Texts], str] | None = None

    def names(self, language: Language) -> tuple[str, ...]:
        """Return the names in `language`."""
        match language:
            case Language.EN:
                return self.english
            case Language.RU:
                return self.russian
            case _:
                assert_never(language)


_TABLE = {
    CommandName.HELP: _Entry(
        ("help",), ("помощь", "справка", "хелп"), lambda texts: texts.help_help
    ),
    CommandName.NEW: _Entry(
        ("new",),
        ("новый", "новая", "новое"),
        lambda texts: texts.help_new,
        lambda texts: texts.argument_name,
    ),
    CommandName.CHATS: _Entry(("chats",), ("чаты",), lambda texts: texts.help_chats),
    CommandName.STOP: _Entry(
        ("stop",), ("стоп",), lambda texts: texts.help_stop, lambda texts: texts.argument_all
    ),
    CommandName.STATUS: _Entry(("status",), ("статус",), lambda texts: texts.help_status),
}
_BY_NAME = {
    name: (command, language)
    for command, entry in _TABLE.items()
    for language in Language
    for name in entry.names(language)
}
_EVERYTHING = frozenset({"all", "все", "всё"})
_OTHER_LAYOUT = str.maketrans(
    "qwertyuiop[]asdfghjkl;'zxcvbnm,.йцукенгшщзхъфывапролджэячсмитьбю",
    "йцукенгшщзхъфывапролджэячсмитьбюqwertyuiop[]asdfghjkl;'zxcvbnm,.",
)
"""What would have been typed on the other keyboard: `!ыещз` is `!stop`."""


def parse_command(body: str, prefix: str = "!") -> Command | None:
    """Return the command that `body` gives, or None if it is an ordinary text."""
    text = unicodedata.normalize("NFC", body).strip()
    if not text.startswith(prefix):
        return None
    rest = text[len(prefix) :]
    if not rest[:1].isalpha():
        return None
    word, *arguments = rest.split()
    argument = " ".join(arguments)
    found = _BY_NAME.get(word.casefold())
    if found is None:
        nearest = _nearest(word.casefold())
        return UnknownCommand(prefix + word, nearest and prefix + nearest)
    name, language = found
    return _command(name, argument) or BadArgument(usage(name, texts(language), prefix))


def spoken_text(body: str, prefix: str = "!") -> str:
    """Return what an ordinary text says: `!!text` is how one says `!text`."""
    doubled = prefix * 2
    return body.replace(doubled, prefix, 1) if body.lstrip().startswith(doubled) else body


def help_text(catalogue: Texts, prefix: str = "!") -> str:
    """Return the list of the commands."""
    lines = [
        f"- {as_code(usage(command, catalogue, prefix))}: {entry.line(catalogue)}"
        for command, entry in _TABLE.items()
    ]
    return "\n".join([catalogue.help_intro, "", *lines, "", catalogue.help_outro])


def usage(command: CommandName, catalogue: Texts, prefix: str = "!") -> str:
    """Return how `command` is written, e.g. `!stop [all]`."""
    entry = _TABLE[command]
    name = prefix + entry.names(catalogue.language)[0]
    return name if entry.argument is None else f"{name} [{entry.argument(catalogue)}]"


def _command(name: CommandName, argument: str) -> Command | None:
    """Return the command with its argument; None if it does not take that."""
    match name:
        case CommandName.HELP:
            return Help()  # who asks for help gets it, whatever else they wrote
        case CommandName.NEW:
            return NewChat(argument[:NAME_LIMIT].strip() or None)
        case CommandName.STOP if argument:
            return Stop(everything=True) if argument.casefold() in _EVERYTHING else None
        case CommandName.STOP:
            return Stop(everything=False)
        case CommandName.CHATS:
            return None if argument else Chats()
        case CommandName.STATUS:
            return None if argument else Status()
        case _:
            assert_never(name)


def _nearest(word: str) -> str | None:
    """Return the name that was most likely meant."""
    retyped = word.translate(_OTHER_LAYOUT)
    if retyped in _BY_NAME:
        return retyped
    return next(iter(difflib.get_close_matches(word[:NAME_LIMIT], _BY_NAME, n=1)), None)
