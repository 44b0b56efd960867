import attrs
import pytest
from hypothesis import given, strategies as st

from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.commands import (
    BadArgument,
    Bind,
    Clear,
    Help,
    TakesNothing,
    UnknownCommand,
    Yes,
)
from lambda_matrix.conversation.decide import (
    Ask,
    Decision,
    Execute,
    FileDecision,
    KeepSilent,
    Pick,
    RemindOfConfirmation,
    SayArchived,
    SayNotHere,
    SayOutOfRange,
    ShowTheWay,
    Stage,
    Standing,
    TellHowToBegin,
    decide,
    decide_file,
    ends_pick,
    without_mention,
)

NAMES = ("Lambda", "@lambda:example.org")
CHAT = Standing(place=Place.CHAT, names=NAMES)
UNADDRESSED = attrs.evolve(CHAT, addressed=False)
LOBBY = Standing(place=Place.LOBBY)
STRANGE = Standing(place=Place.STRANGE, names=NAMES)
OVERHEARD = attrs.evolve(STRANGE, addressed=False)
PICKING = attrs.evolve(CHAT, pick=3)
ASKED = attrs.evolve(CHAT, is_asked=True)
ARCHIVED = attrs.evolve(CHAT, is_archived=True)


@pytest.mark.parametrize(
    ("text", "standing", "decision"),
    [
        ("hello", CHAT, Ask("hello")),
        ("!!help", CHAT, Ask("!help")),
        ("2", CHAT, Ask("2")),
        ("!help", CHAT, Execute(Help())),
        ("!xyzzy", CHAT, Execute(UnknownCommand("!xyzzy", None))),
        ("!bind", CHAT, Execute(Bind())),
        ("hello", UNADDRESSED, KeepSilent()),
        ("!help", UNADDRESSED, Execute(Help())),
        ("Lambda: hello", CHAT, Ask("hello")),
        ("Lambda: !help", CHAT, Execute(Help())),
        ("Lambda: !!help", CHAT, Ask("!help")),
        ("hello", LOBBY, ShowTheWay()),
        ("!help", LOBBY, Execute(Help())),
        ("!clear", LOBBY, SayNotHere("!clear", Place.LOBBY)),
        ("!забыть", LOBBY, SayNotHere("!забыть <название>", Place.LOBBY)),
        ("!xyzzy", LOBBY, Execute(UnknownCommand("!xyzzy", None))),
        ("hello", STRANGE, TellHowToBegin()),
        ("!new", STRANGE, TellHowToBegin()),
        ("!xyzzy", STRANGE, TellHowToBegin()),
        ("!help", STRANGE, Execute(Help())),
        ("Lambda !bind", STRANGE, Execute(Bind())),
        ("!привязать 1", STRANGE, Execute(BadArgument("!привязать", TakesNothing()))),
        ("hello", OVERHEARD, KeepSilent()),
        ("!bind", OVERHEARD, KeepSilent()),
        ("2", PICKING, Pick(2)),
        (" 3. ", PICKING, Pick(3)),
        ("Lambda: 2", PICKING, Pick(2)),
        ("4", PICKING, SayOutOfRange(3)),
        ("2 of them", PICKING, Ask("2 of them")),
        ("!clear", PICKING, Execute(Clear())),
        ("2", attrs.evolve(PICKING, addressed=False), Pick(2)),
        ("two", attrs.evolve(PICKING, addressed=False), KeepSilent()),
        ("1", attrs.evolve(LOBBY, pick=1), Pick(1)),
        ("yes", ASKED, RemindOfConfirmation()),
        ("yes", attrs.evolve(ASKED, addressed=False), KeepSilent()),
        ("!yes 1 2", ASKED, Execute(Yes((1, 2)))),
        ("1", ASKED, RemindOfConfirmation()),
        ("1", attrs.evolve(ASKED, pick=1), Pick(1)),
        ("hello", ARCHIVED, SayArchived()),
        ("!help", ARCHIVED, Execute(Help())),
        ("hello", attrs.evolve(ARCHIVED, is_asked=True), RemindOfConfirmation()),
    ],
)
def test_what_a_message_means(text: str, standing: Standing, decision: Decision) -> None:
    assert decide(text, standing, "!") == decision


def test_the_prefix_is_a_setting() -> None:
    assert decide("/help", CHAT, "/") == Execute(Help())
    assert decide("!help", CHAT, "/") == Ask("!help")
    assert decide("Lambda /help", CHAT, "/") == Execute(Help())


def test_only_a_slip_of_the_finger_leaves_a_pick_open() -> None:
    assert not ends_pick(SayOutOfRange(3))
    others: tuple[Decision, ...] = (Pick(1), Ask("x"), Execute(Help()), KeepSilent())
    assert all(ends_pick(other) for other in others)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lambda: what", "what"),
        ("lambda, what", "what"),
        ("  LAMBDA:\nwhat", "what"),
        ("@lambda what", "what"),
        ("@Lambda:example.org what", "what"),
        ("@lambda:example.org: what", "what"),
        ("[Lambda](https://matrix.to/#/@lambda:example.org): what", "what"),
        ("[@lambda:example.org](https://matrix.to/#/x) what", "what"),
        ("Lambda !help", "!help"),
        ("Lambda", "Lambda"),
        ("Lambda:", "Lambda:"),
        ("Lambda calculus", "Lambda calculus"),
        ("Lambda:calculus", "Lambda:calculus"),
        ("@lambda:example.organic what", "@lambda:example.organic what"),
        ("Hi Lambda: what", "Hi Lambda: what"),
        ("what", "what"),
    ],
)
def test_a_mention_at_the_beginning_is_no_part_of_the_question(text: str, expected: str) -> None:
    assert without_mention(text, NAMES, "!") == expected


def test_a_name_may_have_any_letters() -> None:
    assert without_mention("λ (bot)*: what", ("λ (bot)*",), "!") == "what"
    assert without_mention("x: what", ("",), "!") == "x: what"


@given(st.text(), st.text(max_size=5))
def test_whatever_is_said_means_something(text: str, name: str) -> None:
    decide(text, attrs.evolve(CHAT, names=(name,)), "!")


@pytest.mark.parametrize(
    ("caption", "standing", "decision"),
    [
        (None, CHAT, Stage()),
        (None, ASKED, Stage()),
        (None, PICKING, Stage()),
        ("What is it?", CHAT, Ask("What is it?")),
        ("Lambda: what is it?", CHAT, Ask("what is it?")),
        ("!help", CHAT, Ask("!help")),
        ("", CHAT, Ask("")),
        ("What is it?", ASKED, RemindOfConfirmation()),
        (None, attrs.evolve(CHAT, is_archived=True), SayArchived()),
        ("What is it?", attrs.evolve(ASKED, is_archived=True), SayArchived()),
        ("What is it?", UNADDRESSED, KeepSilent()),
        (None, LOBBY, ShowTheWay()),
        (None, STRANGE, TellHowToBegin()),
        (None, OVERHEARD, KeepSilent()),
    ],
)
def test_what_a_file_means(caption: str | None, standing: Standing, decision: FileDecision) -> None:
    assert decide_file(caption, standing, "!") == decision
