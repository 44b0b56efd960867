"""The runs at work, so that whoever has to can end one."""

from enum import Enum

import trio
from attrs import define, field, frozen

from lambda_matrix.ids import AgentId, RequestId, RoomId, UserId
from lambda_matrix.store.records import Request


class End(Enum):
    """Why a run is cut off."""

    STOPPED = "stopped"  # its asker said so, or went away
    EDITED = "edited"  # its question is another one now: it is asked anew
    WITHDRAWN = "withdrawn"  # its question was taken back: nothing is to be left of it
    PARKED = "parked"  # the service is being stopped: it is for the next start


@frozen
class _Cut:
    """What is to be cut off: runs of `request` (None: any), begun before its `edition`th edit."""

    request: RequestId | None
    edition: int | None
    why: End

    def concerns(self, request: Request) -> bool:
        if self.request not in {None, request.request_id}:
            return False
        return self.edition is None or request.edited < self.edition


@frozen
class RunAtWork:
    """A run whose agent is being asked, for so many seconds."""

    room_id: RoomId
    request_id: RequestId
    agent: AgentId
    asker: UserId
    seconds: float


@define
class RunScope:
    """The cancel scope of one run; `request` once it is known; `end` says why it was cancelled.

    `begun` is when its turn came, on Trio's clock; None while it stands in line.
    """

    scope: trio.CancelScope = field(factory=trio.CancelScope)
    request: Request | None = None
    end: End | None = None
    begun: float | None = None
    _early: list[_Cut] = field(factory=list)

    def take(self, request: Request) -> None:
        """The run is that request's; what was to be cut off before this was known is cut off."""
        self.request = request
        for cut in self._early:
            self.cut(cut)

    def begin(self) -> None:
        """The run's turn has come."""
        self.begun = trio.current_time()

    def cut(self, cut: _Cut) -> None:
        """Cancel the run if it is concerned, now or as soon as that is known."""
        if self.request is None:
            self._early.append(cut)
        elif cut.concerns(self.request):
            self.end = self.end or cut.why
            self.scope.cancel()


@define
class Running:
    """The runs at work, by room: what `!stop` cancels. `is_closed`: no more of them begin."""

    is_closed: bool = False
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
    ) -> None:
        """Cancel the room's run, with `request` only if it is that one's.

        A run that is about to begin is found, too: it is cancelled once it is known whose it is.
        """
        self._cut(room_id, _Cut(request, None, why))

    def stop_outdated(self, request: Request) -> None:
        """Cancel the run that answers what the request was before its newest edit."""
        self._cut(request.room_id, _Cut(request.request_id, request.edited, End.EDITED))

    def close(self) -> None:
        """Let no more runs begin; those whose turn has not come yet are left to the next start."""
        self.is_closed = True
        for room_id, run in self._scopes.items():
            if run.begun is None:
                self._cut(room_id, _Cut(None, None, End.PARKED))

    def at_work(self, room_id: RoomId) -> RequestId | None:
        """Return whose run the room has at work, if it has one and that is known."""
        run = self._scopes.get(room_id)
        return None if run is None or run.request is None else run.request.request_id

    def is_running(self, room_id: RoomId) -> bool:
        """Return whether the room has a run at work."""
        return room_id in self._scopes

    def all_at_work(self) -> tuple[RunAtWork, ...]:
        """Return the runs whose agents are being asked, the longest first."""
        now = trio.current_time()
        runs = [
            RunAtWork(
                room_id,
                run.request.request_id,
                run.request.agent,
                run.request.asker,
                now - run.begun,
            )
            for room_id, run in self._scopes.items()
            if run.request is not None and run.begun is not None
        ]
        return tuple(sorted(runs, key=lambda run: run.seconds, reverse=True))

    @property
    def count(self) -> int:
        """How many runs are at work."""
        return len(self._scopes)

    def _cut(self, room_id: RoomId, cut: _Cut) -> None:
        run = self._scopes.get(room_id)
        if run is not None:
            run.cut(cut)
