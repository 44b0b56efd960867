"""One row of the outbox on its way to the homeserver, and what to do when it does not arrive.

Nothing here blocks a room for good. What passes is tried again with the same transaction id; what
never will is said in one plain notice instead; and if that is refused too, the row is marked
undeliverable, the journal says so, and the next goes on. A room that the bot is not in keeps its
rows for the day that it is joined again.
"""

import logging
import time

import trio
from attrs import define, field, frozen

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import (
    AccountPaused,
    CheckMembership,
    MatrixError,
    Retry,
    SessionDead,
    decide_retry,
)
from lambda_matrix.ids import EventId, RoomId, SyncToken
from lambda_matrix.matrix_events import AnswerState, MediaMessage, TextMessage
from lambda_matrix.message_ids import MessageId
from lambda_matrix.metrics import Metrics
from lambda_matrix.store import outbox as rows
from lambda_matrix.store.records import Draft, Ourselves, OutboxRow
from lambda_matrix.store.store import Store
from lambda_matrix.store.topology import upgrades
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.sending.pace import Pace
from lambda_matrix.surface.writing.content import encode, notice, plain_of_edit, with_replacement

logger = logging.getLogger(__name__)

TRANSACTION_MEMORY = 20 * 3600.0
"""Seconds for which a homeserver surely remembers a transaction id (Synapse: 24 hours)."""
LOOK_BACK_PAGES = 20
LOOK_BACK_LIMIT = 100
FAULTS_MOST = 5
FAULTS_WITHIN = 600.0
"""The same 500 more often than this within so many seconds is for good (ADR 0002)."""
TOO_MANY_REQUESTS = 429
PAUSED = 60.0
LONGEST_BACKOFF = 60.0


@define
class Trouble:
    """How the row at the head of a lane has fared so far."""

    _tries: int = 0
    _faults: list[float] = field(factory=list)

    def over(self) -> None:
        """It arrived."""
        self._tries = 0
        self._faults.clear()

    def backoff(self) -> float:
        """Return how long to wait after one more failure, in seconds."""
        self._tries += 1
        return min(2.0 ** (self._tries - 2), LONGEST_BACKOFF)

    def is_new(self) -> bool:
        """Count one more failure; return whether it is the first in a row."""
        self._tries += 1
        return self._tries == 1

    def is_for_good(self) -> bool:
        """Count one more 500; return whether there were too many of them."""
        now = trio.current_time()
        self._faults = [at for at in self._faults if at > now - FAULTS_WITHIN] + [now]
        return len(self._faults) > FAULTS_MOST


@frozen
class Delivery:
    """Puts rows, and copes with what comes back."""

    _store: Store
    _client: Client
    _pace: Pace
    _ourselves: Ourselves
    _languages: Languages
    _metrics: Metrics

    async def put(self, row: OutboxRow) -> EventId:
        """Send `row`, or find it where it was sent long ago; return its event id.

        Raises:
            MatrixError: it did not arrive, or nobody knows whether it did.
        """
        if self._may_be_forgotten(row):
            there = await self._find(row)
            if there is not None:
                return there
            await self._store.transact(rows.own_device, row.seq, self._ourselves)
        return await self._client.put_event(
            row.room_id, "m.room.message", row.transaction_id, _compose(row)
        )

    async def cope(self, row: OutboxRow, error: MatrixError, trouble: Trouble) -> RoomId | None:
        """Wait, park or give up, as the error wants it; then the lane looks again.

        Returns the room to which the row is to go instead, if its own was upgraded.
        """
        logger.debug("not sent: %s", error)
        decision = decide_retry(error)
        match decision:
            case Retry():
                if error.status == TOO_MANY_REQUESTS:
                    self.note_pace(error)
                elif decision.counted and trouble.is_for_good():
                    await self._refuse(row, error)
                else:
                    await trio.sleep(decision.after or trouble.backoff())
            case AccountPaused():
                if trouble.is_new():
                    logger.warning("the homeserver lets the bot write nothing: %s", error)
                await trio.sleep(PAUSED)
            case SessionDead():
                await trio.sleep(trouble.backoff())  # the sync loop ends the service
            case CheckMembership():
                if row.room_id in await self._joined(trouble):
                    return await self._follow_or_refuse(row, error, trouble)
                await self._park(row.room_id, trouble)
            case _:
                await self._refuse(row, error)
        return None

    def note_pace(self, error: MatrixError) -> None:
        """Slow the whole account down if that is what the homeserver asks."""
        if error.status == TOO_MANY_REQUESTS:
            self._pace.slow_down(error.retry_after if error.retry_after is not None else 1.0)

    def _may_be_forgotten(self, row: OutboxRow) -> bool:
        age = time.time() - row.created_at
        return row.device_id != self._ourselves.device_id or not 0 <= age <= TRANSACTION_MEMORY

    async def _find(self, row: OutboxRow) -> EventId | None:
        """Look for the row's event in the room, by its mark."""
        position: SyncToken | None = None
        for _ in range(LOOK_BACK_PAGES):
            page = await self._client.messages(
                row.room_id, from_=position, limit=LOOK_BACK_LIMIT, direction="b"
            )
            for event in page.events:
                if _is_event_of(row, event, self._ourselves):
                    return event.event_id
            if not page.events or page.end is None:
                return None
            position = page.end
        return None

    async def _joined(self, trouble: Trouble) -> frozenset[RoomId]:
        while True:
            try:
                return await self._client.joined_rooms()
            except MatrixError as error:
                logger.debug("cannot learn which rooms are joined: %s", error)
                await trio.sleep(trouble.backoff())

    async def _park(self, room_id: RoomId, trouble: Trouble) -> None:
        """Have the room's rows wait for a new join, unless that has come meanwhile.

        Sync may have told of it before they were parked; a later one it tells of later.
        """
        logger.info("the bot is not in room %s: what it is owed waits for a new join", room_id)
        await self._store.transact(rows.park, room_id)
        if room_id in await self._joined(trouble):
            await self._store.transact(rows.unpark, room_id)

    async def _follow_or_refuse(
        self, row: OutboxRow, error: MatrixError, trouble: Trouble
    ) -> RoomId | None:
        """The room does not take the row: it may go on elsewhere, and the row with it."""
        place = await self._store.transact(upgrades.readdress, row.seq)
        if place == "wait":
            await trio.sleep(trouble.backoff())
            return None
        if place is None:
            await self._refuse(row, error)
        return place

    async def _refuse(self, row: OutboxRow, error: MatrixError) -> None:
        logger.error(
            "the homeserver refuses an event for good, which is given up: %s",
            error,
            extra=MessageId.UNDELIVERABLE.extra,
        )
        self._metrics.event_refused()
        instead = None
        if row.answer_state is AnswerState.FINAL and not row.last_resort:
            texts = await self._languages.of_room(row.room_id)
            instead = Draft(
                room_id=row.room_id,
                content=encode(notice(texts.service.undeliverable, row.mark)),
                mark=row.mark,
                last_resort=True,
            )
        await self._store.transact(rows.refuse, row.seq, instead, self._ourselves)


def _compose(row: OutboxRow) -> bytes:
    """Return the bytes under the row's transaction id: the same at each call."""
    if row.replaces is None:
        return row.content
    if row.root is None or row.root_lost:
        return plain_of_edit(row.content)
    return with_replacement(row.content, row.root)


def _is_event_of(row: OutboxRow, event: object, ourselves: Ourselves) -> bool:
    if not isinstance(event, TextMessage | MediaMessage) or event.sender != ourselves.user_id:
        return False
    mark = event.answer
    if mark is None or rows.is_preview(event, mark):
        return False
    said = (mark.request, mark.part, mark.state, mark.instance)
    return said == (row.request, row.part, row.answer_state, row.instance)
