"""Everything at work between the homeserver and the agents, wired once.

Data has one way through: `take_in` makes a batch durable and wakes lanes; reactions turn what was
said into requests and replies; runs turn requests into answers; the outbox sends what was
committed. Between them stands only the store.
"""

import logging
from typing import NoReturn

import trio
from attrs import frozen

from lambda_matrix.agent.registry import Registry
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.conversation.access import Access
from lambda_matrix.conversation.texts import Language
from lambda_matrix.ids import RoomId
from lambda_matrix.matrix_events import SyncBatch
from lambda_matrix.store import intake, intents, requests
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface.commands.chats import ChatCommands
from lambda_matrix.surface.commands.dispatch import Commands
from lambda_matrix.surface.commands.runs import RunCommands
from lambda_matrix.surface.commands.status import StatusCommand
from lambda_matrix.surface.gaps import Gaps
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.reactions import Reactions
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.onboarding import Onboarding
from lambda_matrix.surface.rooms.provisioning import Provisioning
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.runs.answering import Answering
from lambda_matrix.surface.runs.asking import Asking
from lambda_matrix.surface.runs.running import Running
from lambda_matrix.surface.runs.withdrawals import Withdrawals
from lambda_matrix.surface.sending.delivery import Delivery
from lambda_matrix.surface.sending.outbox import Outbox
from lambda_matrix.surface.sending.pace import Pace
from lambda_matrix.surface.sending.signals import Signals

logger = logging.getLogger(__name__)


class AnotherInstanceError(Exception):
    """A newer start of the service writes under our name: this one must fall silent."""


@frozen
class Policy:
    """What the operator decides about people and words; `name` is what the bot is called."""

    access: Access
    reject_denied_invites: bool
    command_prefix: str
    name: str
    language: Language


@frozen(kw_only=True)
class Bridge:
    """The parts at work. Until `run` batches are only made durable (catch-up)."""

    store: Store
    ourselves: Ourselves
    rounds: Rounds
    running: Running
    signals: Signals
    outbox: Outbox
    withdrawals: Withdrawals
    provisioning: Provisioning
    onboarding: Onboarding
    gaps: Gaps
    runs: Lanes[RoomId]
    reactions: Lanes[RoomId]
    live: trio.Event

    async def take_in(self, batch: SyncBatch) -> None:
        """T1, and then have everybody look at what came.

        Raises:
            AnotherInstanceError: the batch holds an event of a newer start than this one.
        """
        accepted = await self.store.transact(intake.accept_batch, batch, self.ourselves)
        self.rounds.end()
        if accepted.foreign is not None and accepted.foreign > self.ourselves.instance:
            raise AnotherInstanceError(
                f"Another lambda-matrix answers as {self.ourselves.user_id}, started later than "
                "this one; this one stops."
            )
        if self.live.is_set():
            self.reactions.wake(accepted.wake)
            self.gaps.lanes.wake([gap.room_id for gap in accepted.gaps])
            self.onboarding.lanes.wake([*accepted.invites, *accepted.encrypted, *accepted.entered])
            self.outbox.wake(accepted.entered)
            self.withdrawals.lanes.wake(accepted.withdrawn)
            for room_id in (*accepted.left, *accepted.stopped):
                self.running.stop(room_id)
            if accepted.entered:
                self.provisioning.duplicates.wake(
                    await self.store.transact(intents.duplicates, self.ourselves.user_id)
                )

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> NoReturn:
        """Go live: open the outbox, take up what waits, and from now on what comes.

        To be started once catch-up is done, and not before: a row whose echo has not been seen yet
        could go out a second time.
        """
        async with trio.open_nursery() as at_work:
            for lanes in (
                self.reactions,
                self.runs,
                self.gaps.lanes,
                self.withdrawals.lanes,
                self.onboarding.lanes,
                self.provisioning.lanes,
                self.provisioning.duplicates,
            ):
                await at_work.start(lanes.run)
            await at_work.start(self.signals.run)
            await at_work.start(self.outbox.run)
            self.live.set()
            waiting = await self.store.transact(requests.rooms_with_work)
            self.reactions.wake(waiting)
            self.runs.wake(waiting)
            self.gaps.lanes.wake(await self.store.transact(intake.rooms_with_gaps))
            await self.withdrawals.resume()
            await self.onboarding.resume()
            await self.provisioning.resume()
            task_status.started()
            await trio.sleep_forever()


def build_bridge(
    *, store: Store, client: Client, ourselves: Ourselves, registry: Registry, policy: Policy
) -> Bridge:
    """Wire the parts."""
    languages = Languages(store, policy.language, policy.command_prefix)
    pace = Pace()
    means = Means(
        store=store,
        client=client,
        ourselves=ourselves,
        agents=registry,
        outbox=Outbox(store, client, pace, Delivery(store, client, pace, ourselves, languages)),
        languages=languages,
    )
    signals = Signals(client)
    rounds = Rounds()
    running = Running()
    # The lanes come first, since the parts wake them; what serves in them is made of the parts.
    reaction_lanes = Lanes[RoomId](
        "reaction",
        lambda room_id: reactions.serve(room_id),  # noqa: PLW0108 - made below
        lambda room_id: reactions.after_fault(room_id),  # noqa: PLW0108 - made below
    )
    runs = Lanes[RoomId]("run", Answering(means, running, signals, Asking(means)).serve)

    def look_again(room_id: RoomId) -> None:
        """What a room has waited for is there: a gap is read, or the room is bound."""
        reaction_lanes.wake([room_id])
        runs.wake([room_id])

    bindings = Bindings(store, client)
    provisioning = Provisioning(means, bindings, rounds, look_again)
    withdrawals = Withdrawals(means)
    chats = ChatCommands(means, provisioning, running)
    commands = Commands(
        means=means,
        prefix=policy.command_prefix,
        chats=chats,
        runs=RunCommands(means, running),
        status=StatusCommand(means, rounds, chats),
    )
    reactions = Reactions(
        means=means,
        access=policy.access,
        prefix=policy.command_prefix,
        names=(policy.name, ourselves.user_id),
        commands=commands,
        running=running,
        runs=runs,
        withdrawals=withdrawals.lanes,
        signals=signals,
    )
    return Bridge(
        store=store,
        ourselves=ourselves,
        rounds=rounds,
        running=running,
        signals=signals,
        outbox=means.outbox,
        withdrawals=withdrawals,
        provisioning=provisioning,
        onboarding=Onboarding(means, provisioning, policy.access, policy.reject_denied_invites),
        gaps=Gaps(means, look_again),
        runs=runs,
        reactions=reaction_lanes,
        live=trio.Event(),
    )
