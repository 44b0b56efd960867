"""Commands: everything that a person can want of the service itself, as a closed union.

How they are written is `command_table`'s and `parsing`'s; what they do, the surface's.
"""

from attrs import frozen

from lambda_matrix.conversation.setting_table import SettingProblem
from lambda_matrix.conversation.settings import SettingChange

# -- chats --


@frozen
class NewChat:
    """`!new [name]`: a new chat; None leaves the name to the service."""

    name: str | None


@frozen
class Chats:
    """`!chats`: list the person's chats."""


@frozen
class Rename:
    """`!rename <name>`: give this chat another name."""

    name: str


@frozen
class Archive:
    """`!archive`: take this chat out of the person's Space, and stop answering in it."""


@frozen
class Unarchive:
    """`!unarchive`: the way back."""


@frozen
class Delete:
    """`!delete`: end this chat for good; to be confirmed."""


@frozen
class Bind:
    """`!bind`: make this strange place a chat."""


# -- the conversation --


@frozen
class Stop:
    """`!stop [all]`: cancel the running request, with `everything` also those that wait."""

    everything: bool


@frozen
class Retry:
    """`!retry`: ask the last question again."""


@frozen
class Clear:
    """`!clear`: go on here in a fresh context."""


@frozen
class Context:
    """`!context`: tell about this chat's context and the saved ones."""


@frozen
class Save:
    """`!save [name]`: save this conversation; None leaves the name to the service."""

    name: str | None


@frozen
class Load:
    """`!load [name or number]`: go on from a saved conversation; None lists them to pick from."""

    choice: str | None


@frozen
class Forget:
    """`!forget <name>`: delete a saved conversation."""

    name: str


# -- files --


@frozen
class Files:
    """`!files`: list the files that go along with the next message."""


@frozen
class Remove:
    """`!remove <numbers or all>`: do not send these along. Numbers count from 1."""

    numbers: tuple[int, ...]
    everything: bool = False


# -- confirmations --


@frozen
class Yes:
    """`!yes [numbers]`: consent to these of what is asked, from 1; () is all of it."""

    numbers: tuple[int, ...] = ()


@frozen
class No:
    """`!no [reason]`: refuse all of what is asked."""

    reason: str | None = None


# -- settings, and the service itself --


@frozen
class SelectAgent:
    """`!agent [id or number]`: choose the agent of new chats; None lists them to pick from."""

    choice: str | None


@frozen
class ShowSettings:
    """`!settings`: the dashboard. Changes nothing."""


@frozen
class ListSettings:
    """`!set` alone: what can be set, how it is set now, and how to set it."""


@frozen
class ChangeSetting:
    """`!set <key> <value>`."""

    change: SettingChange


@frozen
class Status:
    """`!status`: is the agent reachable, is the service well."""


@frozen
class Help:
    """`!help`: list the commands."""


# -- what is no command --


@frozen
class UnknownCommand:
    """A command that there is not, and the nearest that there is; both with their prefix."""

    word: str
    nearest: str | None


@frozen
class NeedsArgument:
    """The command says nothing without an argument."""


@frozen
class TakesNothing:
    """The command stands alone."""


@frozen
class TakesOnly:
    """The command takes this one word or nothing."""

    word: str


@frozen
class TakesNumbers:
    """The command takes numbers, from 1."""


@frozen
class NumberAsName:
    """A name is asked for, and in this place a number would be taken for a place in a list."""


ArgumentProblem = (
    NeedsArgument | TakesNothing | TakesOnly | TakesNumbers | NumberAsName | SettingProblem
)


@frozen
class BadArgument:
    """A command with an argument that it does not take.

    `usage` is how it is written, e.g. `!stop [all]`, in the language in which it was; `problem`
    is what is wrong with it.
    """

    usage: str
    problem: ArgumentProblem


Command = (
    NewChat
    | Chats
    | Rename
    | Archive
    | Unarchive
    | Delete
    | Bind
    | Stop
    | Retry
    | Clear
    | Context
    | Save
    | Load
    | Forget
    | Files
    | Remove
    | Yes
    | No
    | SelectAgent
    | ShowSettings
    | ListSettings
    | ChangeSetting
    | Status
    | Help
    | UnknownCommand
    | BadArgument
)
