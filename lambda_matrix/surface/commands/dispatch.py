"""Each command to whoever does it."""

from attrs import frozen

from lambda_matrix.conversation.commands import (
    BadArgument,
    Chats,
    Command,
    Help,
    NewChat,
    Status,
    Stop,
    UnknownCommand,
)
from lambda_matrix.conversation.help import help_text
from lambda_matrix.surface.commands.chats import ChatCommands
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.commands.runs import RunCommands
from lambda_matrix.surface.commands.status import StatusCommand
from lambda_matrix.surface.means import Means


@frozen(kw_only=True)
class Commands:
    """All commands, by what they are about."""

    means: Means
    prefix: str
    chats: ChatCommands
    runs: RunCommands
    status: StatusCommand

    async def execute(self, command: Command, order: Order) -> None:
        """Do what `command` says, and settle its message."""
        match command:
            case Help():
                await self.means.reply(order.message, help_text(order.texts, self.prefix))
            case NewChat(name):
                await self.chats.new(order, name)
            case Chats():
                await self.chats.list_all(order)
            case Stop(everything):
                await self.runs.stop(order, everything=everything)
            case Status():
                await self.status.tell(order)
            case UnknownCommand(word, nearest):
                await self.means.reply(order.message, order.texts.commands.unknown(word, nearest))
            case BadArgument(usage, problem):
                await self.means.reply(
                    order.message, order.texts.commands.bad_argument(usage, problem)
                )
            case _:  # not served yet
                await self.means.reply(order.message, help_text(order.texts, self.prefix))
