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
from lambda_matrix.agent.roster import Agents, RosterChange
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.ids import PersonId, RoomId
from lambda_matrix.matrix_events import SyncBatch
from lambda_matrix.store import intake, intents, requests
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface.admission import Admission
from lambda_matrix.surface.commands.archive import ArchiveCommands
from lambda_matrix.surface.commands.bind import BindCommand
from lambda_matrix.surface.commands.chats import ChatCommands
from lambda_matrix.surface.commands.confirmations import ConfirmationCommands
from lambda_matrix.surface.commands.contexts import ContextCommands
from lambda_matrix.surface.commands.dispatch import Commands
from lambda_matrix.surface.commands.files import FileCommands
from lambda_matrix.surface.commands.runs import RunCommands
from lambda_matrix.surface.commands.saving import SavingCommands
from lambda_matrix.surface.commands.settings import SettingCommands
from lambda_matrix.surface.commands.status import StatusCommand
from lambda_matrix.surface.files.accepting import Accepting
from lambda_matrix.surface.files.carrying import Carrying
from lambda_matrix.surface.files.offering import Offering
from lambda_matrix.surface.files.receiving import Receiving
from lambda_matrix.surface.files.transfers import SizeLimits
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.gaps import Gaps
from lambda_matrix.surface.history import History
from lambda_matrix.surface.lanes import Lanes
from lambda_matrix.surface.language import Languages
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.people import People
from lambda_matrix.surface.policy import Policy
from lambda_matrix.surface.reactions import Reactions
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.by_hand import ByHand
from lambda_matrix.surface.rooms.contexts import Contexts
from lambda_matrix.surface.rooms.endings import Endings
from lambda_matrix.surface.rooms.looks import Looks
from lambda_matrix.surface.rooms.moving import Moving
from lambda_matrix.surface.rooms.onboarding import Onboarding
from lambda_matrix.surface.rooms.provisioning import Provisioning
from lambda_matrix.surface.rooms.saved import SavedContexts
from lambda_matrix.surface.rooms.spaces import Spaces
from lambda_matrix.surface.rooms.titles import Titles
from lambda_matrix.surface.rooms.upgrades import Upgrades
from lambda_matrix.surface.rounds import Rounds
from lambda_matrix.surface.runs.answering import Answering
from lambda_matrix.surface.runs.asking import Asking
from lambda_matrix.surface.runs.expiry import Expiry
from lambda_matrix.surface.runs.running import Running
from lambda_matrix.surface.runs.second_thoughts import SecondThoughts
from lambda_matrix.surface.runs.slots import Slots
from lambda_matrix.surface.runs.taking import Taking
from lambda_matrix.surface.runs.withdrawals import Withdrawals
from lambda_matrix.surface.sending.delivery import Delivery
from lambda_matrix.surface.sending.outbox import Outbox
from lambda_matrix.surface.sending.pace import Pace
from lambda_matrix.surface.sending.signals import Signals

logger = logging.getLogger(__name__)


class AnotherInstanceError(Exception):
    """A newer start of the service writes under our name: this one must fall silent."""


@frozen(kw_only=True)
class Bridge:
    """The parts at work. Until `run` batches are only made durable (catch-up)."""

    means: Means
    rounds: Rounds
    running: Running
    signals: Signals
    withdrawals: Withdrawals
    expiry: Expiry
    workspaces: Workspaces
    receiving: Receiving
    offering: Offering
    provisioning: Provisioning
    onboarding: Onboarding
    by_hand: ByHand
    titles: Titles
    endings: Endings
    upgrades: Upgrades
    gaps: Gaps
    runs: Lanes[RoomId]
    reactions: Lanes[RoomId]
    live: trio.Event

    async def take_in(self, batch: SyncBatch) -> None:
        """T1, and then have everybody look at what came.

        Raises:
            AnotherInstanceError: the batch holds an event of a newer start than this one.
        """
        accepted = await self.means.store.transact(intake.accept_batch, batch, self.means.ourselves)
        self.rounds.end()
        if accepted.foreign is not None and accepted.foreign > self.means.ourselves.instance:
            raise AnotherInstanceError(
                f"Another lambda-matrix answers as {self.means.ourselves.user_id}, started later "
                "than this one; this one stops."
            )
        if self.live.is_set():
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
                self.provisioning.duplicates.wake(
                    await self.means.store.transact(
                        intents.duplicates, self.means.ourselves.user_id
                    )
                )

    async def reload(self, policy: Policy, registry: Registry) -> RosterChange:
        """Put other decisions of the operator's into force; return what changed about the agents.

        Runs of those who may no longer talk to us are stopped.
        """
        self.means.policy.take_over(policy)
        await self.workspaces.prepare(registry)
        change = self.means.agents.replace(registry)
        for request in await self.means.store.transact(requests.open_requests):
            if not policy.access.allows(PersonId(request.asker)):
                await self.means.store.transact(requests.mark_stopped, request.request_id)
                self.running.stop(request.room_id, request.request_id)
        return change

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
                self.expiry.lanes,
                self.receiving.lanes,
                self.offering.lanes,
                self.onboarding.lanes,
                self.provisioning.lanes,
                self.provisioning.duplicates,
                self.by_hand.lanes,
                self.titles.lanes,
                self.endings.lanes,
                self.upgrades.lanes,
            ):
                await at_work.start(lanes.run)
            await at_work.start(self.signals.run)
            await at_work.start(self.means.outbox.run)
            await self.workspaces.prepare(self.means.agents.registry)
            self.live.set()
            waiting = await self.means.store.transact(requests.rooms_with_work)
            self.reactions.wake(waiting)
            self.runs.wake(waiting)
            self.gaps.lanes.wake(await self.means.store.transact(intake.rooms_with_gaps))
            await self.withdrawals.resume()
            await self.receiving.resume()
            await self.offering.resume()
            await self.onboarding.resume()
            await self.provisioning.resume()
            await self.by_hand.resume()
            await self.titles.resume()
            await self.endings.resume()
            await self.upgrades.resume()
            await at_work.start(self.expiry.run)
            task_status.started()
            await trio.sleep_forever()


def build_bridge(
    *,
    store: Store,
    client: Client,
    ourselves: Ourselves,
    agents: Agents,
    policy: Policy,
    workspaces: Workspaces,
) -> Bridge:
    """Wire the parts."""
    languages = Languages(store, policy)
    pace = Pace()
    means = Means(
        store=store,
        client=client,
        ourselves=ourselves,
        agents=agents,
        policy=policy,
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
    runs = Lanes[RoomId]("run", lambda room_id: answering.serve(room_id))  # noqa: PLW0108 - made below
    expiry = Expiry(means, runs)
    bindings = Bindings(store, client)
    history = History(means)
    contexts = Contexts(means, bindings, history, running, runs)
    sizes = SizeLimits(client, policy, workspaces)
    receiving = Receiving(means, workspaces, sizes, runs)
    offering = Offering(means, workspaces, sizes)
    asking = Asking(means, contexts, Carrying(means, workspaces))
    answering = Answering(means, running, signals, asking, expiry, Slots(policy), offering.lanes)

    def look_again(room_id: RoomId) -> None:
        """What a room has waited for is there: a gap is read, or the room is bound."""
        reaction_lanes.wake([room_id])
        runs.wake([room_id])
        receiving.begin(room_id)
        offering.lanes.wake([room_id])

    spaces = Spaces(store, client)
    provisioning = Provisioning(means, bindings, spaces, Looks(means), rounds, look_again)
    withdrawals = Withdrawals(means)
    moving = Moving(means, bindings, spaces, running, look_again)
    endings = Endings(means, bindings, spaces, workspaces, rounds, running, withdrawals.lanes)
    upgrades = Upgrades(means, moving, rounds)
    people = People(means)
    chats = ChatCommands(means, people, provisioning, running)
    saving = SavingCommands(means, contexts, SavedContexts(means), history)
    taking = Taking(means, bindings, Admission(policy), running, runs, receiving)
    confirmations = ConfirmationCommands(means, taking, runs, expiry, endings)
    commands = Commands(
        means=means,
        chats=chats,
        contexts=ContextCommands(means, contexts, saving),
        saving=saving,
        runs=RunCommands(means, running, runs, taking, confirmations),
        confirmations=confirmations,
        settings=SettingCommands(means, people, bindings),
        files=FileCommands(means, receiving),
        status=StatusCommand(means, rounds, chats),
        archives=ArchiveCommands(means, bindings, spaces, running, runs),
        binding=BindCommand(means, people, bindings, spaces),
    )
    reactions = Reactions(
        means=means,
        commands=commands,
        taking=taking,
        second_thoughts=SecondThoughts(means, running, runs, withdrawals.lanes, receiving),
        confirmations=confirmations,
        upgrades=upgrades.lanes,
        accepting=Accepting(means, workspaces, sizes, receiving, taking),
        signals=signals,
    )
    return Bridge(
        means=means,
        rounds=rounds,
        running=running,
        signals=signals,
        withdrawals=withdrawals,
        expiry=expiry,
        workspaces=workspaces,
        receiving=receiving,
        offering=offering,
        provisioning=provisioning,
        onboarding=Onboarding(means, provisioning, spaces, upgrades.lanes),
        by_hand=ByHand(means, bindings),
        titles=Titles(means),
        endings=endings,
        upgrades=upgrades,
        gaps=Gaps(means, look_again),
        runs=runs,
        reactions=reaction_lanes,
        live=trio.Event(),
    )
