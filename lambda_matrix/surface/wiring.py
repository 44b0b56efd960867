"""Everything at work between the homeserver and the agents, wired once."""

import trio

from lambda_matrix.agent.roster import Agents
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.ids import RoomId
from lambda_matrix.metrics import Metrics
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface.admission import Admission
from lambda_matrix.surface.bridge import Bridge
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
from lambda_matrix.surface.draining import Draining
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
from lambda_matrix.surface.recollection import Recollection
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


def build_bridge(
    *,
    store: Store,
    client: Client,
    ourselves: Ourselves,
    agents: Agents,
    policy: Policy,
    workspaces: Workspaces,
    metrics: Metrics,
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
        outbox=Outbox(
            store,
            client,
            pace,
            Delivery(store, client, pace, ourselves, languages, metrics),
            metrics,
        ),
        languages=languages,
        metrics=metrics,
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

    spaces = Spaces(store, client, means.outbox)
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
    recollection = Recollection(means)
    commands = Commands(
        means=means,
        chats=chats,
        contexts=ContextCommands(means, contexts, saving),
        saving=saving,
        runs=RunCommands(means, running, runs, taking, confirmations),
        confirmations=confirmations,
        settings=SettingCommands(means, people, bindings, contexts),
        files=FileCommands(means, receiving),
        status=StatusCommand(means, rounds, people, chats, running),
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
        recollection=recollection,
        signals=signals,
    )
    onboarding = Onboarding(means, provisioning, spaces, bindings, upgrades.lanes)

    def after_gap(room_id: RoomId) -> None:
        """All that was said in the room is known: also what we had said."""
        look_again(room_id)
        recollection.lanes.wake([room_id])
        onboarding.lanes.wake([room_id])

    return Bridge(
        means=means,
        bindings=bindings,
        spaces=spaces,
        rounds=rounds,
        running=running,
        signals=signals,
        expiry=expiry,
        workspaces=workspaces,
        gaps=Gaps(means, after_gap),
        withdrawals=withdrawals,
        provisioning=provisioning,
        onboarding=onboarding,
        by_hand=ByHand(means, bindings),
        titles=Titles(means),
        upgrades=upgrades,
        others=(receiving, offering, endings, recollection),
        runs=runs,
        reactions=reaction_lanes,
        draining=Draining(running, runs, offering.lanes, means.outbox),
        live=trio.Event(),
    )
