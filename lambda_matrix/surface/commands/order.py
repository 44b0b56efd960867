"""What was said to us: a command, or a question, with or without a file."""

from attrs import frozen

from lambda_matrix.conversation.command_table import Place
from lambda_matrix.conversation.texts import Texts
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.matrix_events import MediaMessage, TextMessage
from lambda_matrix.store.records import Room, RoomKind

PLACES = {
    RoomKind.CHAT: Place.CHAT,
    RoomKind.DIRECT: Place.LOBBY,
    RoomKind.SPACE: Place.LOBBY,
    RoomKind.MOVED: Place.LOBBY,
    RoomKind.UNREGISTERED: Place.STRANGE,
}


@frozen
class Said:
    """A message, the room in which it was said, and the words to answer in.

    `is_doubted`: memory was lost since it was said, and it may have had its effect before.
    """

    message: TextMessage | MediaMessage
    room: Room
    texts: Texts
    is_doubted: bool = False

    @property
    def place(self) -> Place:
        """The kind of place in which it was said."""
        return PLACES[self.room.kind]

    @property
    def sender(self) -> UserId:
        """Who said it."""
        return self.message.sender

    @property
    def is_by_owner(self) -> bool:
        """Whether it was given by whoever the chat belongs to, or in what is no chat."""
        return self.room.kind is not RoomKind.CHAT or self.sender == self.room.owner

    @property
    def room_id(self) -> RoomId:
        """Where it was said."""
        return self.room.room_id


@frozen
class Order(Said):
    """Something that was said in words alone, such as a command."""

    message: TextMessage
    room: Room
    texts: Texts
    is_doubted: bool = False
