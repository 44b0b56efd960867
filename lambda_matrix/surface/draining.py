"""The end of the work, in order: runs that are at work end, and what they said is sent.

Theory. Nothing here is needed for anything not to be lost: whoever is cut off at any moment, by a
stop or by a kill, finds everything in the store at the next start. What is gained is that an answer
which is nearly there is not made anew, and that nobody waits through a restart for it. So nothing
is begun, nobody is waited for whose homeserver fails, and whoever stops the service says how long.
"""

import trio
from attrs import frozen

from lambda_matrix.ids import RoomId
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.runs.running import Running
from lambda_matrix.surface.sending.outbox import Outbox


@frozen
class Draining:
    """Lets `runs` end, and what they bring forth: files on offer, and what the outbox sends."""

    _running: Running
    _runs: Lanes[RoomId]
    _offering: Lanes[RoomId]
    _outbox: Outbox

    async def run(self) -> None:
        """Begin nothing any more, and wait until what is at work has ended and was told.

        May be cancelled at any time: what has not ended is left to the next start.
        """
        self._running.close()
        async with trio.open_nursery() as rooms:
            for room_id in self._runs.active | self._offering.active | self._outbox.sending:
                rooms.start_soon(self._wait_told, room_id)

    @property
    def left(self) -> int:
        """How many answers are still being made."""
        return len(self._running.all_at_work())

    async def _wait_told(self, room_id: RoomId) -> None:
        await self._runs.wait_inactive(room_id)
        await self._offering.wait_inactive(room_id)
        await self._outbox.wait_sent(room_id)
