"""The help that is made from the table of commands."""

from lambda_matrix.conversation.command_table import TABLE, CommandName, Place, usage
from lambda_matrix.conversation.markdown import as_code
from lambda_matrix.conversation.texts import Texts


def help_text(catalogue: Texts, prefix: str = "!", place: Place = Place.CHAT) -> str:
    """Return the list of the commands that work in this kind of place."""
    said = {
        CommandName.HELP: catalogue.help_help,
        CommandName.NEW: catalogue.help_new,
        CommandName.CHATS: catalogue.help_chats,
        CommandName.STOP: catalogue.help_stop,
        CommandName.STATUS: catalogue.help_status,
    }
    lines = [
        f"- {as_code(usage(command, catalogue.language, prefix))}: {said[command]}"
        for command, entry in TABLE.items()
        if command in said and place in entry.places
    ]
    return "\n".join([catalogue.help_intro, "", *lines, "", catalogue.help_outro])
