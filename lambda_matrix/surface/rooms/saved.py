"""What people saved: kept in the bot's account data, so that it outlives the database."""

from weakref import WeakValueDictionary

import trio
from attrs import define, field

from lambda_matrix.account_data import SavedContext
from lambda_matrix.client_server_api.account_data import read_saved, saved_content, saved_key
from lambda_matrix.conversation.nearest import folded
from lambda_matrix.conversation.parsing import parse_number
from lambda_matrix.ids import UserId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store.conversations import saved
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist


@define
class SavedContexts:
    """The lists of all people; each is changed by one command at a time."""

    _means: Means
    _changing: WeakValueDictionary[UserId, trio.Lock] = field(factory=WeakValueDictionary)

    def changing(self, user_id: UserId) -> trio.Lock:
        """Return what is to be held from the look at somebody's list to its change."""
        return self._changing.setdefault(user_id, trio.Lock())

    async def of(self, user_id: UserId) -> tuple[SavedContext, ...]:
        """Return what the person saved, the oldest first.

        Raises:
            MatrixError: nothing is noted here, and the homeserver refuses to say.
        """
        known = await self._means.store.transact(saved.saved_by, user_id)
        if known:
            return known
        key = saved_key(user_id)
        content = await persist(lambda: self._means.client.account.get_data(key))
        kept = read_saved(user_id, content).saved
        if kept:
            await self._means.store.transact(saved.restore, kept)
        return kept

    async def replace(
        self, command: TextMessage, now: tuple[SavedContext, ...], reply: str
    ) -> None:
        """Have these be what the command's sender saved, and settle the command.

        The homeserver has the list before it is noted here: cut off in between, the command is
        done again, to the same effect.

        Raises:
            MatrixError: the homeserver refuses; everything is as it was.
        """
        key, content = saved_key(command.sender), saved_content(now)
        await persist(lambda: self._means.client.account.put_data(key, content))
        await self._means.store.transact(
            saved.replace,
            command,
            now,
            self._means.reply_to(command, reply),
            self._means.ourselves,
        )
        self._means.outbox.wake([command.room_id])


def named(known: tuple[SavedContext, ...], name: str) -> SavedContext | None:
    """Return the one of that name, however it is written."""
    return next((each for each in known if folded(each.name) == folded(name)), None)


def chosen(known: tuple[SavedContext, ...], choice: str) -> SavedContext | None:
    """Return the one of that name, or of that number in the list."""
    number = parse_number(choice)
    found = named(known, choice)
    if found is None and number is not None and number <= len(known):
        return known[number - 1]
    return found
