import pytest
from hypothesis import given, strategies as st

from lambda_matrix.conversation.command_table import TABLE, CommandName
from lambda_matrix.conversation.commands import (
    Archive,
    ArgumentProblem,
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
    NeedsArgument,
    NewChat,
    No,
    NumberAsName,
    Remove,
    Rename,
    Retry,
    Save,
    SelectAgent,
    ShowSettings,
    Status,
    Stop,
    TakesNothing,
    TakesNumbers,
    TakesOnly,
    Unarchive,
    UnknownCommand,
    Yes,
)
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.parsing import (
    NAME_LIMIT,
    Spoken,
    parse,
    parse_number,
    spoken_text,
)
from lambda_matrix.conversation.setting_table import BadValue
from lambda_matrix.conversation.settings import SetLanguage


def understood(body: str, prefix: str = "!") -> Command:
    spoken = parse(body, prefix)
    assert isinstance(spoken, Spoken)
    return spoken.command


@pytest.mark.parametrize(
    ("body", "command"),
    [
        ("!help", Help()),
        ("!помощь", Help()),
        ("!Справка", Help()),
        ("!help me please", Help()),
        ("!help?", Help()),
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
        ("!rename A  b", Rename("A b")),
        ("!переименовать Отпуск", Rename("Отпуск")),
        ("!archive", Archive()),
        ("!архив", Archive()),
        ("!unarchive", Unarchive()),
        ("!вернуть", Unarchive()),
        ("!delete", Delete()),
        ("!удалить", Delete()),
        ("!bind", Bind()),
        ("!привязать", Bind()),
        ("!stop", Stop(everything=False)),
        ("!stop ALL", Stop(everything=True)),
        ("!стоп", Stop(everything=False)),
        ("!стоп все", Stop(everything=True)),
        ("!стоп всё", Stop(everything=True)),
        ("!retry", Retry()),
        ("!повторить", Retry()),
        ("!clear", Clear()),
        ("!reset", Clear()),
        ("!очистить", Clear()),
        ("!сброс", Clear()),
        ("!context", Context()),
        ("!контекст", Context()),
        ("!save", Save(None)),
        ("!save My trip", Save("My trip")),
        ("!сохранить 2 мая", Save("2 мая")),
        ("!load", Load(None)),
        ("!load 2", Load("2")),
        ("!загрузить Отпуск", Load("Отпуск")),
        ("!forget x", Forget("x")),
        ("!забыть x", Forget("x")),
        ("!files", Files()),
        ("!файлы", Files()),
        ("!remove 2", Remove((2,))),
        ("!remove 1, 3;#2 1", Remove((1, 3, 2))),
        ("!убрать 2.", Remove((2,))),
        ("!remove all", Remove((), everything=True)),
        ("!убрать всё", Remove((), everything=True)),
        ("!yes", Yes()),
        ("!да", Yes()),
        ("!да, конечно", BadArgument("!да [номера]", TakesNumbers())),
        ("!yes all", Yes()),
        ("!yes 1 3", Yes((1, 3))),
        ("!no", No()),
        ("!нет не надо\nсовсем", No("не надо\nсовсем")),
        ("!agent", SelectAgent(None)),
        ("!агент 2", SelectAgent("2")),
        ("!settings", ShowSettings()),
        ("!настройки", ShowSettings()),
        ("!set", ListSettings()),
        ("!настроить", ListSettings()),
        ("!set язык en", ChangeSetting(SetLanguage(Language.EN))),
        ("!status", Status()),
        ("!СТАТУС", Status()),
    ],
)
def test_commands_in_both_languages(body: str, command: Command) -> None:
    assert understood(body) == command


@pytest.mark.parametrize("name", CommandName)
def test_each_command_is_called_by_each_of_its_names(name: CommandName) -> None:
    for language in Language:
        for each in TABLE[name].names.of(language):
            spoken = parse(f"!{each} x")
            assert isinstance(spoken, Spoken)
            assert spoken.name is name


def test_no_name_has_two_meanings() -> None:
    names = [each for entry in TABLE.values() for each in entry.names.english + entry.names.russian]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    "body", ["", "help", "!", "!!", "!?", "! help", "!1", "!!help", "so !help", "!…", "¡help"]
)
def test_what_is_no_command(body: str) -> None:
    assert parse(body) is None


@pytest.mark.parametrize(
    ("body", "usage", "problem"),
    [
        ("!stop it", "!stop [all]", TakesOnly("all")),
        ("!стоп ка", "!стоп [все]", TakesOnly("все")),
        ("!chats 1", "!chats", TakesNothing()),
        ("!status please", "!status", TakesNothing()),
        ("!rename", "!rename <name>", NeedsArgument()),
        ("!забыть", "!забыть <название>", NeedsArgument()),
        ("!save 2", "!save [name]", NumberAsName()),
        ("!remove", "!remove <number or all>", NeedsArgument()),
        ("!remove two", "!remove <number or all>", TakesNumbers()),
        ("!remove 1 x", "!remove <number or all>", TakesNumbers()),
        ("!remove 0", "!remove <number or all>", TakesNumbers()),
        ("!remove 12345", "!remove <number or all>", TakesNumbers()),
        ("!yes please", "!yes [numbers]", TakesNumbers()),
        ("!set language", "!set [key value]", BadValue("language", None, ("en", "ru"))),
    ],
)
def test_a_bad_argument_is_told_in_the_language_of_the_command(
    body: str, usage: str, problem: ArgumentProblem
) -> None:
    assert understood(body) == BadArgument(usage, problem)


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
    assert parse(body) == UnknownCommand(word, nearest)


def test_the_prefix_is_a_setting() -> None:
    assert understood("/help", "/") == Help()
    assert parse("!help", "/") is None
    assert understood("лямбда:стоп ку", "лямбда:") == BadArgument(
        "лямбда:стоп [все]", TakesOnly("все")
    )
    assert parse("//help", "/") is None


def test_a_doubled_prefix_says_it_is_a_text() -> None:
    assert spoken_text("!!help") == "!help"
    assert spoken_text(" !!!") == " !!"
    assert spoken_text("really!!") == "really!!"
    assert spoken_text("//x", "/") == "/x"


@given(st.text())
def test_whatever_is_typed_is_understood_somehow(body: str) -> None:
    parse(body)
    parse("!" + body)


@pytest.mark.parametrize(
    ("text", "number"),
    [("2", 2), (" 12. ", 12), ("3)", 3), ("#4", 4), ("№5", 5), ("007", 7)]
    + [(text, None) for text in ("", "0", "-1", "1.5", "two", "2 3", "12345", "²", "٣")],
)
def test_bare_numbers(text: str, number: int | None) -> None:
    assert parse_number(text) == number
