"""Topologies in few words: what a homeserver may say, and what may be recorded."""

from __future__ import annotations

from attrs import evolve

from lambda_matrix.account_data import Binding, Unbound
from lambda_matrix.ids import AgentId, EventId, PlatformChatId, RoomId, UserId
from lambda_matrix.matrix_events import RoomMarker
from lambda_matrix.reconcile.topology import (
    Observed,
    Recorded,
    RecordedRoom,
    SeenChild,
    SeenRoom,
)
from lambda_matrix.store.records import Intent, RoomKind

ME = UserId("@bot:example.org")
ANNA = UserId("@anna:example.org")
BORIS = UserId("@boris:example.org")
SPACE, CHAT, SECOND, LOBBY = (RoomId(f"!{name}") for name in ("space", "chat", "second", "lobby"))
BINDING = Binding(owner=ANNA, agent=AgentId("main"), platform_chat_id=PlatformChatId(7))
SECOND_BINDING = evolve(BINDING, platform_chat_id=PlatformChatId(8))


def made(
    room_id: RoomId,
    kind: str | None = None,
    at: int = 0,
    *,
    owner: UserId = ANNA,
    intent: str | None = None,
    creator: UserId = ME,
) -> SeenRoom:
    """A room as it was made, with a marker if `kind` is given."""
    marker = RoomMarker(intent or f"for {room_id}", "space" if kind == "space" else "chat", owner)
    return SeenRoom(
        room_id=room_id,
        creator=creator,
        created_at=at,
        room_type="m.space" if kind == "space" else None,
        marker=None if kind is None else marker,
        member_count=2,
    )


def link(
    room_id: RoomId, *, space_id: RoomId = SPACE, has_via: bool = True, by: UserId = ME
) -> SeenChild:
    return SeenChild(space_id=space_id, room_id=room_id, has_via=has_via, sender=by)


def observed(
    *rooms: SeenRoom,
    children: tuple[SeenChild, ...] = (),
    bindings: dict[RoomId, Binding | Unbound] | None = None,
    may_talk: frozenset[UserId] = frozenset({ANNA, BORIS, ME}),
) -> Observed:
    """The bot is in all of these rooms."""
    return Observed(
        me=ME,
        joined=frozenset(room.room_id for room in rooms),
        rooms=rooms,
        children=children,
        bindings=bindings or {},
        may_talk=may_talk,
    )


TREE = observed(
    made(LOBBY, at=1, creator=ANNA),
    made(SPACE, "space", 2),
    made(CHAT, "chat", 3),
    made(SECOND, "chat", 4, intent="$new"),
    children=(link(CHAT), link(SECOND)),
    bindings={CHAT: BINDING, SECOND: SECOND_BINDING},
)
"""What the homeserver says of somebody who has a Space and two chats."""


def chat(room_id: RoomId, binding: Binding = BINDING) -> RecordedRoom:
    """A chat as it is recorded."""
    return RecordedRoom(
        room_id=room_id,
        kind=RoomKind.CHAT,
        owner=binding.owner,
        agent=binding.agent,
        platform_chat_id=binding.platform_chat_id,
        archived=binding.archived,
        own_threads=binding.own_threads,
    )


def intent(
    room_id: RoomId | None,
    kind: RoomKind = RoomKind.CHAT,
    *,
    name: str | None = None,
    done: bool = True,
    owner: UserId = ANNA,
) -> Intent:
    name = name or f"for {room_id}"
    return Intent(
        intent_id=name,
        kind=kind,
        owner=owner,
        command=EventId(name) if name.startswith("$") else None,
        origin=None,
        name=None,
        agent=None,
        platform_chat_id=None,
        tries=1,
        room_id=room_id,
        done=done,
    )


RECORDED = Recorded(
    rooms={
        LOBBY: RecordedRoom(room_id=LOBBY, kind=RoomKind.DIRECT, owner=ANNA),
        SPACE: RecordedRoom(room_id=SPACE, kind=RoomKind.SPACE, owner=ANNA),
        CHAT: chat(CHAT),
        SECOND: chat(SECOND, SECOND_BINDING),
    },
    numbers={PlatformChatId(7): CHAT, PlatformChatId(8): SECOND},
    intents=(intent(SPACE, RoomKind.SPACE), intent(CHAT), intent(SECOND, name="$new")),
)
"""What is recorded of `TREE` once all is well."""
NOTHING = Recorded()
