"""Which language a person is spoken to in."""

from attrs import frozen

from lambda_matrix.conversation.texts import Language, Texts, texts
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store import people
from lambda_matrix.store.store import Store
from lambda_matrix.store.topology import rooms
from lambda_matrix.surface.policy import Policy


@frozen
class Languages:
    """The catalogue for a person: the language they chose, else the operator's default."""

    _store: Store
    _policy: Policy

    async def of(self, user_id: UserId | None) -> Texts:
        """Return the sentences for this person (or for nobody in particular)."""
        chosen = None
        if user_id is not None:
            chosen = (await self._store.transact(people.settings, user_id)).language
        return self.chosen(chosen)

    def chosen(self, language: Language | None) -> Texts:
        """Return the sentences in `language`; None: nobody chose one."""
        return texts(language or self._policy.language, self._policy.command_prefix)

    async def of_room(self, room_id: RoomId) -> Texts:
        """Return the sentences for the room's owner."""
        room = await self._store.transact(rooms.room, room_id)
        return await self.of(None if room is None else room.owner)
