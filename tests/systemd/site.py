"""A host and the homeserver beside it: all that a test of the running service needs."""

from __future__ import annotations

import trio
from attrs import define, field

from lambda_matrix.demo.bare_http import open_caller
from lambda_matrix.demo.homeserver import Account, Homeserver
from tests.lab.chatting import fresh_account
from tests.lab.proxy import Proxy, open_proxy
from tests.systemd.installed import HOMESERVER_NAME, Installed
from tests.systemd.machine import Machine
from tests.systemd.unit import Unit


@define
class Site:
    """The service, its bot, and the homeserver behind a proxy that can be shut.

    Between the host and the homeserver is nothing but the proxy, on this machine's end of the
    cable: while it is shut, a connection is refused, as by a homeserver that is not up.
    """

    installed: Installed
    homeserver: Homeserver
    bot: Account
    port: int
    _nursery: trio.Nursery
    _proxy: Proxy | None = None
    _shut: trio.CancelScope = field(factory=trio.CancelScope)

    @property
    def machine(self) -> Machine:
        return self.installed.machine

    @property
    def unit(self) -> Unit:
        return self.installed.unit

    @property
    def url(self) -> str:
        """The homeserver's address, as the host calls it."""
        return f"http://{HOMESERVER_NAME}:{self.port}"

    @property
    def proxy(self) -> Proxy:
        """The proxy, which must be open."""
        assert self._proxy is not None
        return self._proxy

    async def open(self) -> None:
        """Let the homeserver be there."""
        self._proxy, self._shut = await self._nursery.start(self._keep_open)

    def shut(self) -> None:
        """Let the homeserver be away."""
        self._shut.cancel()
        self._proxy = None

    async def deactivate_bot(self) -> None:
        """Let an admin of the homeserver deactivate the bot's account (Synapse's admin API)."""
        admin = await fresh_account(self.homeserver, "admin", admin=True)
        path = ("_synapse", "admin", "v1", "deactivate", self.bot.user_id)
        async with open_caller(self.homeserver.url) as caller:
            await caller.call("POST", *path, token=admin.access_token, body={"erase": False})

    async def _keep_open(
        self,
        task_status: trio.TaskStatus[tuple[Proxy, trio.CancelScope]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        with trio.CancelScope() as scope:
            gateway = self.machine.gateway
            async with open_proxy(self.homeserver.url, gateway, self.port) as proxy:
                task_status.started((proxy, scope))
                await trio.sleep_forever()
