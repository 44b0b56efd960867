"""What a person's message means, given where it was said.

The theory. A messenger has three kinds of places. A *chat* is bound to an agent and a context:
what is said there is a question, unless it is a command. A *lobby* is where somebody reached us
first: commands work there, and anything else is answered with the way to the chats. A *strange*
place is nobody's: whoever speaks there is told once how to begin. Where more than two people are,
a message is only ours if it is addressed to us; a command always is.
"""

from enum import Enum

from attrs import frozen

from lambda_matrix.conversation.commands import Command, parse_command, spoken_text


class Place(Enum):
    """The kinds of places in which a person may speak to us."""

    CHAT = "chat"
    LOBBY = "lobby"
    STRANGE = "strange"


@frozen
class Ask:
    """A question for the agent."""

    text: str


@frozen
class Execute:
    """A command for us; it never reaches the agent."""

    command: Command


@frozen
class ShowTheWay:
    """Say where the person's chats are."""


@frozen
class TellHowToBegin:
    """Say, once, how to get chats at all."""


@frozen
class KeepSilent:
    """It was not said to us."""


Decision = Ask | Execute | ShowTheWay | TellHowToBegin | KeepSilent


def decide(text: str, place: Place, *, addressed: bool, prefix: str) -> Decision:
    """Decide what `text`, said in `place`, wants of us.

    `addressed` is False for a message among more than two people that does not mention us.
    """
    if place is Place.STRANGE:
        return TellHowToBegin() if addressed else KeepSilent()
    command = parse_command(text, prefix)
    if command is not None:
        return Execute(command)
    if not addressed:
        return KeepSilent()
    if place is Place.LOBBY:
        return ShowTheWay()
    return Ask(spoken_text(text, prefix))
