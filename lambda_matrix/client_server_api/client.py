"""The homeserver's client-server API as typed requests: one method, one request.

No method repeats itself or waits for better times; what to do about an error is the caller's, who
asks `errors.decide_retry`. Every method raises `MatrixError`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from attrs import define

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.account import Account
from lambda_matrix.client_server_api.endpoints import Endpoint
from lambda_matrix.client_server_api.exchange import Observer, Query
from lambda_matrix.client_server_api.media import Media
from lambda_matrix.client_server_api.parsing import (
    Context,
    Page,
    parse_context,
    parse_default_room_version,
    parse_event_id,
    parse_filter_id,
    parse_joined_members,
    parse_joined_rooms,
    parse_one_event,
    parse_page,
    parse_room_id,
    parse_sync,
)
from lambda_matrix.client_server_api.room_creation import RoomCreation, creation_body
from lambda_matrix.client_server_api.room_state import RoomStates
from lambda_matrix.client_server_api.session import Session
from lambda_matrix.client_server_api.survey import Survey, parse_survey, survey_filter
from lambda_matrix.client_server_api.transport import (
    Transport,
    open_transport,
)
from lambda_matrix.client_server_api.workers import CLOSING_TIMEOUT, TRIES
from lambda_matrix.ids import (
    EventId,
    FilterId,
    RoomId,
    SyncToken,
    TransactionId,
    UserId,
)
from lambda_matrix.matrix_events import SyncBatch, TimelineEvent

_SYNC_CONNECTIONS = 2
"""One long poll, and one beside it while an abandoned one runs out."""
_MEDIA_CONNECTIONS = 4
"""Files at once; they never keep a message from going out."""
_SYNC_GRACE = 80.0
"""Seconds beyond its own timeout that a long poll may take: a busy server answers late."""
_FIRST_SYNC_TIMEOUT = 600.0
"""Seconds for a sync without a token, which is as much work as the account is large."""


@define(eq=False)
class Client:
    """One session at one homeserver. Built by `open_client`. Files are `media`'s.

    `states` asks for a room's state, `account` for profiles and for our own data. These three
    aside, everything is a method here.
    """

    session: Session
    media: Media
    states: RoomStates
    account: Account
    _requests: Transport
    _long_polls: Transport
    _default_room_version: str | None = None

    async def _ask(
        self,
        endpoint: Endpoint,
        content: bytes | None = None,
        params: Query | None = None,
    ) -> bytes:
        return await self._requests.request(
            endpoint, token=self.session.access_token, params=params, json=content
        )

    # -- the server --

    async def default_room_version(self) -> str:
        """The room version of new rooms, asked of `/capabilities` once (6.)."""
        if self._default_room_version is None:
            body = await self._ask(endpoints.CAPABILITIES)
            self._default_room_version = parse_default_room_version(body)
        return self._default_room_version

    async def upload_filter(self, content: bytes) -> FilterId:
        """Store a filter, JSON as bytes, for /sync (8.2.1)."""
        endpoint = endpoints.create_filter(self.session.user_id)
        return parse_filter_id(await self._ask(endpoint, content))

    # -- events --

    async def put_event(
        self, room_id: RoomId, event_type: str, transaction_id: TransactionId, content: bytes
    ) -> EventId:
        """Send an event; `content` is JSON, sent byte for byte (10.5.3).

        Repeated with the same transaction id and bytes it is one event.
        """
        endpoint = endpoints.send(room_id, event_type, transaction_id)
        return parse_event_id(await self._ask(endpoint, content))

    async def put_state(
        self, room_id: RoomId, event_type: str, state_key: str, content: Mapping[str, object]
    ) -> EventId:
        """Set a state event; the same content again is the same event (10.5.2)."""
        endpoint = endpoints.state(room_id, event_type, state_key)
        return parse_event_id(await self._ask(endpoint, _json(content)))

    async def redact(
        self,
        room_id: RoomId,
        event_id: EventId,
        transaction_id: TransactionId,
        reason: str | None = None,
    ) -> EventId:
        """Take an event back (10.5.4)."""
        endpoint = endpoints.redact(room_id, event_id, transaction_id)
        content = {} if reason is None else {"reason": reason}
        return parse_event_id(await self._ask(endpoint, _json(content)))

    async def messages(
        self,
        room_id: RoomId,
        *,
        from_: SyncToken | None = None,
        to: SyncToken | None = None,
        limit: int = 100,
        direction: str = "b",
    ) -> Page:
        """Page through a room, backwards ("b") or forwards ("f"), from a token or an end (10.4.5).

        An `end` in the answer does not promise more: stop at an empty page, too.
        """
        params = {"dir": direction, "limit": str(limit)}
        if from_ is not None:
            params["from"] = from_
        if to is not None:
            params["to"] = to
        return parse_page(await self._ask(endpoints.messages(room_id), params=params), room_id)

    async def event(self, room_id: RoomId, event_id: EventId) -> TimelineEvent:
        """One event of a room; a redacted one comes, too (/event)."""
        return parse_one_event(await self._ask(endpoints.event(room_id, event_id)), room_id)

    async def context(self, room_id: RoomId, event_id: EventId) -> Context:
        """One event, and the tokens from which `messages` pages on from it (/context)."""
        endpoint = endpoints.context(room_id, event_id)
        return parse_context(await self._ask(endpoint, params={"limit": "0"}), room_id)

    async def typing(self, room_id: RoomId, *, on: bool, timeout_ms: int = 30_000) -> None:
        """Say that we type, for `timeout_ms` milliseconds, or no longer (11.4.2)."""
        content = {"typing": True, "timeout": timeout_ms} if on else {"typing": False}
        await self._ask(endpoints.typing(room_id, self.session.user_id), _json(content))

    async def read_receipt(self, room_id: RoomId, event_id: EventId) -> None:
        """Say that everything up to this event has been taken in (11.5.2)."""
        await self._ask(endpoints.read_receipt(room_id, event_id), b"{}")

    # -- rooms --

    async def create_room(self, creation: RoomCreation) -> RoomId:
        """Make a room in the homeserver's default version (10.1.1).

        There is no transaction id: after a lost answer look for the marker before making another.
        """
        version = await self.default_room_version()
        body = creation_body(creation, bot=self.session.user_id, room_version=version)
        return parse_room_id(await self._ask(endpoints.CREATE_ROOM, body))

    async def join(self, room_id: RoomId, via: tuple[str, ...] = ()) -> RoomId:
        """Join a room, by way of the servers `via`, which ids without a domain need (11.3.1.2)."""
        return parse_room_id(
            await self._ask(endpoints.join(room_id), b"{}", {"via": via} if via else None)
        )

    async def leave(self, room_id: RoomId, reason: str | None = None) -> None:
        """Leave a room or reject its invite (11.3.2.1)."""
        await self._ask(
            endpoints.leave(room_id), _json({} if reason is None else {"reason": reason})
        )

    async def forget(self, room_id: RoomId) -> None:
        """Forget a room that was left (11.3.2.2)."""
        await self._ask(endpoints.forget(room_id))

    async def invite(self, room_id: RoomId, user_id: UserId) -> None:
        """Invite a user (11.3.1.1)."""
        await self._ask(endpoints.invite(room_id), _json({"user_id": user_id}))

    async def joined_rooms(self) -> frozenset[RoomId]:
        """The rooms that we are in (11.3.3)."""
        return parse_joined_rooms(await self._ask(endpoints.JOINED_ROOMS))

    async def joined_members(self, room_id: RoomId) -> frozenset[UserId]:
        """Who is in a room that we are in (10.4.4)."""
        return parse_joined_members(await self._ask(endpoints.joined_members(room_id)))

    # -- sync --

    async def sync(
        self, *, since: SyncToken | None, filter_id: FilterId | None, timeout_ms: int
    ) -> SyncBatch:
        """Ask for what is new since `since` (8.4), on a connection of its own.

        The homeserver waits up to `timeout_ms` milliseconds for news. The filter may also be one
        itself, as JSON. `sync.sync_forever` is the loop around this.
        """
        params: dict[str, str] = {"timeout": str(timeout_ms)}
        if filter_id is not None:
            params["filter"] = filter_id
        if since is not None:
            params["since"] = since
        timeout = _sync_timeout(since, timeout_ms)
        return parse_sync(await self._sync(params, timeout), self.session.user_id)

    async def survey(self) -> Survey:
        """All that we have at the homeserver; a request that leaves nothing behind there (8.4)."""
        params = {"timeout": "0", "filter": survey_filter()}
        return parse_survey(await self._sync(params, _FIRST_SYNC_TIMEOUT))

    async def _sync(self, params: dict[str, str], timeout: float) -> bytes:  # noqa: ASYNC109 - the request's own, as in `Transport.request`
        always = {"set_presence": "offline", "use_state_after": "true"}
        return await self._long_polls.request(
            endpoints.SYNC,
            token=self.session.access_token,
            params=params | always,
            timeout=timeout,
        )


@asynccontextmanager
async def open_client(
    base_url: str,
    session: Session,
    *,
    ca_file: Path | None = None,
    observe: Observer | None = None,
) -> AsyncIterator[Client]:
    """Open a client of the homeserver at `base_url` for a session (`login.open_session` makes one).

    Raises:
        BadTransportSetting: The URL or the CA file cannot be used.
    """
    async with (
        open_transport(base_url, ca_file=ca_file, observe=observe) as requests,
        open_transport(
            base_url, ca_file=ca_file, connections=_SYNC_CONNECTIONS, observe=observe
        ) as long_polls,
        open_transport(
            base_url,
            ca_file=ca_file,
            connections=_MEDIA_CONNECTIONS,
            observe=observe,
            elsewhere=True,
        ) as files,
    ):
        token = session.access_token
        yield Client(
            session,
            Media(files, token),
            RoomStates(requests, token),
            Account(requests, token, session.user_id),
            requests,
            long_polls,
        )


def _sync_timeout(since: SyncToken | None, timeout_ms: int) -> float:
    return _FIRST_SYNC_TIMEOUT if since is None else timeout_ms / 1000 + _SYNC_GRACE


def longest_sync(since: SyncToken | None, timeout_ms: int) -> float:
    """Return the seconds after which such a sync has ended, one way or another.

    However slowly its answer trickles: each try has one deadline for all of it.
    """
    return TRIES * (_sync_timeout(since, timeout_ms) + CLOSING_TIMEOUT)


def _json(content: Mapping[str, object]) -> bytes:
    return json.dumps(content).encode()
