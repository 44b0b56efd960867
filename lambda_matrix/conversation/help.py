"""The help that is made from the table of commands."""

from attrs import frozen

from lambda_matrix.conversation.command_table import TABLE, Argument, CommandName, Place, usage
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.markdown import as_code
from lambda_matrix.conversation.texts import Texts, texts


@frozen(kw_only=True)
class Description:
    """A command as a client may show it while it is typed. Names are without the prefix."""

    name: str
    aliases: tuple[str, ...]
    line: str
    argument: Argument | None


def help_text(
    catalogue: Texts, prefix: str = "!", place: Place = Place.CHAT, *, is_shared: bool = False
) -> str:
    """Return the list of the commands that work in this kind of place, as Markdown.

    In a chat that `is_shared` by more than two, not everything that is written is a question.
    """
    say = catalogue.commands
    groups: dict[str, list[str]] = {}
    for command in working_in(place):
        written = as_code(usage(command, catalogue.language, prefix))
        heading = say.heading(TABLE[command].group)
        groups.setdefault(heading, []).append(f"- {written}: {say.line(command)}")
    blocks = ["\n".join([f"**{heading}**", "", *lines]) for heading, lines in groups.items()]
    is_shared_chat = is_shared and place is Place.CHAT
    outro = say.help_outro_shared if is_shared_chat else say.help_outro(place)
    return "\n\n".join([say.help_intro, *blocks, outro])


def working_in(place: Place) -> tuple[CommandName, ...]:
    """Return the commands that are offered in this kind of place."""
    return tuple(command for command, entry in TABLE.items() if place in entry.offered)


def descriptions(language: Language) -> tuple[Description, ...]:
    """Return each command of a chat as it is called and described in `language`."""
    say = texts(language).commands
    described = []
    for command in working_in(Place.CHAT):
        entry = TABLE[command]
        name, *aliases = entry.names.of(language)
        described.append(
            Description(
                name=name,
                aliases=tuple(aliases),
                line=say.line(command),
                argument=entry.argument,
            )
        )
    return tuple(described)
