"""How a sentence names a command."""

from attrs import frozen

from lambda_matrix.conversation.command_table import CommandName, spoken_name, usage
from lambda_matrix.conversation.language import Language
from lambda_matrix.conversation.markdown import as_code


@frozen
class Quote:
    """The commands as they are typed by somebody who is spoken to in `language`."""

    language: Language
    prefix: str

    def __call__(self, command: CommandName, argument: str = "") -> str:
        """Return the command as code, with an argument if there is one: `!stop all`."""
        return as_code(f"{spoken_name(command, self.language, self.prefix)} {argument}")

    def usage(self, command: CommandName) -> str:
        """Return as code how the command is written: `!forget <name>`."""
        return as_code(usage(command, self.language, self.prefix))
