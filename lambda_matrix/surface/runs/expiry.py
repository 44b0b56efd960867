"""What is asked of people does not wait for ever: expired, it is dropped, and the room goes on.

Until when it waits is the wall clock's, and stands in the store; how long to sleep is Trio's. A
wall clock that is set forward is noticed within a minute; one that is set back makes it wait
longer, which is what the clock then says.
"""

import time
from typing import NoReturn

import trio
from attrs import define, field

from lambda_matrix.ids import RoomId
from lambda_matrix.store.questions import confirmations
from lambda_matrix.store.records import Confirmation
from lambda_matrix.store.recovery import EXPIRED
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.writing.wording import notice_draft

LONGEST_SLEEP = 60.0
SHORTEST_SLEEP = 0.1
"""Seconds between two looks. The clocks may differ a little; nobody is to spin in between."""


@define
class Expiry:
    """Takes out what was not answered in time. `runs` answer what had to wait for it."""

    _means: Means
    _runs: Lanes[RoomId]
    lanes: Lanes[RoomId] = field(init=False)
    _bell: trio.Event = field(factory=trio.Event)

    def __attrs_post_init__(self) -> None:
        self.lanes = Lanes("expiry", self.serve)

    def look_again(self) -> None:
        """Something is asked that may expire before everything else."""
        self._bell.set()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Wake a room's lane when something of it expires; until cancelled."""
        task_status.started()
        while True:
            self._bell = trio.Event()
            # In this order: what expires between the two is in both, not in neither.
            expiry = await self._means.store.transact(confirmations.next_expiry)
            expired = await self._means.store.transact(confirmations.expired)
            self.lanes.wake({each.room_id for each in expired})
            with trio.move_on_after(_pause(expiry)):
                await self._bell.wait()

    async def serve(self, room_id: RoomId) -> None:
        """Drop what has expired in the room."""
        for confirmation in await self._means.store.transact(confirmations.expired):
            if confirmation.room_id == room_id:
                await self._expire(confirmation)

    async def _expire(self, confirmation: Confirmation) -> None:
        """Drop it and say so, in one transaction; cut off before, it is found again."""
        texts = await self._means.languages.of(confirmation.user_id)
        said = {"interrupts": texts.confirmations.expired, "delete": texts.rooms.kept}
        notice = notice_draft(
            confirmation.room_id,
            said[confirmation.kind],
            self._means.ourselves,
            request=f"{EXPIRED}:{confirmation.user_id}:{confirmation.expires_at}",
        )
        await self._means.store.transact(
            confirmations.expire, confirmation, notice, self._means.ourselves
        )
        self._means.outbox.wake([confirmation.room_id])
        self._runs.wake([confirmation.room_id])


def _pause(expiry: float | None) -> float:
    if expiry is None:
        return float("inf")
    return min(max(expiry - time.time(), SHORTEST_SLEEP), LONGEST_SLEEP)
