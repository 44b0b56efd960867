"""What a sync batch brought, and what waits to be reacted to."""

from __future__ import annotations

from attrs import frozen

from lambda_matrix.ids import EventId, InstanceId, RoomId, SyncToken
from lambda_matrix.store.facts import Incoming
from lambda_matrix.store.records.requests import Request
from lambda_matrix.store.records.rooms import Room


@frozen
class Gap:
    """A stretch of a timeline to be read from `/messages`, newest first, before the room goes on.

    `to_token` None: back to the bot's own join.
    """

    room_id: RoomId
    batch: int
    from_token: SyncToken
    to_token: SyncToken | None


@frozen
class Look:
    """What an intake lane finds: the room as it is known, and what waits in its inbox.

    Of those that are `doubted` nobody knows whether they had their reaction, before a loss.
    """

    room: Room | None
    events: tuple[Incoming, ...]
    doubted: frozenset[EventId] = frozenset()


@frozen
class Accepted:
    """What a batch brought, by rooms: to be reacted in, with gaps to read, newly encrypted ...

    `entered` are those that the bot joined, maybe once more. `deserted` are those from which
    somebody went away, and `stopped` the requests of theirs. `archived` are those that were taken
    out of their Space by hand. `withdrawn` are those with events of ours to be redacted, `upgraded`
    those that go on elsewhere. `unnoted` are chats whose binding is to be told to the homeserver,
    `untitled` those whose first question has its answer, and gives them their name. `foreign` is
    the newest instance under our name that this store never knew.
    """

    wake: frozenset[RoomId] = frozenset()
    gaps: tuple[Gap, ...] = ()
    invites: tuple[RoomId, ...] = ()
    encrypted: tuple[RoomId, ...] = ()
    entered: tuple[RoomId, ...] = ()
    left: tuple[RoomId, ...] = ()
    deserted: tuple[RoomId, ...] = ()
    stopped: tuple[Request, ...] = ()
    withdrawn: tuple[RoomId, ...] = ()
    upgraded: tuple[RoomId, ...] = ()
    archived: tuple[RoomId, ...] = ()
    unnoted: tuple[RoomId, ...] = ()
    untitled: tuple[RoomId, ...] = ()
    foreign: InstanceId | None = None
