"""A command as it was given."""

from attrs import frozen

from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import TextMessage
from lambda_matrix.store.records import Room, RoomKind

PLACES = {
    RoomKind.CHAT: Place.CHAT,
    RoomKind.DIRECT: Place.LOBBY,
    RoomKind.SPACE: Place.LOBBY,
    RoomKind.MOVED: Place.LOBBY,
    RoomKind.UNREGISTERED: Place.STRANGE,
}


@frozen
class Order:
    """A command's message, the room in which it was given, and the words to answer in."""

    message: TextMessage
    room: Room
    texts: Texts

    @property
    def place(self) -> Place:
        """The kind of place in which it was given."""
        return PLACES[self.room.kind]

    @property
    def sender(self) -> UserId:
        """Who gave it."""
        return self.message.sender

    @property
    def is_by_owner(self) -> bool:
        """Whether it was given by whoever the chat belongs to, or in what is no chat."""
        return self.room.kind is not RoomKind.CHAT or self.sender == self.room.owner

    @property
    def room_id(self) -> RoomId:
        """Where it was given."""
        return self.room.room_id
