"""Filling the gap that a limited timeline leaves: paging back to what is already known.

The homeserver's `end` does not say that there is more, so paging stops at an empty page, at a
missing `end`, at an event that is known, or at a bound (DECISIONS 8).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from attrs import frozen

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import EventId, RoomId, SyncToken
from lambda_matrix.matrix_events import TimelineEvent

GAP_BOUND: Final = 2_000
_PAGE: Final = 100
_BAD_REQUEST: Final = 400


@frozen
class Gap:
    """The events of a gap, oldest first. `truncated` says that the bound was reached before it."""

    events: tuple[TimelineEvent, ...]
    truncated: bool = False


async def fill_gap(
    client: Client,
    room_id: RoomId,
    *,
    from_: SyncToken,
    to: SyncToken | None,
    is_known: Callable[[EventId], bool],
    bound: int = GAP_BOUND,
) -> Gap:
    """Page back from `from_` (a timeline's `prev_batch`) to `to` (the last batch's token).

    Raises:
        MatrixError: A page was refused, or the homeserver is away. Nothing is half done; ask again.
    """
    newest_first: list[TimelineEvent] = []
    position: SyncToken | None = from_
    while position is not None:
        try:
            page = await client.messages(room_id, from_=position, to=to, limit=_PAGE)
        except MatrixError as error:
            if to is None or error.errcode is None or error.status != _BAD_REQUEST:
                raise
            to = None  # a token of before a restored backup: what is known stops the paging then
            continue
        for event in page.events:
            if event.event_id is not None and is_known(event.event_id):
                return Gap(tuple(reversed(newest_first)))
            newest_first.append(event)
            if len(newest_first) >= bound:
                return Gap(tuple(reversed(newest_first)), truncated=True)
        position = page.end if page.events else None
    return Gap(tuple(reversed(newest_first)))
