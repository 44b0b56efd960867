import pytest
from hypothesis import given, strategies as st

from lambda_matrix.conversation.command_table import CommandName, usage
from lambda_matrix.conversation.commands import (
    BadArgument,
    Chats,
    Command,
    Help,
    NewChat,
    Status,
    Stop,
    TakesNothing,
    TakesOnly,
    UnknownCommand,
)
from lambda_matrix.conversation.help import help_text
from lambda_matrix.conversation.parsing import NAME_LIMIT, parse_command, spoken_text
from lambda_matrix.conversation.texts import Language, texts


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("!help", Help()),
        ("!помощь", Help()),
        ("!Справка", Help()),
        ("!help me please", Help()),
        ("  !HELP\n", Help()),
        ("!new", NewChat(None)),
        ("!new  Two   words ", NewChat("Two words")),
        ("!новый Отпуск", NewChat("Отпуск")),
        ("!новыи\u0306 Отпуск", NewChat("Отпуск")),
        ("!new\nname", NewChat("name")),
        ("!new\tname", NewChat("name")),
        ("!new " + "x" * 500, NewChat("x" * NAME_LIMIT)),
        ("!chats", Chats()),
        ("!чаты", Chats()),
        ("!stop", Stop(everything=False)),
        ("!stop ALL", Stop(everything=True)),
        ("!стоп", Stop(everything=False)),
        ("!стоп все", Stop(everything=True)),
        ("!стоп всё", Stop(everything=True)),
        ("!status", Status()),
        ("!СТАТУС", Status()),
    ],
)
def test_commands_in_both_languages(body: str, command: Command) -> None:
    assert parse_command(body) == command


@pytest.mark.parametrize(
    "body", ["", "help", "!", "!!", "!?", "! help", "!1", "!!help", "so !help", "!…", "¡help"]
)
def test_what_is_no_command(body: str) -> None:
    assert parse_command(body) is None


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("!stop it", BadArgument("!stop [all]", TakesOnly("all"))),
        ("!стоп ка", BadArgument("!стоп [все]", TakesOnly("все"))),
        ("!chats 1", BadArgument("!chats", TakesNothing())),
        ("!status please", BadArgument("!status", TakesNothing())),
    ],
)
def test_a_bad_argument_is_told_in_the_language_of_the_command(
    body: str, expected: BadArgument
) -> None:
    assert parse_command(body) == expected


@pytest.mark.parametrize(
    ("body", "word", "nearest"),
    [
        ("!hepl", "!hepl", "!help"),
        ("!Stpo now", "!Stpo", "!stop"),
        ("!помощ", "!помощ", "!помощь"),
        ("!ыещз", "!ыещз", "!stop"),
        ("!cnjg", "!cnjg", "!стоп"),
        ("!xyzzy", "!xyzzy", None),
        ("!" + "a" * 10_000, "!" + "a" * 10_000, None),
    ],
)
def test_an_unknown_command_has_a_nearest(body: str, word: str, nearest: str | None) -> None:
    assert parse_command(body) == UnknownCommand(word, nearest)


def test_the_prefix_is_a_setting() -> None:
    assert parse_command("/help", "/") == Help()
    assert parse_command("!help", "/") is None
    assert parse_command("лямбда:стоп ку", "лямбда:") == BadArgument(
        "лямбда:стоп [все]", TakesOnly("все")
    )
    assert parse_command("//help", "/") is None


def test_a_doubled_prefix_says_it_is_a_text() -> None:
    assert spoken_text("!!help") == "!help"
    assert spoken_text(" !!!") == " !!"
    assert spoken_text("really!!") == "really!!"
    assert spoken_text("//x", "/") == "/x"


@given(st.text())
def test_whatever_is_typed_is_understood_somehow(body: str) -> None:
    parse_command(body)
    parse_command("!" + body)


@pytest.mark.parametrize("language", Language)
def test_help_lists_each_command_as_it_can_be_typed(language: Language) -> None:
    listed = help_text(texts(language, "/"), "/").splitlines()
    for name in (CommandName.HELP, CommandName.NEW, CommandName.STOP):
        written = usage(name, language, "/")
        assert [line for line in listed if line.startswith(f"- `{written}`: ")]
