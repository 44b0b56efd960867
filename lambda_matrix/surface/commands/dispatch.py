"""Each command to whoever does it."""

import logging
from typing import assert_never

from attrs import frozen

from lambda_matrix.client_server_api.errors import MatrixError, Retry, SessionDead, decide_retry
from lambda_matrix.conversation.commands import (
    Archive,
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
    NewChat,
    No,
    Remove,
    Rename,
    Retry as AskAgain,
    Save,
    SelectAgent,
    ShowSettings,
    Status,
    Stop,
    Unarchive,
    UnknownCommand,
    Yes,
)
from lambda_matrix.conversation.help import help_text
from lambda_matrix.conversation.settings import SetThreads
from lambda_matrix.surface.commands.archive import ArchiveCommands
from lambda_matrix.surface.commands.bind import BindCommand
from lambda_matrix.surface.commands.chats import ChatCommands
from lambda_matrix.surface.commands.confirmations import ConfirmationCommands
from lambda_matrix.surface.commands.contexts import ContextCommands
from lambda_matrix.surface.commands.files import FileCommands
from lambda_matrix.surface.commands.order import Order
from lambda_matrix.surface.commands.runs import RunCommands
from lambda_matrix.surface.commands.saving import SavingCommands
from lambda_matrix.surface.commands.settings import SettingCommands
from lambda_matrix.surface.commands.status import StatusCommand
from lambda_matrix.surface.means import Means

logger = logging.getLogger(__name__)

OWNERS = (Rename, Archive, Unarchive, Delete, Clear, Save, Load, SelectAgent)
"""What only its owner does with a chat (DECISIONS 18), and some settings: those of the chat."""


@frozen(kw_only=True)
class Commands:
    """All commands, by what they are about."""

    means: Means
    chats: ChatCommands
    runs: RunCommands
    contexts: ContextCommands
    saving: SavingCommands
    settings: SettingCommands
    confirmations: ConfirmationCommands
    files: FileCommands
    status: StatusCommand
    archives: ArchiveCommands
    binding: BindCommand

    async def execute(self, command: Command, order: Order) -> None:
        """Do what `command` says, and settle its message; say so if the homeserver refuses it."""
        # By its name alone: what is said with it is nobody's business.
        logger.debug("command %s", type(command).__name__)
        if not order.is_by_owner and _is_the_owners(command):
            await self.means.reply(order.message, order.texts.rooms.owner_only)
            return
        try:
            await self._obey(command, order)
        except MatrixError as error:
            decision = decide_retry(error)
            if isinstance(decision, SessionDead) or (
                isinstance(decision, Retry) and not decision.counted
            ):
                raise
            logger.info("command %s refused: %s", type(command).__name__, error)
            await self.means.reply(order.message, order.texts.rooms.refused)

    async def _obey(self, command: Command, order: Order) -> None:  # noqa: C901, PLR0912, PLR0915 - a case each
        match command:
            case Help():
                await self._help(order)
            case Clear():
                await self.contexts.clear(order)
            case Context():
                await self.contexts.tell(order)
            case Save(name):
                await self.saving.save(order, name)
            case Load(choice):
                await self.saving.load(order, choice)
            case Forget(name):
                await self.saving.forget(order, name)
            case NewChat(name):
                await self.chats.new(order, name)
            case Chats():
                await self.chats.list_all(order)
            case Rename(name):
                await self.chats.rename(order, name)
            case Archive():
                await self.archives.archive(order)
            case Unarchive():
                await self.archives.unarchive(order)
            case Bind():
                await self.binding.bind(order)
            case Stop(everything):
                await self.runs.stop(order, everything=everything)
            case SelectAgent(choice):
                await self.settings.select_agent(order, choice)
            case ShowSettings():
                await self.settings.show(order)
            case ListSettings():
                await self.settings.list_all(order)
            case ChangeSetting(change):
                await self.settings.change(order, change)
            case AskAgain():
                await self.runs.retry(order)
            case Yes(numbers):
                await self.confirmations.consent(order, numbers)
            case No(reason):
                await self.confirmations.refuse(order, reason)
            case Delete():
                await self.confirmations.ask_to_delete(order)
            case Files():
                await self.files.list_all(order)
            case Remove(numbers, everything):
                await self.files.remove(order, None if everything else numbers)
            case Status():
                await self.status.tell(order)
            case UnknownCommand(word, nearest):
                await self.means.reply(order.message, order.texts.commands.unknown(word, nearest))
            case BadArgument(usage, problem):
                await self.means.reply(
                    order.message, order.texts.commands.bad_argument(usage, problem)
                )
            case _:
                assert_never(command)

    async def _help(self, order: Order) -> None:
        text = help_text(
            order.texts,
            self.means.policy.command_prefix,
            order.place,
            is_shared=not order.room.is_private,
        )
        await self.means.reply(order.message, text)


def _is_the_owners(command: Command) -> bool:
    """Return whether, in a chat of several people, only its owner may give the command."""
    if isinstance(command, ChangeSetting):
        return isinstance(command.change, SetThreads)
    return isinstance(command, OWNERS)
