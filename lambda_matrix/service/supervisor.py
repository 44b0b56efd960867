"""The service put together: what is opened in which order, and THE supervisor nursery.

The order is part of exactly-once. The store is locked and open first; then the homeserver is asked
who we are (transaction ids are the device's); then everything missed is caught up with, so that
the echoes of what an earlier start sent have settled their rows, and this start is known to be the
latest; then what is recorded is made to agree with what the homeserver says; only then is the
outbox opened and what waits taken up again. The nesting of the context managers is the order of
shutdown, reversed.
"""

import logging
import signal
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import NoReturn

import trio
from attrs import frozen

from lambda_matrix.agent.registry import Registry
from lambda_matrix.client_server_api.client import Client, open_client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.client_server_api.sync import SessionDeadError
from lambda_matrix.config.settings import Settings
from lambda_matrix.message_ids import MessageId
from lambda_matrix.pulse import LONGEST_STORING, Pulse
from lambda_matrix.reconcile.reconciliation import START_PATIENCE, reconcile
from lambda_matrix.service.assembling import assemble, load_agents
from lambda_matrix.service.monitoring.watched import Watched, watch
from lambda_matrix.service.monitoring.watching import keep_watchable
from lambda_matrix.service.reloading import InForce, Reloading
from lambda_matrix.service.session import log_in
from lambda_matrix.service.status_line import StatusLine
from lambda_matrix.service.stopping import Stopping, finish
from lambda_matrix.service.watchdog import Watchdog
from lambda_matrix.store import housekeeping
from lambda_matrix.store.store import Store, open_store
from lambda_matrix.surface import avatar, catching_up
from lambda_matrix.surface.avatar import Picture, read_picture
from lambda_matrix.surface.bridge import Bridge
from lambda_matrix.surface.lasting import lasting

logger = logging.getLogger(__name__)

DAY = 86_400.0
LOOKS_WAIT = 10.0
"""Seconds that the bot's name and picture may take at the start; they are not worth more."""
TELL_INTERVAL = 10.0
"""Seconds from one look at what is at work to the next."""
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
    pulse = Pulse()
    line = StatusLine(pulse)
    line.enter("starting")
    watchdog = Watchdog(pulse, line.tell)
    in_force = InForce(settings, load_agents(settings))
    with (
        watch(line, pulse, settings.homeserver, lambda: in_force.registry) as watched,
        # Open from the beginning: a reload while a homeserver is waited for must not be the end.
        trio.open_signal_receiver(signal.SIGHUP) as reloads,
    ):
        async with trio.open_nursery() as nursery:
            stopping = Stopping(nursery.cancel_scope)
            await nursery.start(stopping.obey)
            nursery.start_soon(watchdog.run)
            for warning in in_force.registry.warnings:
                logger.warning("%s", warning)
            await nursery.start(keep_watchable, watched, settings.state.directory, settings.service)
            process = _Process(in_force, read_again, reloads, line, watchdog, stopping, watched)
            await process.serve()
            nursery.cancel_scope.cancel()


@frozen
class _Process:
    """What outlives a session, and a new login."""

    in_force: InForce
    read_again: Callable[[], Settings]
    reloads: AsyncIterator[int]
    line: StatusLine
    watchdog: Watchdog
    stopping: Stopping
    watched: Watched

    async def serve(self) -> None:
        """Serve; when the homeserver asks for a new login (soft logout), log in again and go on.

        Not for a session that ended before it was ready: that would be a loop of logins.
        """
        while not self.stopping.is_asked:
            ready = trio.Event()
            try:
                await self._serve(ready)
            except* SessionDeadError as ended:
                if not ready.is_set() or ended.subgroup(_is_hard):
                    raise
                logger.info("the homeserver asks for a new login")

    async def _serve(self, ready: trio.Event) -> None:
        """Serve one session until the service is to end."""
        settings, line, pulse = self.in_force.settings, self.line, self.watched.pulse
        directory = settings.state.directory
        picture = read_picture(settings.service.avatar_file)
        line.begin_anew()
        line.enter("opening the database")
        async with open_store(directory, watch=line.disk, disk=pulse.disk) as store:
            _tell_of_damage(store, line)
            try:
                await self._serve_session(store, picture, ready)
            finally:
                self.watched.overview = None  # the database cannot be asked any more

    async def _serve_session(self, store: Store, picture: Picture, ready: trio.Event) -> None:
        settings, line, pulse = self.in_force.settings, self.line, self.watched.pulse
        homeserver = settings.homeserver
        line.enter("waiting for the homeserver")
        session = await log_in(
            settings,
            observe=self.watched.count,
            watch=line.homeserver,
            watch_disk=line.disk,
            pulse=pulse,
            is_patient=True,
        )
        async with (
            open_client(
                homeserver.url,
                session,
                ca_file=homeserver.ca_file,
                observe=self.watched.count,
            ) as client,
            trio.open_nursery() as supervisor,
        ):
            catch_up = await catching_up.begin(store, session.user_id, session.device_id)
            async with trio.open_nursery() as hearing:
                line.enter("catching up")
                sync = partial(
                    catching_up.keep_up,
                    client,
                    store,
                    catch_up,
                    watch=line.homeserver,
                    pulse=pulse,
                )
                await hearing.start(lasting, sync)
                ourselves = await catch_up.over()
                bridge = assemble(
                    settings,
                    self.in_force.registry,
                    store,
                    client,
                    ourselves,
                    self.watched.metrics,
                )
                self.watched.overview = bridge.overview
                catch_up.hand_over(bridge.take_in)
                await catching_up.announce(store, client, ourselves)
                with trio.move_on_after(LOOKS_WAIT):  # rooms are made with the picture
                    await _show_looks(client, store, settings, picture)
                await self._reconcile(bridge)
                await supervisor.start(lasting, bridge.run)
                supervisor.start_soon(_keep_house, store)
                await hearing.start(lasting, partial(self._tell_what_is_at_work, bridge))
                logger.info(
                    "ready: %s on device %s",
                    ourselves.user_id,
                    ourselves.device_id,
                    extra=MessageId.READY.extra,
                )
                self.watchdog.ready()
                ready.set()
                hearing.start_soon(self._reloading(bridge).run, self.reloads)
                await self.stopping.wait()
                hearing.cancel_scope.cancel()
            line.begin_anew()
            await finish(bridge.draining, line, self.in_force.settings.service.stop_seconds)
            supervisor.cancel_scope.cancel()

    async def _reconcile(self, bridge: Bridge) -> None:
        self.line.enter("reconciling")
        await reconcile(
            bridge.means,
            bridge.bindings,
            bridge.spaces,
            patience=START_PATIENCE,
            progress=lambda made, of: self.line.proceed(f"reconciling: {made} of {of}"),
        )

    async def _tell_what_is_at_work(
        self, bridge: Bridge, *, task_status: trio.TaskStatus[None]
    ) -> NoReturn:
        """Keep the status line true. That what is counted is told is the store's sign of life."""
        within = LONGEST_STORING + TELL_INTERVAL
        self.watched.pulse.store.step("counting what is at work", within)
        self.line.ready(await bridge.overview())
        task_status.started()
        while True:
            await trio.sleep(TELL_INTERVAL)
            self.watched.pulse.store.step("counting what is at work", within)
            self.line.ready(await bridge.overview())

    def _reloading(self, bridge: Bridge) -> Reloading:
        def read() -> tuple[Settings, Registry]:
            settings = self.read_again()
            return settings, load_agents(settings)

        return Reloading(bridge, self.line, self.in_force, read)


def _is_hard(error: BaseException) -> bool:
    return isinstance(error, SessionDeadError) and not error.soft_logout


def _tell_of_damage(store: Store, line: StatusLine) -> None:
    aside = store.set_aside
    text = None if aside is None else f"a damaged database was set aside: {aside.name}"
    line.remark("damage", text)


async def _keep_house(store: Store) -> NoReturn:
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
