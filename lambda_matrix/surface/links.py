"""Links to rooms, as every Matrix client understands them (appendices, "matrix.to navigation")."""

from urllib.parse import quote

from lambda_matrix.conversation.texts import Link, Way
from lambda_matrix.ids import RoomId, UserId
from lambda_matrix.store.records import Ourselves, RoomKind
from lambda_matrix.store.store import Store
from lambda_matrix.store.topology import rooms


def server_name(user_id: UserId) -> str:
    """Return the server of a user: a room's id need not name one (room version 12)."""
    return user_id.partition(":")[2]


def room_link(room_id: RoomId, name: str, via: str) -> Link:
    """Return the link to a room through the server `via`."""
    return Link(name, f"https://matrix.to/#/{quote(room_id, safe='!:')}?via={quote(via, safe=':')}")


async def way_to_chats(store: Store, owner: UserId, ourselves: Ourselves) -> Way | None:
    """Return where the owner's chats are; None while they are not made."""
    spaces = await store.transact(rooms.rooms_of, owner, RoomKind.SPACE)
    chats = await store.transact(rooms.rooms_of, owner, RoomKind.CHAT)
    if not spaces or not chats:
        return None
    via = server_name(ourselves.user_id)
    space, chat = spaces[0], min(chats, key=lambda chat: chat.archived)
    return Way(
        space=room_link(space.room_id, space.name or space.room_id, via),
        chat=room_link(chat.room_id, chat.name or chat.room_id, via),
    )
