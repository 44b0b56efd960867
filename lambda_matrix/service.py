"""The service put together: what is opened in which order, and THE supervisor nursery.

The order is part of exactly-once. The store is locked and open first; then the homeserver is asked
who we are (transaction ids are the device's); then everything missed is caught up with, so that
the echoes of what an earlier start sent have settled their rows, and this start is known to be the
latest; then what is recorded is made to agree with what the homeserver says; only then is the
outbox opened and what waits taken up again. The nesting of the context managers is the order of
shutdown, reversed.
"""

import logging
import os
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial

import trio

from lambda_matrix import logs, sd_notify
from lambda_matrix.agent.registry import Registry, load_registry, registry_from_environment
from lambda_matrix.agent.roster import Agents
from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.config import ConfigError
from lambda_matrix.config.settings import Settings
from lambda_matrix.pulse import Pulse
from lambda_matrix.reconcile.reconciliation import START_PATIENCE, reconcile
from lambda_matrix.reloading import InForce, Reloading, policy_of
from lambda_matrix.session import log_in
from lambda_matrix.status_line import StatusLine
from lambda_matrix.store import housekeeping
from lambda_matrix.store.store import Store, open_store
from lambda_matrix.surface import avatar, catching_up
from lambda_matrix.surface.avatar import Picture, read_picture
from lambda_matrix.surface.files.workspaces import Workspaces
from lambda_matrix.surface.wiring import build_bridge

logger = logging.getLogger(__name__)

DAY = 86_400.0
LOOKS_WAIT = 10.0
"""Seconds that the bot's name and picture may take at the start; they are not worth more."""
KEPT_DAYS = 30.0
"""Days for which settled events are remembered, so that none is taken in twice."""


async def serve(settings: Settings, read_again: Callable[[], Settings]) -> None:
    """Serve until SIGTERM or SIGINT; at SIGHUP, put what `read_again` gives into force.

    Raises:
        ConfigError, RegistryError, AvatarError, BadTransportSetting, CertificateRefused: a setting
            is wrong.
        StoreError: the state directory cannot be used.
        SessionDeadError: the homeserver ended the session.
        AnotherInstanceError: a newer start of the service answers under our name.
    """
    async with trio.open_nursery() as nursery:
        await nursery.start(_end_on_signal, nursery.cancel_scope)
        registry = load_agents(settings)
        for warning in registry.warnings:
            logger.warning("%s", warning)
        # Open from the beginning: a reload while a homeserver is waited for must not be the end.
        with trio.open_signal_receiver(signal.SIGHUP) as reloads:
            await _serve_sessions(InForce(settings, registry), read_again, reloads, Pulse())


async def _serve_sessions(
    in_force: InForce,
    read_again: Callable[[], Settings],
    reloads: AsyncIterator[int],
    pulse: Pulse,
) -> None:
    """Serve; when the homeserver asks for a new login (soft logout), log in again and go on.

    Not for a session that ended before it was ready: that would be a loop of logins.
    """
    while True:
        ready = trio.Event()
        try:
            await _serve(in_force, read_again, reloads, ready, pulse)
        except* SessionDeadError as ended:
            if not ready.is_set() or ended.subgroup(_is_hard):
                raise
            logger.info("the homeserver asks for a new login")


def _is_hard(error: BaseException) -> bool:
    return isinstance(error, SessionDeadError) and not error.soft_logout


async def _end_on_signal(
    scope: trio.CancelScope, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        task_status.started()
        async for number in signals:
            logger.info("%s: stopping", signal.Signals(number).name)
            sd_notify.notify(sd_notify.STOPPING)
            scope.cancel()


async def _serve(
    in_force: InForce,
    read_again: Callable[[], Settings],
    reloads: AsyncIterator[int],
    ready: trio.Event,
    pulse: Pulse,
) -> None:
    settings, registry = in_force.settings, in_force.registry
    logs.hide(*(entry.token for entry in registry.agents.values() if entry.token is not None))
    picture = read_picture(settings.service.avatar_file)
    homeserver = settings.homeserver
    line = StatusLine()
    async with open_store(settings.state.directory, watch=line.disk, disk=pulse.disk) as store:
        if store.set_aside is not None:
            line.remark(f"a damaged database was set aside: {store.set_aside.name}")
        line.enter("waiting for the homeserver")
        session = await log_in(settings, watch=line.homeserver, watch_disk=line.disk, pulse=pulse)
        async with open_client(homeserver.url, session, ca_file=homeserver.ca_file) as client:
            catch_up = await catching_up.begin(store, session.user_id, session.device_id)
            agents = Agents(registry)
            async with trio.open_nursery() as supervisor:
                line.enter("catching up")
                await supervisor.start(
                    partial(
                        catching_up.keep_up,
                        client,
                        store,
                        catch_up,
                        watch=line.homeserver,
                        pulse=pulse,
                    )
                )
                ourselves = await catch_up.over()
                bridge = build_bridge(
                    store=store,
                    client=client,
                    ourselves=ourselves,
                    agents=agents,
                    policy=policy_of(settings),
                    workspaces=Workspaces(agents, settings.state.directory / "files"),
                )
                catch_up.hand_over(bridge.take_in)
                await catching_up.announce(store, client, ourselves)
                reloading = Reloading(bridge, in_force, lambda: _settings_and_agents(read_again()))
                with trio.move_on_after(LOOKS_WAIT):  # rooms are made with the picture
                    await _show_looks(client, store, settings, picture)
                line.enter("reconciling")
                await reconcile(
                    bridge.means,
                    bridge.bindings,
                    bridge.spaces,
                    patience=START_PATIENCE,
                    progress=lambda made, of: line.enter(f"reconciling: {made} of {of}"),
                )
                await supervisor.start(bridge.run)
                supervisor.start_soon(_keep_house, store)
                logger.info("ready: %s on device %s", ourselves.user_id, ourselves.device_id)
                line.enter("ready")
                sd_notify.notify(sd_notify.READY)
                ready.set()
                supervisor.start_soon(reloading.run, reloads)


async def _keep_house(store: Store) -> None:
    """Forget what is old, now and each day."""
    while True:
        dropped = await store.transact(housekeeping.forget_old, KEPT_DAYS)
        if dropped:
            logger.warning("%d events for rooms that the bot is not in were dropped", dropped)
        await trio.sleep(DAY)


async def _show_looks(client: Client, store: Store, settings: Settings, picture: Picture) -> None:
    """Set the bot's name and picture; a homeserver that does not let us is no reason to stop.

    Only where they are others: a homeserver goes through all rooms of whoever sets them.
    """
    wanted = settings.service.display_name
    try:
        if await client.account.display_name(client.session.user_id) != wanted:
            await client.account.set_display_name(wanted)
    except MatrixError as error:
        logger.warning("display name ([service] display_name) not set: %s", error)
    await avatar.show(client, store, picture)


def load_agents(settings: Settings) -> Registry:
    """Return the agents that the settings name.

    Raises:
        ConfigError: they name none.
        RegistryError: the registry is wrong.
    """
    if settings.agents.registry is not None:
        return load_registry(settings.agents.registry)
    registry = registry_from_environment(os.environ)
    if registry is None:
        raise ConfigError(
            "No agent is set: name the registry file in [agents] registry, "
            "or a single agent in the environment variable AGENT_BASE_URL."
        )
    return registry


def _settings_and_agents(settings: Settings) -> tuple[Settings, Registry]:
    return settings, load_agents(settings)
