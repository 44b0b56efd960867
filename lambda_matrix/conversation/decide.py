"""What a person's message means, given where it was said and what stands open there.

The theory. A messenger has three kinds of places. A *chat* is bound to an agent and a context:
what is said there is a question, unless it is a command. A *lobby* is where somebody reached us
first: commands work there, and anything else is answered with the way to the chats. A *strange*
place is nobody's: whoever addresses us there is told once how to begin, and can have it made a
chat. Where more than two people are, a message is ours only if it is addressed to us; a command
always is, but in a strange place.

Two things can stand open for one person in one place. A *pick*: they were shown a list, and the
next bare number picks from it. A number that the list does not have is a slip of the finger, so
it is told and the pick stays; any other text ends the pick (`ends_pick`) and means what it always
means. A *confirmation*: something waits for `!yes` or `!no`. Commands go on working meanwhile, but
a question would be answered by an agent that waits for something else, so it does not reach it.
"""

import re

from attrs import frozen

from lambda_matrix.conversation.command_table import TABLE, Place, usage
from lambda_matrix.conversation.commands import Command, UnknownCommand
from lambda_matrix.conversation.parsing import Spoken, parse, parse_number, spoken_text


@frozen(kw_only=True)
class Standing:
    """How things stand where a person says something.

    `addressed` is False for a message among more than two people that does not mention us. `pick`
    counts the entries of the list that they may pick from, None for no list. `is_asked`: a
    confirmation waits for this person here. `names` are what we are called there.
    """

    place: Place
    addressed: bool = True
    is_archived: bool = False
    pick: int | None = None
    is_asked: bool = False
    names: tuple[str, ...] = ()


@frozen
class Ask:
    """A question for the agent."""

    text: str


@frozen
class Execute:
    """A command for us; it never reaches the agent."""

    command: Command


@frozen
class SayNotHere:
    """The command, written as `usage`, does not work in this kind of place."""

    usage: str
    place: Place


@frozen
class Pick:
    """The entry of the open list that is taken, from 1. The pick is over."""

    number: int


@frozen
class SayOutOfRange:
    """The open list has only `count` entries. The pick stays open."""

    count: int


@frozen
class RemindOfConfirmation:
    """Say what waits to be confirmed; the text goes nowhere."""


@frozen
class SayArchived:
    """Say that this chat is archived, and how it comes back."""


@frozen
class ShowTheWay:
    """Say where the person's chats are."""


@frozen
class TellHowToBegin:
    """Say, once, how to get chats at all."""


@frozen
class KeepSilent:
    """It was not said to us."""


Decision = (
    Ask
    | Execute
    | SayNotHere
    | Pick
    | SayOutOfRange
    | RemindOfConfirmation
    | SayArchived
    | ShowTheWay
    | TellHowToBegin
    | KeepSilent
)


@frozen
class Stage:
    """Keep the file: it goes along with the person's next question here."""


FileDecision = (
    Ask | Stage | RemindOfConfirmation | SayArchived | ShowTheWay | TellHowToBegin | KeepSilent
)


def decide_file(caption: str | None, standing: Standing, prefix: str) -> FileDecision:
    """Decide what a file wants of us; `caption` is what is asked with it, None for nothing yet.

    A caption is a question, whatever it begins with.
    """
    if not standing.addressed:
        return KeepSilent()
    if standing.place is not Place.CHAT:
        return ShowTheWay() if standing.place is Place.LOBBY else TellHowToBegin()
    if standing.is_archived:
        return SayArchived()
    if caption is None:
        return Stage()
    if standing.is_asked:
        return RemindOfConfirmation()
    return Ask(without_mention(caption, standing.names, prefix))


def decide(text: str, standing: Standing, prefix: str) -> Decision:
    """Decide what `text` wants of us; `prefix` is what commands begin with."""
    said = without_mention(text, standing.names, prefix)
    spoken = parse(said, prefix)
    if standing.place is Place.STRANGE:
        return _in_a_strange_place(spoken, standing)
    if isinstance(spoken, Spoken):
        return _execute(spoken, standing.place, prefix)
    if spoken is not None:
        return Execute(spoken)
    number = parse_number(said)
    if standing.pick is not None and number is not None:
        return Pick(number) if number <= standing.pick else SayOutOfRange(standing.pick)
    return _ordinary(spoken_text(said, prefix), standing)


def ends_pick(decision: Decision) -> bool:
    """Return whether an open pick is over after this."""
    return not isinstance(decision, SayOutOfRange)


def without_mention(text: str, names: tuple[str, ...], prefix: str) -> str:
    """Return `text` without our name at its beginning, if it is there to address us.

    "Lambda: what", "@lambda:example.org what" and the link that some clients make of a mention
    address us; "Lambda calculus" does not. A text that is nothing else stays as it is.
    """
    for name in sorted(names, key=len, reverse=True):
        quoted = re.escape(name.removeprefix("@"))
        found = re.match(
            rf"\s*(?:\[@?{quoted}\]\([^()\s]*\)[:,]?|@{quoted}[:,]?(?!\S)|{quoted}[:,](?!\S)"
            rf"|{quoted}(?=\s+{re.escape(prefix)}))\s*",
            text,
            re.IGNORECASE,
        )
        if found is not None:
            return text[found.end() :] or text
    return text


def _ordinary(text: str, standing: Standing) -> Decision:
    """Decide what a text wants that is neither a command nor picks anything."""
    if not standing.addressed:
        return KeepSilent()
    if standing.place is Place.LOBBY:
        return ShowTheWay()
    if standing.is_asked:
        return RemindOfConfirmation()
    return SayArchived() if standing.is_archived else Ask(text)


def _in_a_strange_place(spoken: Spoken | UnknownCommand | None, standing: Standing) -> Decision:
    if not standing.addressed:
        return KeepSilent()
    if isinstance(spoken, Spoken) and Place.STRANGE in TABLE[spoken.name].places:
        return Execute(spoken.command)
    return TellHowToBegin()


def _execute(spoken: Spoken, place: Place, prefix: str) -> Decision:
    if place in TABLE[spoken.name].places:
        return Execute(spoken.command)
    return SayNotHere(usage(spoken.name, spoken.language, prefix), place)
