"""`lambda-matrix reconcile`: what a start does before it goes live, shown, and no more.

Everything is told anew first, in place of what was told so far: what is seen here is what the
homeserver says now, whatever became of the database.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import click
import trio

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.sync import tell_all
from lambda_matrix.config.settings import Settings
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.metrics import Metrics
from lambda_matrix.options import config_option, examples
from lambda_matrix.reconcile.reconciliation import compare, repair_all
from lambda_matrix.service.assembling import assemble, load_agents
from lambda_matrix.service.session import session_file
from lambda_matrix.store import meta, retelling
from lambda_matrix.store.records import Ourselves
from lambda_matrix.store.store import Store
from lambda_matrix.surface import catching_up
from lambda_matrix.surface.bridge import Bridge
from lambda_matrix.surface.patience import persist
from lambda_matrix.upkeep import reconcile_tables
from lambda_matrix.upkeep.holding import copy_of_database, database
from lambda_matrix.upkeep.performing import OK, at_homeserver, perform
from lambda_matrix.upkeep.terminal import Progress, Terminal


@click.command(
    short_help="Compare the database with the homeserver, and repair it.",
    epilog=examples("lambda-matrix reconcile --dry-run", "lambda-matrix reconcile --verbose"),
)
@config_option
@click.option(
    "--dry-run",
    is_flag=True,
    help="Show what would be done; change nothing, neither at the homeserver nor in the database.",
)
@click.option("--verbose", "-v", is_flag=True, help="Show every repair, however many there are.")
def reconcile(file: Path, *, dry_run: bool, verbose: bool) -> None:
    """Compare the database with what the homeserver says, and repair what differs.

    Each start of the service does so, too, with what it has been told since the last one. Here
    everything is told anew, shown side by side, and the service does not go live. Stop it first; a
    reconciliation beside it is refused.

    It can be interrupted at any time, and given again to go on.

    Exit status 0: all is well, or has been repaired. 69: the homeserver is away. 70: it ended the
    session. 73: the disk refuses. 75: the service runs. 77: some repair was refused. 78: a setting
    is wrong. 130: interrupted.
    """
    perform(partial(_reconcile, dry_run=dry_run, all_rows=verbose), file)


async def _reconcile(
    settings: Settings, terminal: Terminal, *, dry_run: bool, all_rows: bool
) -> int:
    registry = load_agents(settings)
    async with (
        _store(settings, terminal, dry_run=dry_run) as store,
        at_homeserver(settings, terminal) as client,
    ):
        terminal.acting = not dry_run
        ourselves = await _catch_up(client, store, terminal)
        bridge = assemble(settings, registry, store, client, ourselves, Metrics())
        return await _compare(bridge, terminal, dry_run=dry_run, all_rows=all_rows)


def _store(
    settings: Settings, terminal: Terminal, *, dry_run: bool
) -> AbstractAsyncContextManager[Store]:
    directory = settings.state.directory
    if not dry_run:
        return database(directory, terminal)
    is_new = not session_file(settings).exists()
    if is_new:
        terminal.remark("No session is kept yet: logging in, and keeping the session.")
    return copy_of_database(directory, terminal, make=is_new)


async def _catch_up(client: Client, store: Store, terminal: Terminal) -> Ourselves:
    """Take in what is new, and have everything told anew; return who we are."""
    terminal.remark("Catching up with the homeserver.")
    was_here = await store.transact(meta.sync_token) is not None
    catch_up = await catching_up.begin(store, client.session.user_id, client.session.device_id)
    async with trio.open_nursery() as nursery:
        await nursery.start(catching_up.keep_up, client, store, catch_up)
        nursery.cancel_scope.cancel()
    ourselves = await catch_up.over()
    token = await store.transact(meta.sync_token)
    if was_here and token is not None:  # else all of it was new
        terminal.remark("Having everything told anew.")
        batch = await persist(lambda: tell_all(client))
        await store.transact(retelling.accept_anew, batch, ourselves, token)
    return ourselves


async def _compare(bridge: Bridge, terminal: Terminal, *, dry_run: bool, all_rows: bool) -> int:
    comparison = await compare(bridge.means)
    repairs = comparison.repairs
    terminal.tell(reconcile_tables.side_by_side(comparison.observed, comparison.recorded))
    if not repairs:
        terminal.tell("Both agree: there is nothing to repair.")
        return OK
    terminal.tell(reconcile_tables.to_do(repairs, all_rows=all_rows))
    if dry_run:
        terminal.tell("Nothing was changed (--dry-run).")
        return OK
    progress = Progress(terminal, len(repairs))
    progress.step("repairing")
    done = await repair_all(
        bridge.means,
        bridge.bindings,
        bridge.spaces,
        repairs,
        progress=lambda made, of: progress.step("repairing") if made < of else None,
    )
    terminal.tell(reconcile_tables.done(done, all_rows=all_rows))
    if any(each.refusal is not None for each in done):
        raise CommandError("Some of it was refused.", Exit.REFUSED)
    return OK
