import pytest

from lambda_matrix.conversation.command_table import TABLE, CommandName, Place, usage
from lambda_matrix.conversation.commands import BadArgument
from lambda_matrix.conversation.help import descriptions, help_text, working_in
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.parsing import Spoken, parse
from lambda_matrix.conversation.texts import texts


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("place", Place)
def test_help_lists_each_command_that_works_here_once(language: Language, place: Place) -> None:
    listed = help_text(texts(language, "/"), "/", place).splitlines()
    for name in CommandName:
        lines = [line for line in listed if line.startswith(f"- `{usage(name, language, '/')}`: ")]
        assert len(lines) == (name in working_in(place))


def test_each_place_has_its_commands() -> None:
    assert set(working_in(Place.STRANGE)) == {CommandName.HELP, CommandName.BIND}
    assert set(working_in(Place.CHAT)) == set(CommandName) - {CommandName.BIND}
    assert CommandName.NEW in working_in(Place.LOBBY)
    assert CommandName.CLEAR not in working_in(Place.LOBBY)


def test_help_is_in_groups() -> None:
    listed = help_text(texts(Language.EN))
    assert "\n\n**Your chats**\n\n- `!new [name]`: open a new chat\n- `!chats`: " in listed
    assert listed.startswith("This is what I understand:\n\n**The conversation**\n")
    assert listed.endswith("\n\nAnything else that you write here is a question to Lambda.")


def test_help_in_a_shared_chat_does_not_take_everything_for_a_question() -> None:
    catalogue = texts(Language.EN)
    shared = help_text(catalogue, is_shared=True)
    assert shared.endswith(f"\n\n{catalogue.commands.help_outro_shared}")
    lobby = help_text(catalogue, place=Place.LOBBY, is_shared=True)
    assert lobby == help_text(catalogue, place=Place.LOBBY)


@pytest.mark.parametrize("language", Language)
def test_what_the_help_tells_can_be_typed(language: Language) -> None:
    for name in CommandName:
        argument = TABLE[name].argument
        bare = usage(name, language, "/").partition(" ")[0]
        spoken = parse(f"{bare} 1" if argument and argument.is_required else bare, "/")
        assert isinstance(spoken, Spoken)
        assert not isinstance(spoken.command, BadArgument)


@pytest.mark.parametrize("language", Language)
def test_descriptions_for_clients(language: Language) -> None:
    described = descriptions(language)
    assert len(described) == len(working_in(Place.CHAT))
    for each in described:
        assert each.line in help_text(texts(language))
        for name in (each.name, *each.aliases):
            assert isinstance(parse(f"!{name}"), Spoken)
    assert {each.name for each in described} >= (
        {"help"} if language is Language.EN else {"помощь"}
    )
