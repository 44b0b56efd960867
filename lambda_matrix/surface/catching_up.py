"""The past comes in before anything goes out, and tells under which id this start goes on.

Every event of ours names the start (instance) that sent it, and of two that are alive the one with
the smaller id falls silent. So a start's id must be larger than any that was there before it: not
by the clock, which may have jumped back since, but by what the rooms show. They have been read, as
far as sync tells them, when the catch-up is over; only then does this start take its id.
"""

import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import NoReturn

import trio
from attrs import define, evolve

from lambda_matrix.client_server_api.account_data import INSTANCE_KEY, instance_content
from lambda_matrix.client_server_api.backoff import HealthObserver, ignore_health
from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.sync import SYNC_FILTER_FINGERPRINT, sync_forever
from lambda_matrix.ids import DeviceId, FilterId, InstanceId, UserId
from lambda_matrix.matrix_events import SyncBatch
from lambda_matrix.pulse import Pulse
from lambda_matrix.store import intake, meta
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface.bridge import give_way
from lambda_matrix.surface.patience import persist

logger = logging.getLogger(__name__)

OTHERS_WAIT = 2.0
"""Seconds that another start has to hear of this one and to get rid of what it is sending."""
_BY_THE_CLOCK = re.compile(r"(\d{13})-")
_LAST_MILLISECOND = 9_999_999_999_999


@define
class CatchingUp:
    """Makes batches durable (T1, nothing else) until `hand_over`; then they are the bridge's."""

    _store: Store
    _ourselves: Ourselves
    _further: Callable[[SyncBatch], Awaitable[None]] | None = None

    async def take_in(self, batch: SyncBatch) -> None:
        """Take in a batch, or have it taken in.

        Raises:
            AnotherInstanceError: a newer start than this one is at work (after the catch-up).
        """
        if self._further is not None:
            await self._further(batch)
        else:
            await self._store.transact(intake.accept_batch, batch, self._ourselves)

    async def over(self) -> Ourselves:
        """Return who we are from now on: later than every start that was seen."""
        newest = await self._store.transact(meta.newest_instance)
        if newest is not None and newest > self._ourselves.instance:
            logger.warning(
                "instance %s was here before this start and has a later id: is the clock wrong?",
                newest,
            )
            self._ourselves = evolve(self._ourselves, instance=new_instance(newest))
            await self._store.transact(meta.begin_instance, self._ourselves)
        return self._ourselves

    def hand_over(self, further: Callable[[SyncBatch], Awaitable[None]]) -> None:
        """Let `further` take in what comes from now on."""
        self._further = further


async def announce(store: Store, client: Client, ourselves: Ourselves) -> None:
    """Tell every other start that this one answers from now on.

    One that is still at work elsewhere (another machine, a copy of the state directory) ends when
    it hears of that. What it was sending just then is waited for, so that it is not said again.
    Where this store's own starts are all that there were, there is nobody to wait for.

    Raises:
        AnotherInstanceError: a later start has announced itself just when the catch-up ended.
    """
    give_way(await store.transact(meta.newest_instance), ourselves)
    is_alone = await store.transact(meta.is_alone)
    content = instance_content(ourselves.instance)
    try:
        await persist(lambda: client.account.put_data(INSTANCE_KEY, content))
    except MatrixError as error:
        logger.warning("not announced to other instances: %s", error)
        return
    if not is_alone:
        logger.info("another instance may be at work; giving it %.0f s to end", OTHERS_WAIT)
        await trio.sleep(OTHERS_WAIT)


async def keep_up(
    client: Client,
    store: Store,
    catch_up: CatchingUp,
    *,
    watch: HealthObserver = ignore_health,
    pulse: Pulse | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> NoReturn:
    """Sync from where the store stands; `task_status.started()` once the past is in.

    Raises:
        SessionDeadError: the session ended.
    """

    async def keep_filter(filter_id: FilterId) -> None:
        await store.transact(meta.set_stored_filter, SYNC_FILTER_FINGERPRINT, filter_id)

    await sync_forever(
        client,
        since=await store.transact(meta.sync_token),
        filter_id=await store.transact(meta.stored_filter, SYNC_FILTER_FINGERPRINT),
        on_batch=catch_up.take_in,
        on_filter=keep_filter,
        watch=watch,
        pulse=pulse,
        task_status=task_status,
    )


async def begin(store: Store, user_id: UserId, device_id: DeviceId) -> CatchingUp:
    """Note this start of the service, under an id that is later than all that the store knows."""
    newest = await store.transact(meta.newest_instance)
    ourselves = Ourselves(user_id, device_id, new_instance(newest))
    await store.transact(meta.begin_instance, ourselves)
    return CatchingUp(store, ourselves)


def new_instance(newest: InstanceId | None) -> InstanceId:
    """Return a start's id: the clock's, in milliseconds, or just after `newest` if that is later.

    The rest is random, so that no two starts have the same.
    """
    rest = secrets.token_hex(4)
    by_the_clock = InstanceId(f"{time.time_ns() // 1_000_000:013d}-{rest}")
    if newest is None or newest < by_the_clock:
        return by_the_clock
    known = _BY_THE_CLOCK.match(newest)
    if known is None or int(known[1]) >= _LAST_MILLISECOND:
        return InstanceId(f"{newest}~{rest}")
    return InstanceId(f"{int(known[1]) + 1:013d}-{rest}")
