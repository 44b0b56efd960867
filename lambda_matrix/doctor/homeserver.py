"""The homeserver, asked. What is made of its answers stands in `homeserver_verdicts`.

Nothing disturbs a service that runs: its own token is used where it is kept, and where it is not, a
login that is gone afterwards (`trial_login`). The /sync takes nothing away from the service's.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import trio
from attrs import define, frozen

from lambda_matrix.client_server_api import endpoints, parsing, parsing_server
from lambda_matrix.client_server_api.address import parse_address, tls_context
from lambda_matrix.client_server_api.endpoints import Endpoint
from lambda_matrix.client_server_api.errors import BadTransportSetting, MatrixError
from lambda_matrix.client_server_api.exchange import Exchange
from lambda_matrix.client_server_api.session import (
    Session,
    SessionFileUnusable,
    is_token,
    read_session,
)
from lambda_matrix.client_server_api.transport import Transport, open_transport
from lambda_matrix.client_server_api.trial_login import trial_login
from lambda_matrix.config.settings import Settings
from lambda_matrix.doctor import connecting, homeserver_verdicts as verdicts
from lambda_matrix.doctor.examination import Check, Examined, Findings, examine
from lambda_matrix.doctor.findings import Failed, Skipped
from lambda_matrix.ids import AccessToken
from lambda_matrix.secret import Secret
from lambda_matrix.service.session import SESSION_FILE

GROUP = "homeserver"
_TIMEOUT = 8.0
"""Seconds for one request; less than a check may take."""
_NOTHING = json.dumps(
    {
        "room": {"rooms": []},
        "presence": {"types": []},
        "account_data": {"types": []},
    }
)
"""A filter that lets nothing through: the request's own time is what is measured."""

Look = Callable[[], Awaitable[Findings]]


@define
class _Clocks:
    """The homeserver's clock beside ours, as each answer tells it."""

    date: str | None = None
    ours: float = 0.0

    def observe(self, exchange: Exchange) -> None:
        self.date = exchange.response_headers.get("date", self.date)
        self.ours = time.time()


@frozen
class _Asking:
    """The homeserver as it is asked by one check after the other."""

    transport: Transport
    settings: Settings
    clocks: _Clocks

    async def get(
        self,
        endpoint: Endpoint,
        token: AccessToken | None = None,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        return await self.transport.request(endpoint, token=token, params=params, timeout=_TIMEOUT)


async def examine_homeserver(settings: Settings) -> tuple[Examined, ...]:
    """Look at the homeserver from the outside, and then as the bot."""
    section = settings.homeserver
    clocks = _Clocks()
    try:
        async with open_transport(
            section.url, ca_file=section.ca_file, observe=clocks.observe
        ) as transport:
            asking = _Asking(transport, settings, clocks)
            reached = await examine(GROUP, (Check("connection", partial(_connection, settings)),))
            if any(isinstance(each, Failed) for each in reached[0].findings):
                return reached  # the rest would say the same again
            outside = await examine(GROUP, _outside(asking))
            return (*reached, *outside, *await _inside(asking))
    except BadTransportSetting as error:
        told = Failed(f"[homeserver] url or ca_file: {error}", "mend that setting")
        return (Examined(GROUP, "connection", (told,)),)


def _outside(asking: _Asking) -> tuple[Check, ...]:
    return (
        Check("versions", lambda: _versions(asking)),
        Check("clock", lambda: _clock(asking)),
        Check("login types", lambda: _flows(asking)),
    )


async def _connection(settings: Settings) -> Findings:
    section = settings.homeserver
    url = urlsplit(section.url)
    context = tls_context(parse_address(section.url), section.ca_file)
    found = await connecting.connect(url, context)
    setting = "[homeserver] url"
    return connecting.judge("homeserver", url, found, setting=setting, now=time.time())


async def _versions(asking: _Asking) -> Findings:
    try:
        answer = await asking.get(endpoints.VERSIONS)
        return verdicts.versions(parsing_server.parse_versions(answer))
    except MatrixError as error:
        return verdicts.no_api(asking.settings.homeserver.url, error, await _hint(asking))


async def _hint(asking: _Asking) -> str | None:
    """Return where the API is, if the host of the server's name says so; no other host is asked."""
    try:
        return parsing_server.parse_well_known(await asking.get(endpoints.WELL_KNOWN))
    except MatrixError:
        return None


async def _clock(asking: _Asking) -> Findings:
    try:
        await asking.get(endpoints.VERSIONS)
    except MatrixError as error:
        if error.status is None:
            return (Skipped("the homeserver's clock: it does not answer"),)
    return verdicts.clock(asking.clocks.date, asking.clocks.ours)


async def _flows(asking: _Asking) -> Findings:
    homeserver = asking.settings.homeserver
    if homeserver.password is None:
        return ()
    try:
        answer = await asking.get(endpoints.LOGIN_FLOWS)
    except MatrixError as error:
        return verdicts.not_told("login types", error)
    return verdicts.flows(parsing_server.parse_login_flows(answer))


async def _inside(asking: _Asking) -> tuple[Examined, ...]:
    async with _signed_in(asking) as (session, told):
        examined = (Examined(GROUP, "login", told),)
        if session is None:
            return examined
        return (*examined, *await examine(GROUP, _as_bot(asking, session)))


@asynccontextmanager
async def _signed_in(asking: _Asking) -> AsyncIterator[tuple[Session | None, Findings]]:
    """Give a session: of the access token, else the service's kept one, else for this moment."""
    homeserver, directory = asking.settings.homeserver, asking.settings.state.directory
    given = homeserver.access_token
    kept, remark = await trio.to_thread.run_sync(_kept, directory)
    if given is not None and not is_token(given.reveal()):
        yield None, verdicts.no_token()
    elif given is not None:
        token = AccessToken(given.reveal())
        yield await _confirmed(asking, Session(homeserver.user_id, homeserver.device_id, token), "")
    elif kept is not None:
        yield await _confirmed(asking, kept, SESSION_FILE)
    elif homeserver.password is None:
        yield None, (*remark, Skipped("login: there is neither a password nor an access token"))
    else:
        try:
            async with trial_login(
                asking.transport, homeserver.user_id, homeserver.password
            ) as session:
                yield session, (*remark, *verdicts.logged_in(session, homeserver.user_id))
        except MatrixError as error:
            yield None, (*remark, *verdicts.no_login(homeserver.user_id, error))


def kept_token(settings: Settings) -> tuple[Secret, ...]:
    """Return the token of the kept session, which is not to be printed, if there is one."""
    session, _ = _kept(settings.state.directory)
    return () if session is None else (Secret(session.access_token),)


def _kept(directory: Path) -> tuple[Session | None, Findings]:
    try:
        return read_session(directory / SESSION_FILE), ()
    except SessionFileUnusable as error:
        return None, (Skipped(str(error).removesuffix("."), "give this command as root"),)


async def _confirmed(
    asking: _Asking, session: Session, source: str
) -> tuple[Session | None, Findings]:
    homeserver = asking.settings.homeserver
    try:
        answer = await asking.get(endpoints.WHOAMI, session.access_token)
    except MatrixError as error:
        return None, verdicts.no_session(source, error)
    told = verdicts.whoami(
        parsing.parse_whoami(answer), source, homeserver.user_id, session.device_id
    )
    return session, told


def _as_bot(asking: _Asking, session: Session) -> tuple[Check, ...]:
    token = session.access_token

    async def rooms() -> Findings:
        answer = await asking.get(endpoints.CAPABILITIES, token)
        return verdicts.room_versions(parsing_server.parse_room_versions(answer))

    async def media() -> Findings:
        try:
            answer = await asking.get(endpoints.MEDIA_CONFIG, token)
        except MatrixError as error:
            if error.status is None:
                raise
            answer = await asking.get(endpoints.MEDIA_CONFIG_V3, token)
        return verdicts.media(
            parsing.parse_upload_limit(answer), asking.settings.limits.file_megabytes
        )

    async def sync() -> Findings:
        began = trio.current_time()
        params = {"timeout": "0", "set_presence": "offline", "filter": _NOTHING}
        await asking.get(endpoints.SYNC, token, params)
        return verdicts.sync(trio.current_time() - began)

    async def rate_limit() -> Findings:
        user = asking.settings.homeserver.user_id
        try:
            answer = await asking.get(endpoints.rate_limit_override(user), token)
        except MatrixError as error:
            return verdicts.rate_limit_unknown(user, error)
        return verdicts.rate_limit(user, parsing_server.parse_rate_limit(answer))

    return (
        Check("room versions", lambda: _answered("room versions", rooms)),
        Check("file size", lambda: _answered("file size", media)),
        Check("sync", lambda: _answered("sync", sync)),
        Check("rate limits", rate_limit),
    )


async def _answered(what: str, look: Look) -> Findings:
    try:
        return await look()
    except MatrixError as error:
        return verdicts.not_told(what, error)
