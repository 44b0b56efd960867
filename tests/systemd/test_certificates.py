"""A homeserver behind TLS with a certificate of the operator's own authority."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import trio
import trustme

from lambda_matrix.demo.homeserver import free_port
from lambda_matrix.demo.person import open_person
from lambda_matrix.exits import Exit
from tests.lab.chatting import fresh_account, meet
from tests.systemd.installed import HOMESERVER_NAME
from tests.systemd.site import Site

AUTHORITY = "/usr/local/share/ca-certificates/our-own.crt"


async def test_an_authority_in_the_systems_store_is_trusted(site: Site) -> None:
    authority = trustme.CA()
    site.machine.write(AUTHORITY, authority.cert_pem.bytes().decode())
    await site.machine.run("update-ca-certificates")
    async with tls_in_front(site, authority) as port:
        site.installed.settle(f"https://{HOMESERVER_NAME}:{port}", site.bot)
        await site.unit.start()
        account = await fresh_account(site.homeserver, "anna")
        async with open_person(site.homeserver.url, account) as person:
            talk = await meet(person, site.bot.user_id)
            assert (await talk.ask("Is this private?")).is_final
        await site.unit.stop()


async def test_an_unknown_authority_is_said_and_does_not_restart(site: Site) -> None:
    journal = await site.installed.journal()
    async with tls_in_front(site, trustme.CA()) as port:
        site.installed.settle(f"https://{HOMESERVER_NAME}:{port}", site.bot)
        await site.machine.attempt("systemctl", "start", site.unit.name)
        ended = await site.unit.until_ended()
    assert (ended.active, ended.exit_status) == ("failed", Exit.CONFIGURATION)
    assert ended.restarts == 0
    await journal.wait("ca_file", f"--unit={site.unit.name}", within=5)


@asynccontextmanager
async def tls_in_front(site: Site, authority: trustme.CA) -> AsyncIterator[int]:
    """TLS before the homeserver, on a port of this machine's end of the cable."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOMESERVER_NAME).configure_cert(context)
    port = free_port()

    async def serve(plain: trio.SocketStream) -> None:
        secured = trio.SSLStream(plain, context, server_side=True, https_compatible=True)
        onwards = await trio.open_tcp_stream(site.machine.gateway, site.port)
        async with secured, onwards, trio.open_nursery() as nursery:
            nursery.start_soon(pass_on, secured, onwards, nursery.cancel_scope)
            nursery.start_soon(pass_on, onwards, secured, nursery.cancel_scope)

    async with trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(port, host=site.machine.gateway)
        nursery.start_soon(trio.serve_listeners, serve, [listener])
        yield port
        nursery.cancel_scope.cancel()


async def pass_on(
    source: trio.abc.ReceiveStream, sink: trio.abc.SendStream, scope: trio.CancelScope
) -> None:
    """What comes from one goes to the other, until one of them is gone."""
    try:
        async for chunk in source:
            await sink.send_all(chunk)
    except trio.BrokenResourceError:
        pass  # a client that does not trust us hangs up
    scope.cancel()
