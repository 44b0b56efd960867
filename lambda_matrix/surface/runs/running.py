"""The runs at work, so that whoever has to can end one."""

from enum import Enum

import trio
from attrs import define, field

from lambda_matrix.ids import RequestId, RoomId


class End(Enum):
    """Why a run is cut off."""

    STOPPED = "stopped"  # its asker said so, or went away
    EDITED = "edited"  # its question is another one now: it is asked anew
    WITHDRAWN = "withdrawn"  # its question was taken back: nothing is to be left of it


@define
class RunScope:
    """The cancel scope of one run, `request` once it is known; `end` says why it was cancelled."""

    scope: trio.CancelScope = field(factory=trio.CancelScope)
    request: RequestId | None = None
    end: End | None = None


@define
class Running:
    """The runs at work, by room: what `!stop` cancels."""

    _scopes: dict[RoomId, RunScope] = field(factory=dict)
    _waiting: dict[RoomId, trio.Event] = field(factory=dict)

    def begin(self, room_id: RoomId) -> RunScope:
        """Return the scope of the room's new run."""
        self._scopes[room_id] = RunScope()
        self._waiting.setdefault(room_id, trio.Event())
        return self._scopes[room_id]

    def end(self, room_id: RoomId) -> None:
        """The room's run is over."""
        self._scopes.pop(room_id, None)
        self._waiting.pop(room_id, None)

    def note_waiting(self, room_id: RoomId) -> None:
        """A question has to wait for the room's run, which may only be about to begin."""
        self._waiting.setdefault(room_id, trio.Event()).set()

    async def somebody_waits(self, room_id: RoomId) -> None:
        """Wait until a question has to wait for the room's run."""
        await self._waiting[room_id].wait()

    def stop(
        self, room_id: RoomId, request: RequestId | None = None, why: End = End.STOPPED
    ) -> bool:
        """Cancel the room's run, with `request` if it is that one's; return whether there was one.

        A run that is about to begin is found, too: whose it is, it does not know yet.
        """
        run = self._scopes.get(room_id)
        if run is None or (request is not None and run.request not in {None, request}):
            return False
        run.end = run.end or why
        run.scope.cancel()
        return True

    def is_running(self, room_id: RoomId) -> bool:
        """Return whether the room has a run at work."""
        return room_id in self._scopes

    @property
    def count(self) -> int:
        """How many runs are at work."""
        return len(self._scopes)
