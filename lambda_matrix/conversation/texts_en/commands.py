"""What is said of commands as such."""

from typing import assert_never

from lambda_matrix.conversation.catalogue.commands import CommandTexts
from lambda_matrix.conversation.catalogue.quote import Quote
from lambda_matrix.conversation.command_table import CommandName, Group, Place
from lambda_matrix.conversation.commands import (
    ArgumentProblem,
    NeedsArgument,
    NumberAsName,
    TakesNothing,
    TakesNumbers,
    TakesOnly,
)
from lambda_matrix.conversation.markdown import as_code
from lambda_matrix.conversation.setting_table import BadValue, SettingProblem, UnknownSetting
from lambda_matrix.conversation.texts_en.wording import listed

_HEADINGS = {
    Group.CONVERSATION: "The conversation",
    Group.CHATS: "Your chats",
    Group.CONTEXTS: "What is remembered",
    Group.FILES: "Files for your next message",
    Group.CONFIRMATIONS: "When you are asked for your consent",
    Group.SERVICE: "Settings and help",
}
_LINES = {
    CommandName.STOP: "stop the answer in progress; with “all”, also drop the questions in line",
    CommandName.RETRY: "ask your last question again",
    CommandName.CLEAR: "start afresh in this chat; what was said before is not used any more",
    CommandName.NEW: "open a new chat",
    CommandName.CHATS: "list your chats, with links",
    CommandName.RENAME: "give this chat another name",
    CommandName.ARCHIVE: "put this chat away; I stop answering in it",
    CommandName.UNARCHIVE: "bring this chat back",
    CommandName.DELETE: "end this chat for good; I ask first",
    CommandName.BIND: "make this room one of your chats",
    CommandName.CONTEXT: "see how much I remember here, and what you have saved",
    CommandName.SAVE: "save this conversation, to go on from it another time",
    CommandName.LOAD: "go on from a saved conversation",
    CommandName.FORGET: "delete a saved conversation",
    CommandName.FILES: "list the files that go along with your next message",
    CommandName.REMOVE: "take files off that list",
    CommandName.YES: "agree; with numbers, to these alone",
    CommandName.NO: "refuse",
    CommandName.AGENT: "choose the agent of your new chats",
    CommandName.SETTINGS: "see everything at a glance",
    CommandName.SET: "change the language and how answers look",
    CommandName.STATUS: "see whether the agent is there and what it is doing",
    CommandName.HELP: "show this list",
}


def command_texts(quote: Quote) -> CommandTexts:
    """Return the sentences, with the commands as `quote` has them."""
    command_list = quote(CommandName.HELP)
    return CommandTexts(
        help_intro="This is what I understand:",
        help_outro_shared=(
            "There are more than two of us here: to ask me something, mention me or reply to me."
        ),
        help_outro=_outro,
        heading=_HEADINGS.__getitem__,
        line=_LINES.__getitem__,
        unknown=lambda word, nearest: (
            f"I do not know {as_code(word)}. "
            + (f"Did you mean {as_code(nearest)}? " if nearest else "")
            + f"{command_list} lists what I understand."
        ),
        bad_argument=lambda usage, problem: (
            f"This is how it goes: {as_code(usage)}. {_problem(problem)}"
        ),
        not_here=lambda usage, place: (
            f"{as_code(usage)} "
            + (
                f"works in your chats, not here. {command_list} lists what works here."
                if place is Place.LOBBY
                else f"does not work here. {command_list} lists what does."
            )
        ),
        please_repeat="I may have lost this command on the way. Please send it again.",
        pick_out_of_range=lambda count: (
            "There is only one entry in the list: send 1, or just carry on."
            if count == 1
            else f"The list goes from 1 to {count}: send one of these, or just carry on."
        ),
    )


def _outro(place: Place) -> str:
    match place:
        case Place.CHAT:
            return "Anything else that you write here is a question to Lambda."
        case Place.LOBBY:
            return "Your questions are answered in your chats."
        case Place.STRANGE:
            return "Everything else works in your chats."
        case _:
            assert_never(place)


def _problem(problem: ArgumentProblem) -> str:
    match problem:
        case NeedsArgument():
            return "Something is missing after the command."
        case TakesNothing():
            return "Nothing comes after the command."
        case TakesOnly(word):
            return f"Only {as_code(word)} can come after the command, or nothing."
        case TakesNumbers():
            return "I need numbers, as the list shows them."
        case NumberAsName():
            return "A name needs more than a number, since a number picks from the list."
        case UnknownSetting() | BadValue():
            return _setting_problem(problem)
        case _:
            assert_never(problem)


def _setting_problem(problem: SettingProblem) -> str:
    match problem:
        case UnknownSetting(key, nearest, keys):
            meant = f" Did you mean {as_code(nearest)}?" if nearest else ""
            there = listed(map(as_code, keys))
            return f"There is no setting {as_code(key)}.{meant} There are {there}."
        case BadValue(key, value, allowed):
            cannot = "can" if value is None else f"cannot be {as_code(value)}, but it can"
            return f"{as_code(key)} {cannot} be {_either(allowed)}."
        case _:
            assert_never(problem)


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(map(as_code, words))
