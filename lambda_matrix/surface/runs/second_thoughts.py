"""Questions that are edited or taken back, while they wait, while they are answered, and after.

The store decides what still counts (`store.changes`); here the run that it does not count for any
more is cut off, after the commit. Killed in between, the run is gone anyway, and the store begins
the right one.
"""

from attrs import frozen

from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import Redaction, TextMessage
from lambda_matrix.store.questions import changes
from lambda_matrix.surface.files.receiving import Receiving
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.runs.running import End, Running


@frozen
class SecondThoughts:
    """Edits and redactions of questions. `runs` answer, `withdrawals` redact."""

    _means: Means
    _running: Running
    _runs: Lanes[RoomId]
    _withdrawals: Lanes[RoomId]
    _receiving: Receiving

    async def edit(self, event: TextMessage, text: str) -> None:
        """Ask the new `text` instead, if the question still waits or is being answered."""
        request = await self._means.store.transact(changes.edit, event, text)
        if request is not None:
            self._running.stop_outdated(request)

    async def withdraw(self, event: Redaction) -> None:
        """Cancel the question that was taken back, and have what was answered taken back, too."""
        open_requests = await self._means.store.transact(changes.withdraw, event)
        for request in open_requests:
            self._running.stop(request.room_id, request.request_id, End.WITHDRAWN)
        places = {event.room_id, *(request.room_id for request in open_requests)}
        self._withdrawals.wake(places)
        self._receiving.look_again(event.room_id)
        self._runs.wake(places)  # what waited for a word on it waits no longer
