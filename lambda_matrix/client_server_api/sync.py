"""The sync loop: what is new at the homeserver, batch after batch, while the session lives.

Theory. The loop's only state is the token of the last batch that its consumer has made durable;
`on_batch` returns when it has. Whatever happens, the loop asks again from there: a lost answer, a
restart of the homeserver, a batch that took the consumer long. It ends for two reasons alone: it
is cancelled, or the session is dead. A homeserver that refuses the request itself gets a new
filter, then a request without a token (it may have been restored from a backup and know neither),
and then is waited for.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NoReturn

import trio
from attrs import define

from lambda_matrix.client_server_api.account_data import (
    BINDING_KEY,
    INSTANCE_KEY,
    PERSON_PREFIX,
    SAVED_PREFIX,
)
from lambda_matrix.client_server_api.backoff import Backoff, HealthObserver, ignore_health
from lambda_matrix.client_server_api.client import Client, longest_sync
from lambda_matrix.client_server_api.errors import (
    MatrixError,
    SessionDead,
    decide_retry,
)
from lambda_matrix.client_server_api.parsing_events import OTHER_MESSAGE_TYPES
from lambda_matrix.client_server_api.survey import asked_anew
from lambda_matrix.client_server_api.transport import LONGEST_REQUEST
from lambda_matrix.ids import FilterId, SyncToken
from lambda_matrix.matrix_events import SyncBatch
from lambda_matrix.pulse import LONGEST_STORING, Pulse

log = logging.getLogger(__name__)

TIMELINE_LIMIT: Final = 50
FIRST_TIMELINE_LIMIT: Final = 10
"""Events of each room that a sync without a token tells: with 1,000 rooms its answer has 10 MB."""
LONG_POLL_MS: Final = 30_000
_EMPTY_ANSWER_INTERVAL: Final = 1.0
"""Seconds from one empty answer that came at once to the next: a guard against a broken server."""

_LONGEST_UPLOAD: Final = 2 * LONGEST_REQUEST + LONGEST_STORING
"""Seconds for the filter, which is stored, too; its request may have to wait for one before it."""

_REQUEST_REFUSED: Final = (400, 404)
_NEW_FILTER: Final = 1
_NO_TOKEN: Final = 2
"""What is tried after how many refusals in a row; after those there is only waiting."""

_STATE_TYPES: Final = (
    "m.room.create",
    "m.room.encryption",
    "m.room.member",
    "m.room.name",
    "m.room.power_levels",
    "m.room.tombstone",
    "m.space.child",
    "m.space.parent",
)
_NOTHING: Final[dict[str, tuple[str, ...]]] = {"types": ()}


def _filter(timeline_limit: int, presence: Mapping[str, object] = _NOTHING) -> bytes:
    wanted = {
        "presence": presence,
        "account_data": {"types": (f"{PERSON_PREFIX}*", f"{SAVED_PREFIX}*", INSTANCE_KEY)},
        "room": {
            "ephemeral": _NOTHING,
            "account_data": {"types": (BINDING_KEY,)},
            "state": {"types": _STATE_TYPES, "lazy_load_members": True},
            # Our own events are not left out: their echoes settle what we sent (ADR 0002).
            "timeline": {
                "limit": timeline_limit,
                "lazy_load_members": True,
                "types": (
                    "m.room.message",
                    "m.room.encrypted",
                    "m.room.redaction",
                    *OTHER_MESSAGE_TYPES,
                    *_STATE_TYPES,
                ),
            },
        },
    }
    return json.dumps(wanted).encode()


SYNC_FILTER: Final = _filter(TIMELINE_LIMIT)
"""What the service wants to hear of, as JSON (8.2)."""
FIRST_SYNC_FILTER: Final = FilterId(_filter(FIRST_TIMELINE_LIMIT).decode())
"""The same of a sync without a token; it goes along as it is (8.4), since it is hardly used."""
SYNC_FILTER_FINGERPRINT: Final = hashlib.sha256(SYNC_FILTER).hexdigest()[:16]
"""Store a filter's id under this, so that another filter gets another id."""


class SessionDeadError(Exception):
    """The access token is worth nothing: nothing more can be asked. Everything stored stays.

    With `soft_logout` a new login with the same device goes on where this session ended.
    """

    def __init__(self, message: str, *, soft_logout: bool) -> None:
        super().__init__(message)
        self.soft_logout = soft_logout


async def sync_once(
    client: Client, since: SyncToken | None, filter_id: FilterId | None, timeout_ms: int
) -> SyncBatch:
    """Ask for one batch.

    Raises:
        MatrixError: There is none.
    """
    return await client.sync(since=since, filter_id=filter_id, timeout_ms=timeout_ms)


async def tell_all(client: Client) -> SyncBatch:
    """Have everything told that `SYNC_FILTER` asks for, as it is now; of timelines only the end.

    The filter goes along in the query (8.4), so that nothing is left at the homeserver. The end of
    a timeline has all that happened at once there: of two events that do not know of each other (a
    child is put into a Space while its owner joins) Synapse's state has only what one of them knew.

    Raises:
        MatrixError: it is not told.
    """
    # The end is of all types: what state is told beside a timeline is the state before it.
    ends_alone = FilterId(_filter(FIRST_TIMELINE_LIMIT, asked_anew()).decode())
    return await client.sync(since=None, filter_id=ends_alone, timeout_ms=0)


async def _keep_no_filter(_filter_id: FilterId) -> None:
    """Let the filter's id be forgotten."""


async def sync_forever(
    client: Client,
    *,
    since: SyncToken | None,
    filter_id: FilterId | None,
    on_batch: Callable[[SyncBatch], Awaitable[None]],
    on_filter: Callable[[FilterId], Awaitable[None]] = _keep_no_filter,
    watch: HealthObserver = ignore_health,
    pulse: Pulse | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> NoReturn:
    """Sync until cancelled; `task_status.started()` once everything missed has been handed over.

    Args:
        client: Whose rooms.
        since: The token of the last batch that was made durable; None begins anew.
        filter_id: The stored filter's id; None uploads it.
        on_batch: Makes a batch durable. The loop goes on from it when this returns.
        on_filter: Told each newly uploaded filter's id, to be stored.
        watch: Told when the homeserver goes away and when it is back.
        pulse: Told of each step of the loop's, and of each answer.
        task_status: From `nursery.start`.

    Raises:
        SessionDeadError: The session ended.
    """
    pulse = pulse or Pulse()
    backoff = Backoff(watch, part=pulse.sync)
    loop = _Loop(client, since, filter_id, on_filter, backoff, pulse)
    caught_up = False
    while True:
        was_all = await loop.hand_over(on_batch, LONG_POLL_MS if caught_up else 0)
        if was_all and not caught_up:
            caught_up = True
            task_status.started()


@define(eq=False)
class _Loop:
    """Where the loop stands, and how it gets the next batch over all obstacles."""

    client: Client
    since: SyncToken | None
    filter_id: FilterId | None
    on_filter: Callable[[FilterId], Awaitable[None]]
    backoff: Backoff
    pulse: Pulse
    _refusals: int = 0
    _was_empty_at_once: bool = False

    async def hand_over(
        self, on_batch: Callable[[SyncBatch], Awaitable[None]], timeout_ms: int
    ) -> bool:
        """Have the next batch made durable; return whether it told all that was missing.

        Nothing of a batch is kept while the next is waited for: the first has many megabytes.
        """
        batch = await self.next_batch(timeout_ms)
        # An answer without a token may be one that was kept for an earlier start (Synapse does that
        # for minutes): whoever begins anew has caught up only with the answer after it.
        is_news = self.since is not None
        await on_batch(batch)  # an empty one, too: it says that the homeserver is there
        self.since = batch.next_batch
        return is_news and not any(room.limited for room in batch.joined)

    async def next_batch(self, timeout_ms: int) -> SyncBatch:
        """Ask until there is an answer."""
        while True:
            asked_at = trio.current_time()
            try:
                # After a failure nobody is kept waiting to learn that the homeserver is back.
                batch = await self._ask(0 if self.backoff.is_failing else timeout_ms)
            except MatrixError as error:
                await self._recover(error)
                continue
            self._refusals = 0
            self.backoff.succeeded()
            self.pulse.answered()
            self.pulse.sync.step("taking in an answer", _EMPTY_ANSWER_INTERVAL + LONGEST_STORING)
            await self._pace(batch, asked_at)
            return batch

    async def _ask(self, timeout_ms: int) -> SyncBatch:
        longest = longest_sync(self.since, timeout_ms)
        if self.since is None:
            self.pulse.sync.step("waiting for everything to be told", longest)
            return await sync_once(self.client, None, FIRST_SYNC_FILTER, timeout_ms)
        if self.filter_id is None:
            self.pulse.sync.step("uploading the filter", _LONGEST_UPLOAD)
            self.filter_id = await self.client.upload_filter(SYNC_FILTER)
            await self.on_filter(self.filter_id)
        self.pulse.sync.step("waiting for news", longest)
        return await sync_once(self.client, self.since, self.filter_id, timeout_ms)

    async def _recover(self, error: MatrixError) -> None:
        decision = decide_retry(error)
        if isinstance(decision, SessionDead):
            raise SessionDeadError(str(error), soft_logout=decision.soft_logout) from error
        if error.errcode is not None and error.status in _REQUEST_REFUSED:
            self._refusals += 1
            if self._refusals == _NEW_FILTER:
                log.warning("the homeserver refuses the sync; trying a new filter: %s", error)
                self.filter_id = None
                return
            if self._refusals == _NO_TOKEN and self.since is not None:
                log.warning("the homeserver refuses the sync token; starting anew: %s", error)
                self.since = None
                return
        await trio.sleep(self.backoff.failed(error))

    async def _pace(self, batch: SyncBatch, asked_at: float) -> None:
        """Slow down a homeserver that answers at once with nothing, time after time."""
        elapsed = trio.current_time() - asked_at
        empty_at_once = batch.is_empty and elapsed < _EMPTY_ANSWER_INTERVAL
        if empty_at_once and self._was_empty_at_once:
            await trio.sleep(_EMPTY_ANSWER_INTERVAL - elapsed)
        self._was_empty_at_once = empty_at_once
