"""Everything that the service says goes out here: in each room in order, one at a time.

Rows come from the store and are sent until they are settled. A preview edit is no row: there is at
most the newest one per room, sent when no row waits, and dropped when it would take the place of a
final that is still to come. A lane waits for each answer, so a preview in flight never overtakes or
follows its final. What
happens in a room never cuts a send: lanes belong to this module alone.
"""

import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import trio
from attrs import define, field, frozen

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.ids import RoomId, TransactionId
from lambda_matrix.metrics import Metrics
from lambda_matrix.store import outbox as rows
from lambda_matrix.store.records import OutboxRow, Priority
from lambda_matrix.store.store import Store
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.sending.delivery import TOO_MANY_REQUESTS, Delivery, Trouble
from lambda_matrix.surface.sending.pace import Pace
from lambda_matrix.surface.stories import about_row
from lambda_matrix.surface.writing.content import with_replacement

logger = logging.getLogger(__name__)

T = TypeVar("T")

SPARE = 2
"""Events for which previews leave room beside finals: one more answer's beginning and its end."""


@frozen
class Preview:
    """The newest state of an answer in the making: an edit of row `root`, worth one try."""

    root: int
    content: bytes


@define
class Outbox:
    """What goes out. `run` sends; it is opened only after catch-up (ARCHITECTURE.md, start)."""

    _store: Store
    _client: Client
    _pace: Pace
    _delivery: Delivery
    _metrics: Metrics
    _previews: dict[RoomId, Preview] = field(factory=dict)
    _growing: set[RoomId] = field(factory=set)
    _offered: dict[RoomId, OutboxRow] = field(factory=dict)
    _failing: set[RoomId] = field(factory=set)
    _fails: trio.Event = field(factory=trio.Event)
    _lanes: Lanes[RoomId] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._lanes = Lanes("outbox", self._serve)

    async def in_turn(
        self, change: Callable[[], Awaitable[T]], *, has_own_limit: bool = False
    ) -> T:
        """Make a request that is no row of ours, but counts for the homeserver as an event does.

        One that `has_own_limit` may be refused while events are not: a minute that the next room
        has to wait, or the next invite, is no minute in which nothing may be said.

        Raises:
            MatrixError: whatever `change` raises.
        """
        await self._turn(Priority.CHANGE)
        try:
            answer = await change()
        except MatrixError as error:
            if not has_own_limit:
                self._delivery.note_pace(error)
            raise
        self._pace.succeed()
        return answer

    def wake(self, rooms: Iterable[RoomId]) -> None:
        """Rows were committed for `rooms`."""
        self._lanes.wake(rooms)

    def offer(self, room_id: RoomId, row: OutboxRow | None) -> None:
        """Rows were committed for the room, and `row` is the oldest of all that it is owed."""
        if row is not None and not self._lanes.is_busy(room_id):
            self._offered[room_id] = row  # an idle lane need not ask the store for it
        self._lanes.wake([room_id])

    async def begin(self, room_id: RoomId) -> None:
        """Wait until an answer can be shown to have begun, and still be ended without waiting."""
        while (wait := self._pace.wait_for_room(len(self._growing) + 1)) > 0:  # noqa: ASYNC110 - the wait is known
            await trio.sleep(wait)
        self._growing.add(room_id)

    def preview(self, room_id: RoomId, preview: Preview) -> None:
        """Show `preview` when there is time; it takes the place of one not yet sent."""
        self._previews[room_id] = preview
        self._growing.add(room_id)
        self._lanes.wake([room_id])

    def drop_preview(self, room_id: RoomId) -> None:
        """The run is over: nothing of its making is to be shown any more."""
        self._previews.pop(room_id, None)
        self._growing.discard(room_id)

    @property
    def sending(self) -> frozenset[RoomId]:
        """The rooms in which something is on its way."""
        return self._lanes.active

    async def wait_sent(self, room_id: RoomId) -> None:
        """Wait until the room has all that it is owed, or the homeserver fails to take it.

        A rate limit is no failure.
        """
        async with trio.open_nursery() as either:
            either.start_soon(self._wait_failing, room_id, either.cancel_scope)
            await self._lanes.wait_inactive(room_id)
            either.cancel_scope.cancel()

    async def _wait_failing(self, room_id: RoomId, scope: trio.CancelScope) -> None:
        while room_id not in self._failing:
            await self._fails.wait()
        scope.cancel()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Send what the store holds, then what comes, until cancelled."""
        self._lanes.wake(await self._store.transact(rows.take_up))
        await self._lanes.run(task_status)

    async def _serve(self, room_id: RoomId) -> None:
        self._failing.discard(room_id)
        row = self._offered.pop(room_id, None)
        if row is None:
            row = await self._store.transact(rows.next_row, room_id)
        trouble = Trouble()
        while True:
            if row is not None:
                with about_row(row):
                    row = await self._deliver(row, trouble)
            elif (preview := self._previews.pop(room_id, None)) is not None:
                await self._show(room_id, preview)
                row = await self._store.transact(rows.next_row, room_id)
            else:
                return

    async def _deliver(self, row: OutboxRow, trouble: Trouble) -> OutboxRow | None:
        """Try `row` once; return what the room is to be sent next."""
        await self._turn(row.priority)
        try:
            event_id = await self._delivery.put(row)
        except MatrixError as error:
            if error.status != TOO_MANY_REQUESTS:
                self._failing.add(row.room_id)
                self._fails.set()
                self._fails = trio.Event()
            elsewhere = await self._delivery.cope(row, error, trouble)
            if elsewhere is not None:
                self._lanes.wake([elsewhere])
            return await self._store.transact(rows.next_row, row.room_id)
        logger.debug("sent as %s", event_id)
        self._pace.succeed()
        trouble.over()
        self._failing.discard(row.room_id)
        self._count(row)
        return await self._store.transact(rows.sent_then_next, row.seq, event_id, row.room_id)

    async def _show(self, room_id: RoomId, preview: Preview) -> None:
        root = await self._store.transact(rows.event_id_of, preview.root)
        if root is None:
            return
        if self._pace.wait_for_room(len(self._growing) + SPARE) > 0:
            return  # a final must never wait behind a preview, in this lane or in another
        await self._turn(Priority.PREVIEW)
        transaction_id = TransactionId(secrets.token_urlsafe(16))
        content = with_replacement(preview.content, root)
        try:
            await self._client.put_event(room_id, "m.room.message", transaction_id, content)
        except MatrixError as error:
            self._delivery.note_pace(error)
            logger.debug("a preview is dropped: %s", error)
        else:
            self._pace.succeed()
            self._metrics.event_sent(_kind(Priority.PREVIEW))

    async def _turn(self, priority: Priority) -> None:
        """Wait for a turn to send something, and count what the wait was."""
        began = trio.current_time()
        await self._pace.turn(priority)
        self._metrics.waited_for_turn(_kind(priority), trio.current_time() - began)

    def _count(self, row: OutboxRow) -> None:
        """Count a message that the homeserver has, and how long its question waited for it."""
        self._metrics.event_sent(_kind(row.priority))
        if row.asked_at is None or not row.mark.is_answer:
            return
        seconds = max(time.time() - row.asked_at, 0.0)  # clocks are set back
        if row.replaces is None and row.part == 0:
            self._metrics.first_text_shown(seconds)
        if row.mark.completes:
            self._metrics.answer_completed(seconds)


def _kind(priority: Priority) -> str:
    return priority.name.lower()
