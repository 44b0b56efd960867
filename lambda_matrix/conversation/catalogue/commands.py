"""What is said of commands as such."""

from collections.abc import Callable

from attrs import frozen

from lambda_matrix.conversation.command_table import CommandName, Group, Place
from lambda_matrix.conversation.commands import ArgumentProblem


@frozen(kw_only=True)
class CommandTexts:
    """The help, and what is wrong with a command."""

    help_intro: str
    help_outro_shared: str
    """What ends the help in a chat of more than two."""
    help_outro: Callable[[Place], str]
    """What else can be written in this kind of place."""
    heading: Callable[[Group], str]
    line: Callable[[CommandName], str]
    """What the command does, without a full stop."""
    unknown: Callable[[str, str | None], str]
    """The command that was typed, and the nearest that there is; both with their prefix."""
    bad_argument: Callable[[str, ArgumentProblem], str]
    """How the command is written, e.g. `!stop [all]`, and what is wrong with what was."""
    not_here: Callable[[str, Place], str]
    """The command, written so, does not work in this kind of place."""
    please_repeat: str
    """A command whose effect was lost with the database."""
    pick_out_of_range: Callable[[int], str]
    """A number was picked that a list of so many entries does not have."""
