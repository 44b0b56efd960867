"""What to do with what was said, when it may have been obeyed already and nobody remembers.

The theory. Memory was lost: the database is gone, or older than what the rooms show. What was said
by then and has no reply may have had its effect all the same, for its reply was still to be sent.
So a command is given once more only if that leaves things as giving it once does. That is true of
all that merely tells something or asks for a list; of `!new`, whose room is found by the command;
of `!stop` and `!retry`, since what they are about is asked anew as well; and of `!clear`, which has
to be, since what was said after it was not meant for what was before. Of anything else the person
is asked to say it again. A word on what an agent had asked has lost what it was about.
"""

from typing import assert_never

from attrs import frozen

from lambda_matrix.conversation.commands import (
    Archive,
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
    NewChat,
    No,
    Remove,
    Rename,
    Retry,
    Save,
    SelectAgent,
    ShowSettings,
    Status,
    Stop,
    Unarchive,
    UnknownCommand,
    Yes,
)
from lambda_matrix.conversation.decide import Decision, Execute, FileDecision, Stage


@frozen
class AskToRepeat:
    """Ask for the command once more: nobody knows what became of it."""


@frozen
class SayWordLost:
    """Say that what this was the word on is lost."""


@frozen
class SayFileLost:
    """Say that files which waited for a question are lost."""


def reconsider(decision: Decision, *, is_asked: bool) -> Decision | AskToRepeat | SayWordLost:
    """Return what is to be done in doubt; `is_asked`: a word of the person's is waited for here."""
    if not isinstance(decision, Execute):
        return decision
    command = decision.command
    if isinstance(command, Yes | No):
        return decision if is_asked else SayWordLost()
    return decision if _may_be_given_again(command) else AskToRepeat()


def reconsider_file(decision: FileDecision) -> FileDecision | SayFileLost:
    """Return the same of a file."""
    return SayFileLost() if isinstance(decision, Stage) else decision


def _may_be_given_again(command: Command) -> bool:
    match command:
        case (
            Help()
            | Chats()
            | Context()
            | Files()
            | Status()
            | ShowSettings()
            | ListSettings()
            | NewChat()
            | Stop()
            | Retry()
            | Clear()
            | Delete()
            | UnknownCommand()
            | BadArgument()
        ):
            return True
        case Load(choice) | SelectAgent(choice):
            return choice is None  # it asks for a list
        case (
            Rename()
            | Archive()
            | Unarchive()
            | Bind()
            | Save()
            | Forget()
            | ChangeSetting()
            | Remove()
            | Yes()
            | No()
        ):
            return False
        case _:
            assert_never(command)
