"""Which command may be given twice, and what is said of the others."""

from __future__ import annotations

import pytest

from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.decide import (
    Ask,
    Execute,
    Pick,
    RemindOfConfirmation,
    Stage,
    Standing,
    decide,
)
from lambda_matrix.conversation.doubt import (
    AskToRepeat,
    SayFileLost,
    SayWordLost,
    reconsider,
    reconsider_file,
)

HARMLESS = (
    "!help",
    "!chats",
    "!context",
    "!files",
    "!status",
    "!settings",
    "!set",
    "!new",
    "!new Name",
    "!stop",
    "!stop all",
    "!retry",
    "!clear",
    "!delete",
    "!load",
    "!agent",
    "!hlep",
    "!rename",
)
TO_BE_REPEATED = (
    "!rename Name",
    "!archive",
    "!unarchive",
    "!save",
    "!forget Name",
    "!load Name",
    "!agent 2",
    "!set language ru",
    "!remove 1",
)


@pytest.mark.parametrize("said", HARMLESS)
def test_what_does_no_harm_is_done_again(said: str) -> None:
    decision = decide(said, Standing(place=Place.CHAT), "!")
    assert isinstance(decision, Execute)
    assert reconsider(decision, is_asked=False) == decision


@pytest.mark.parametrize("said", TO_BE_REPEATED)
def test_anything_else_is_to_be_repeated(said: str) -> None:
    decision = decide(said, Standing(place=Place.CHAT), "!")
    assert reconsider(decision, is_asked=False) == AskToRepeat()


def test_binding_a_room_is_to_be_repeated() -> None:
    decision = decide("!bind", Standing(place=Place.STRANGE), "!")
    assert reconsider(decision, is_asked=False) == AskToRepeat()


@pytest.mark.parametrize("said", ["!yes", "!yes 1", "!no", "!no why"])
def test_a_word_needs_what_it_is_about(said: str) -> None:
    decision = decide(said, Standing(place=Place.CHAT), "!")
    assert reconsider(decision, is_asked=False) == SayWordLost()
    assert reconsider(decision, is_asked=True) == decision


@pytest.mark.parametrize("decision", [Ask("Hello?"), Pick(1), RemindOfConfirmation()])
def test_what_is_no_command_stays_as_it_is(decision: Ask | Pick | RemindOfConfirmation) -> None:
    assert reconsider(decision, is_asked=False) == decision


def test_a_file_that_waits_is_lost_and_one_that_asks_is_a_question() -> None:
    assert reconsider_file(Stage()) == SayFileLost()
    assert reconsider_file(Ask("What is it?")) == Ask("What is it?")
