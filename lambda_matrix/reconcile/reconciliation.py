"""Once per start, after catch-up and before anything goes out: look, plan, repair, and say so."""

import logging
from collections.abc import Callable

from attrs import evolve, frozen

from lambda_matrix.client_server_api.errors import MatrixError, SessionDead, decide_retry
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.ids import PersonId
from lambda_matrix.reconcile.apply import Repairing
from lambda_matrix.reconcile.plan import plan
from lambda_matrix.reconcile.repairs import Repair, describe
from lambda_matrix.reconcile.topology import Observed, Recorded, read_topology
from lambda_matrix.surface.means import Means
from lambda_matrix.surface.patience import persist
from lambda_matrix.surface.rooms.bindings import Bindings
from lambda_matrix.surface.rooms.spaces import Spaces

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Told how many repairs are made, and how many there are in all."""


@frozen
class Done:
    """A repair, and why it was refused; None: it is made (or would be, in a rehearsal)."""

    repair: Repair
    refusal: str | None = None


async def observe(means: Means) -> tuple[Observed, Recorded]:
    """Return what the homeserver says and what is recorded, after catch-up.

    Raises:
        MatrixError: the homeserver does not say which rooms the bot is in.
    """
    joined = await persist(means.client.joined_rooms)
    observed, recorded = await means.store.transact(read_topology, means.ourselves.user_id)
    makers = {room.creator for room in observed.rooms if room.creator is not None}
    allows = means.policy.access.allows
    may_talk = frozenset(maker for maker in makers if allows(PersonId(maker)))
    return evolve(observed, joined=joined, may_talk=may_talk), recorded


async def reconcile(
    means: Means,
    bindings: Bindings,
    spaces: Spaces,
    *,
    dry_run: bool = False,
    progress: Progress = lambda _made, _all: None,
) -> tuple[Done, ...]:
    """Have what is recorded agree with what the homeserver says; each repair is logged.

    What the homeserver refuses is logged, too, and does not stop the others. A `dry_run` changes
    nothing, here or there, and returns what would be done.

    Raises:
        SessionDeadError: the session ended.
    """
    try:
        repairs = plan(*await observe(means))
    except MatrixError as error:
        _raise_if_dead(error)
        logger.warning("not reconciled: the homeserver does not tell where we are: %s", error)
        return ()
    if dry_run:
        return tuple(map(Done, repairs))
    repairing = Repairing(means, bindings, spaces)
    done: list[Done] = []
    for repair in repairs:
        done.append(await _make(repairing, repair))
        progress(len(done), len(repairs))
    return tuple(done)


async def _make(repairing: Repairing, repair: Repair) -> Done:
    try:
        await repairing.make(repair)
    except MatrixError as error:
        _raise_if_dead(error)
        logger.warning("not reconciled: %s: %s", describe(repair), error)
        return Done(repair, str(error))
    logger.info("reconciled: %s", describe(repair))
    return Done(repair)


def _raise_if_dead(error: MatrixError) -> None:
    decision = decide_retry(error)
    if isinstance(decision, SessionDead):
        raise SessionDeadError(str(error), soft_logout=decision.soft_logout) from error
