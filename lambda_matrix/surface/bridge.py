"""Everything at work between the homeserver and the agents, wired once.

Data has one way through: `take_in` makes a batch durable and wakes lanes; reactions turn what was
said into requests and replies; runs turn requests into answers; the outbox sends what was
committed. Between them stands only the store.
"""

import logging
from typing import NoReturn, Protocol

import trio
from attrs import frozen

from lambda_matrix.agent.registry import Registry
from lambda_matrix.agent.roster import RosterChange
from lambda_matrix.ids import InstanceId, PersonId, RoomId, UserId
from lambda_matrix.matrix_events import SyncBatch
from lambda_matrix.store import intake
from lambda_matrix.store.questions import confirmations, requests
from lambda_matrix.store.records import Accepted, Ourselves
from lambda_matrix.store.topology import intents
from lambda_matrix.surface.draining import Draining
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.gaps import Gaps
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.lasting import lasting
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.overview import Overview, overview
from lambda_matrix.surface.policy import Policy
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.by_hand import ByHand
from lambda_matrix.surface.rooms.onboarding import Onboarding
from lambda_matrix.surface.rooms.provisioning import Provisioning
from lambda_matrix.surface.rooms.spaces import Spaces
from lambda_matrix.surface.rooms.titles import Titles
from lambda_matrix.surface.rooms.upgrades import Upgrades
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.runs.expiry import Expiry
from lambda_matrix.surface.runs.running import Running
from lambda_matrix.surface.runs.withdrawals import Withdrawals
from lambda_matrix.surface.sending.signals import Signals

logger = logging.getLogger(__name__)


class AnotherInstanceError(Exception):
    """A newer start of the service writes under our name: this one must fall silent."""


def give_way(other: InstanceId | None, ourselves: Ourselves) -> None:
    """Let a later start go on alone.

    Raises:
        AnotherInstanceError: `other` is one.
    """
    if other is not None and other > ourselves.instance:
        raise AnotherInstanceError(
            f"Another lambda-matrix answers as {ourselves.user_id}, started later than this one; "
            "this one stops."
        )


class LastingWork(Protocol):
    """Work whose to-do stands in the store: it is served in lanes, and outlives the process."""

    @property
    def lanes(self) -> Lanes[RoomId] | Lanes[UserId]:
        """The lanes that serve it."""
        ...

    async def resume(self) -> None:
        """Take up what an earlier start left."""
        ...


@frozen(kw_only=True)
class Bridge:
    """The parts at work. Until `run` batches are only made durable (catch-up).

    Those that are named here are woken by what a batch brings, `others` by those.
    """

    means: Means
    bindings: Bindings
    spaces: Spaces
    rounds: Rounds
    running: Running
    signals: Signals
    expiry: Expiry
    workspaces: Workspaces
    gaps: Gaps
    withdrawals: Withdrawals
    onboarding: Onboarding
    provisioning: Provisioning
    upgrades: Upgrades
    by_hand: ByHand
    titles: Titles
    others: tuple[LastingWork, ...]
    runs: Lanes[RoomId]
    reactions: Lanes[RoomId]
    draining: Draining
    live: trio.Event

    async def take_in(self, batch: SyncBatch) -> None:
        """T1, and then have everybody look at what came.

        Raises:
            AnotherInstanceError: the batch holds an event of a newer start than this one.
        """
        accepted = await self.means.store.transact(intake.accept_batch, batch, self.means.ourselves)
        self.rounds.end()
        give_way(accepted.foreign, self.means.ourselves)
        if self.live.is_set():
            await self._wake(accepted)

    async def _wake(self, accepted: Accepted) -> None:
        """Have everybody look at what came."""
        self.reactions.wake(accepted.wake)
        self.gaps.lanes.wake([gap.room_id for gap in accepted.gaps])
        self.onboarding.lanes.wake([*accepted.invites, *accepted.encrypted, *accepted.entered])
        self.means.outbox.wake(accepted.entered)
        self.upgrades.lanes.wake(accepted.upgraded)
        self.by_hand.lanes.wake(accepted.unnoted)
        self.titles.lanes.wake(accepted.untitled)
        self.withdrawals.lanes.wake(accepted.withdrawn)
        for room_id in (*accepted.left, *accepted.archived):
            self.running.stop(room_id)
        for request in accepted.stopped:
            self.running.stop(request.room_id, request.request_id)
        self.runs.wake((*accepted.deserted, *accepted.archived))
        if accepted.entered:
            ourselves = self.means.ourselves.user_id
            twice = await self.means.store.transact(intents.duplicates, ourselves)
            self.provisioning.duplicates.wake(twice)

    async def overview(self) -> Overview:
        """Return how much there is of everything now, and what is at work."""
        return await overview(self.means.store, self.running)

    async def reload(self, policy: Policy, registry: Registry) -> RosterChange:
        """Put other decisions of the operator's into force; return what changed about the agents.

        Runs of those who may no longer talk to us are stopped, and those that an agent makes for
        somebody who may no longer use it; what waits for it is refused when its turn comes.
        """
        self.means.policy.take_over(policy)
        await self.workspaces.prepare(registry)
        change = self.means.agents.replace(registry)
        self.means.metrics.agents_in_force(registry.agents)
        await self._turn_away()
        for request in await self.means.store.transact(requests.open_requests):
            if registry.get(request.agent) and not registry.may_use(request.agent, request.asker):
                self.running.stop(request.room_id, request.request_id)
        return change

    async def _turn_away(self) -> None:
        """End what is asked by, and of, those who may not talk to us any more."""
        access = self.means.policy.access
        for asked in await self.means.store.transact(confirmations.of_everybody):
            if not access.allows(PersonId(asked.user_id)):
                # Nobody hears their word any more, and others may wait for it.
                await self.means.store.transact(confirmations.close, asked.user_id, asked.room_id)
                self.runs.wake([asked.room_id])
        for request in await self.means.store.transact(requests.open_requests):
            if not access.allows(PersonId(request.asker)):
                await self.means.store.transact(requests.mark_stopped, request.request_id)
                self.running.stop(request.room_id, request.request_id)
                self.runs.wake([request.room_id])  # it may wait for a word, or for a file

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Go live: open the outbox, take up what waits, and from now on what comes.

        To be started once catch-up is done, and not before: a row whose echo has not been seen yet
        could go out a second time.
        """
        async with trio.open_nursery() as at_work:
            for lanes in (
                self.reactions,
                self.runs,
                self.expiry.lanes,
                self.provisioning.duplicates,
            ):
                await at_work.start(lasting, lanes.run)
            for work in self._lasting:
                await at_work.start(lasting, work.lanes.run)
            await at_work.start(lasting, self.signals.run)
            await at_work.start(lasting, self.means.outbox.run)
            await self.workspaces.prepare(self.means.agents.registry)
            await self._turn_away()  # the settings may be others than at the last start
            self.live.set()
            waiting = await self.means.store.transact(requests.rooms_with_work)
            self.reactions.wake(waiting)
            self.runs.wake(waiting)
            for work in self._lasting:
                await work.resume()
            await at_work.start(lasting, self.expiry.run)
            task_status.started()
            await trio.sleep_forever()

    @property
    def _lasting(self) -> tuple[LastingWork, ...]:
        return (
            self.gaps,
            self.withdrawals,
            self.onboarding,
            self.provisioning,
            self.upgrades,
            self.by_hand,
            self.titles,
            *self.others,
        )
