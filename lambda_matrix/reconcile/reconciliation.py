"""Once per start, after catch-up and before anything goes out: look, plan, repair, and say so."""

import logging
import math
from collections.abc import Callable, Sequence

import trio
from attrs import evolve, frozen

from lambda_matrix.client_server_api.errors import MatrixError, SessionDead, decide_retry
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.ids import PersonId, RoomId, UserId
from lambda_matrix.matrix_events import Membership
from lambda_matrix.reconcile.apply import Repairing
from lambda_matrix.reconcile.plan import plan
from lambda_matrix.reconcile.repairs import AtHomeserver, FinishTree, Repair, describe
from lambda_matrix.reconcile.topology import Observed, Recorded, read_topology
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.spaces import Spaces

logger = logging.getLogger(__name__)

START_PATIENCE = 300.0
"""Seconds that a start spends on repairs at the homeserver; then it goes live without the rest."""
MEMBERSHIP_WAIT = 60.0
"""Seconds in all to ask whether people are still in Spaces that never had a chat."""

Progress = Callable[[int, int], None]
"""Told how many repairs are made, and how many there are in all."""


@frozen
class Done:
    """A repair, and why it was refused; None: it is made."""

    repair: Repair
    refusal: str | None = None


@frozen
class Comparison:
    """What the homeserver says, what is recorded, and what is to be done so that both agree."""

    observed: Observed
    recorded: Recorded
    repairs: tuple[Repair, ...]


async def compare(means: Means, *, insist: bool = True) -> Comparison:
    """Compare what the homeserver says with what is recorded, after catch-up.

    Raises:
        SessionDeadError: the session ended.
        MatrixError: the homeserver does not say which rooms the bot is in, and `insist` is set;
            else those of which it was told have to do.
    """
    observed, recorded = await means.store.transact(read_topology, means.ourselves.user_id)
    # Asked afterwards: a room that comes in between is not taken for one that was left.
    try:
        joined = await persist(means.client.joined_rooms)
    except MatrixError as error:
        _raise_if_dead(error)
        if insist:
            raise
        logger.warning("the homeserver does not tell where we are: %s", error)
        joined = frozenset(recorded.rooms)
    makers = {room.creator for room in observed.rooms if room.creator is not None}
    allows = means.policy.access.allows
    may_talk = frozenset(maker for maker in makers if allows(PersonId(maker)))
    observed = evolve(observed, joined=joined, may_talk=may_talk)
    repairs = plan(observed, recorded)
    absent = await _absent(means, [each for each in repairs if isinstance(each, FinishTree)])
    if absent:  # else it is the same plan
        observed = evolve(observed, absent=absent)
        repairs = plan(observed, recorded)
    return Comparison(observed, recorded, repairs)


async def _absent(means: Means, finishing: Sequence[FinishTree]) -> frozenset[UserId]:
    """Return those who are not in their Space; of whom that is not told, nothing is made, too."""
    absent = {each.owner for each in finishing}
    with trio.move_on_after(MEMBERSHIP_WAIT):
        for each in finishing:
            if await _is_there(means, each.space_id, each.owner):
                absent.discard(each.owner)
    return frozenset(absent)


async def _is_there(means: Means, space_id: RoomId, owner: UserId) -> bool:
    try:
        membership = await persist(lambda: means.client.states.membership(space_id, owner))
    except MatrixError as error:
        _raise_if_dead(error)
        logger.warning("whether %s is in %s is not told: %s", owner, space_id, error)
        return False
    return membership in {Membership.JOIN, Membership.INVITE}


async def reconcile(
    means: Means,
    bindings: Bindings,
    spaces: Spaces,
    *,
    patience: float = math.inf,
    progress: Progress = lambda _made, _all: None,
) -> tuple[Done, ...]:
    """Have what is recorded agree with what the homeserver says: `compare`, and `repair_all`.

    Raises:
        SessionDeadError: the session ended.
    """
    repairs = (await compare(means, insist=False)).repairs
    return await repair_all(means, bindings, spaces, repairs, patience=patience, progress=progress)


async def repair_all(
    means: Means,
    bindings: Bindings,
    spaces: Spaces,
    repairs: Sequence[Repair],
    *,
    patience: float = math.inf,
    progress: Progress = lambda _made, _all: None,
) -> tuple[Done, ...]:
    """Make the repairs, in order; each is logged.

    What the homeserver refuses is logged, too, and does not stop the others; nor does what it does
    not do within `patience` seconds in all, which the next start does.

    Raises:
        SessionDeadError: the session ended.
    """
    repairing = Repairing(means, bindings, spaces)
    deadline = trio.current_time() + patience
    done: list[Done] = []
    for repair in repairs:
        done.append(await _make(repairing, repair, deadline))
        progress(len(done), len(repairs))
    return tuple(done)


async def _make(repairing: Repairing, repair: Repair, deadline: float) -> Done:
    """Make the repair; what needs the homeserver is cut off at the deadline, as by a kill."""
    at_homeserver = isinstance(repair, AtHomeserver)
    refusal: str | None = None
    with trio.CancelScope(deadline=deadline if at_homeserver else math.inf) as scope:
        try:
            await repairing.make(repair)
        except MatrixError as error:
            _raise_if_dead(error)
            refusal = str(error)
    if scope.cancelled_caught:
        refusal = "the homeserver takes too long; left to the next start"
    if refusal is None:
        logger.info("reconciled: %s", describe(repair))
    else:
        logger.warning("not reconciled: %s: %s", describe(repair), refusal)
    return Done(repair, refusal)


def _raise_if_dead(error: MatrixError) -> None:
    decision = decide_retry(error)
    if isinstance(decision, SessionDead):
        raise SessionDeadError(str(error), soft_logout=decision.soft_logout) from error
