"""Reading the stretches of a timeline that a limited sync left out.

A gap is durable; its room waits until it is read, the others go on. It is read newest first, from
`prev_batch` back to where the last batch ended, and ends at the first of: an empty page, a page
without `end`, an event that is known, the bot's own join, or the bound. Where nobody knows where
the last batch ended, since the database was lost or the homeserver refuses the token, it ends at
the question of the newest answer: whatever lies before it has been answered, but for what that
answer names as still waiting then, which is read back to as well.
"""

import logging
from collections.abc import Callable, Iterable
from functools import partial

import trio
from attrs import define, field

from lambda_matrix.client_server_api.errors import (
    AccountPaused,
    MatrixError,
    SessionDead,
    decide_retry,
)
from lambda_matrix.client_server_api.parsing import Page
from lambda_matrix.ids import EventId, RoomId, SyncToken
from lambda_matrix.matrix_events import AnswerMark, MalformedEvent, TextMessage, TimelineEvent
from lambda_matrix.store import intake, timeline
from lambda_matrix.store.questions import requests
from lambda_matrix.store.records import Gap, Ourselves
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.writing.wording import notice_draft

logger = logging.getLogger(__name__)

BOUND = 2000
"""Events read back at most in one room (ADR 0006)."""
PAGE = 100
AT_ONCE = 4
"""Requests: after an absence each room may have a gap, and people are talking already."""
BAD_REQUEST = 400
GAP = "gap"
"""The cause of what we say where not everything could be read."""


@define
class Gaps:
    """Fills gaps, one lane per room, which waits out what passes."""

    _means: Means
    _filled: Callable[[RoomId], None]
    _hands: trio.CapacityLimiter = field(factory=lambda: trio.CapacityLimiter(AT_ONCE))
    lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("gap fill", self.serve)

    async def resume(self) -> None:
        """Take up the gaps that an earlier start left."""
        self.lanes.wake(await self._means.store.transact(timeline.rooms_with_gaps))

    async def serve(self, room_id: RoomId) -> None:
        """Fill the room's gaps, the oldest first.

        Raises:
            MatrixError: the homeserver does not listen to us at all; the gap is still open.
        """
        for gap in await self._means.store.transact(timeline.open_gaps, room_id):
            events, complete = await self._read(gap)
            await self._means.store.transact(
                intake.fill_gap, gap, tuple(events), self._means.ourselves
            )
            logger.debug("a gap in what was told is filled with %d events", len(events))
            if not (complete or _is_confessed(events, self._means.ourselves)):
                await self._confess(gap)
        self._filled(room_id)

    async def _read(self, gap: Gap) -> tuple[list[TimelineEvent], bool]:
        """Return the gap's events, oldest first, and whether they are all there are."""
        newest_first: list[TimelineEvent] = []
        position, to = gap.from_token, gap.to_token
        answered: EventId | None = None
        while len(newest_first) < BOUND:
            try:
                page = await persist(partial(self._page, gap.room_id, position, to))
            except MatrixError as error:
                if to is not None and error.status == BAD_REQUEST:
                    to = None  # a token that the homeserver has lost: what is known ends the gap
                    continue
                if isinstance(decide_retry(error), SessionDead | AccountPaused):
                    raise  # it says nothing of the gap
                logger.warning("gap in %s cannot be read: %s", gap.room_id, error)
                return newest_first[::-1], False
            for event in page.events:
                if await self._is_behind(gap, event):
                    return newest_first[::-1], True
                newest_first.append(event)
                if to is None and answered is None:
                    answered = timeline.all_before(event, self._means.ourselves)
                elif not isinstance(event, MalformedEvent) and event.event_id == answered:
                    return newest_first[::-1], True
            if not page.events or page.end is None or page.end == position:
                return newest_first[::-1], True
            position = page.end
        return newest_first[::-1], False

    async def _page(self, room_id: RoomId, position: SyncToken, to: SyncToken | None) -> Page:
        async with self._hands:
            return await self._means.client.messages(
                room_id, from_=position, to=to, limit=PAGE, direction="b"
            )

    async def _is_behind(self, gap: Gap, event: TimelineEvent) -> bool:
        """Return whether `event` lies before what is missing."""
        if timeline.is_own_join(event, self._means.ourselves):
            return True
        if gap.to_token is None or isinstance(event, MalformedEvent):
            return False
        return await self._means.store.transact(timeline.is_known, event.event_id)

    async def _confess(self, gap: Gap) -> None:
        """Say that not everything could be read: whoever asked in vain should ask again."""
        texts = await self._means.languages.of_room(gap.room_id)
        draft = notice_draft(
            gap.room_id,
            texts.service.gap,
            self._means.ourselves,
            request=f"{GAP}:{gap.room_id}:{gap.batch}",
        )
        await self._means.store.transact(requests.say, (draft,), self._means.ourselves)


def _is_confessed(events: Iterable[TimelineEvent], ourselves: Ourselves) -> bool:
    """Return whether it was said before that what lies before these events could not be read."""
    marks = (_own_mark(event, ourselves) for event in events)
    return any(mark is not None and mark.request.startswith(f"{GAP}:") for mark in marks)


def _own_mark(event: TimelineEvent, ourselves: Ourselves) -> AnswerMark | None:
    if isinstance(event, TextMessage) and event.sender == ourselves.user_id:
        return event.answer
    return None
