"""`lambda-matrix reset`: a fresh start, here alone or at the homeserver, too.

The local state goes last: until then everything that a reset has done stands at the homeserver,
where the next one reads it.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import click
import trio
from attrs import frozen

from lambda_matrix.config import load_settings
from lambda_matrix.config.settings import Settings
from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.options import config_option, examples
from lambda_matrix.reconcile.local_state import Fate, LocalItem, drop, look_around
from lambda_matrix.reconcile.reset import plan_reset, take_steps
from lambda_matrix.service.session import session_file
from lambda_matrix.surface.patience import persist
from lambda_matrix.upkeep import reset_tables
from lambda_matrix.upkeep.holding import held
from lambda_matrix.upkeep.performing import OK, at_homeserver, load_for_session, perform
from lambda_matrix.upkeep.terminal import Progress, Terminal


@click.command(
    epilog=examples(
        "lambda-matrix reset --local-only --dry-run", "lambda-matrix reset --server-leave-forget"
    )
)
@config_option
@click.option(
    "--local-only",
    is_flag=True,
    help="Drop the local state: the database and the kept files. The homeserver is not asked for "
    "anything; the next start restores from it what it knows.",
)
@click.option(
    "--server-leave-forget",
    is_flag=True,
    help="At the homeserver, too: empty all bindings and what people chose and saved, leave and "
    "forget every room, the Spaces last; then drop the local state. People keep their rooms; "
    "nobody answers there any more. A new invite begins from the beginning.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--verbose", "-v", is_flag=True, help="Show every room, however many there are.")
def reset(
    file: Path,
    *,
    local_only: bool,
    server_leave_forget: bool,
    dry_run: bool,
    yes: bool,
    verbose: bool,
) -> None:
    """Start afresh, for development. Shows what it will do, and asks.

    Exactly one of --local-only and --server-leave-forget says how far. Both keep session.json (no
    new login), and the number sequence at the homeserver: no number of a context is ever used
    again. Stop the service first; a reset beside it is refused.

    It can be interrupted at any time, and given again to go on.

    Exit status 0: done. 69: the homeserver is away. 70: it ended the session. 73: the disk
    refuses. 75: the service runs. 77: the homeserver refused some of it. 78: a setting is wrong.
    130: interrupted, or the answer was no.
    """
    if local_only == server_leave_forget:
        raise click.UsageError("Say how far: either --local-only or --server-leave-forget.")
    if not (dry_run or yes or sys.stdin.isatty()):
        raise click.UsageError("There is no terminal to ask on. With --yes nothing is asked.")
    work = _reset_local if local_only else _reset_server
    manner = _Manner(dry_run=dry_run, yes=yes, all_rows=verbose)
    load = partial(load_settings, secrets=False) if local_only else load_for_session
    perform(partial(work, manner=manner), file, load=load)


@frozen(kw_only=True)
class _Manner:
    """How a reset goes about it."""

    dry_run: bool
    yes: bool
    all_rows: bool


async def _reset_local(settings: Settings, terminal: Terminal, *, manner: _Manner) -> int:
    directory = settings.state.directory
    with held(directory, make=not manner.dry_run):
        items = look_around(directory)
        terminal.tell(reset_tables.local(directory, items, all_rows=manner.all_rows))
        there_is_something = any(item.fate is Fate.DROPPED for item in items)
        ending = await _ask(
            terminal, manner, reset_tables.WHAT_COMES_BACK, there_is_something=there_is_something
        )
        if ending is None:
            await _drop(items, terminal)
    return OK if ending is None else ending


async def _reset_server(settings: Settings, terminal: Terminal, *, manner: _Manner) -> int:
    directory, all_rows = settings.state.directory, manner.all_rows
    with held(directory, make=True):
        if not session_file(settings).exists():
            terminal.remark("No session is kept yet: logging in, and keeping the session.")
        async with at_homeserver(settings, terminal) as client:
            terminal.remark("Asking the homeserver for all that the bot has there.")
            survey, items = await persist(client.survey), look_around(directory)
            steps = plan_reset(survey)
            terminal.tell(reset_tables.server(settings.homeserver, survey, all_rows=all_rows))
            terminal.tell(reset_tables.local(directory, items, all_rows=all_rows))
            there_is_something = bool(steps) or any(item.fate is Fate.DROPPED for item in items)
            ending = await _ask(
                terminal, manner, reset_tables.WHAT_IS_OVER, there_is_something=there_is_something
            )
            if ending is not None:
                return ending
            progress = Progress(terminal, len(steps))
            refused = await take_steps(
                client, steps, lambda step: progress.step(reset_tables.doing(step))
            )
        terminal.tell(reset_tables.done(steps, refused, all_rows=all_rows))
        if refused:
            raise CommandError(
                "The homeserver refused some of it, so the local state was kept. Run it again, or "
                "drop the local state all the same with --local-only.",
                Exit.REFUSED,
            )
        await _drop(items, terminal)
    return OK


async def _ask(
    terminal: Terminal, manner: _Manner, consequences: str, *, there_is_something: bool
) -> int | None:
    """Return None to go on, else the exit status with which it is over."""
    if not there_is_something:
        terminal.tell("There is nothing to reset.")
        return OK
    terminal.tell(consequences)
    if manner.dry_run:
        terminal.tell("Nothing was changed (--dry-run).")
        return OK
    if not manner.yes and not await terminal.confirm("Do all this?"):
        terminal.tell("Nothing was changed.")
        return Exit.INTERRUPTED
    terminal.acting = True
    return None


async def _drop(items: tuple[LocalItem, ...], terminal: Terminal) -> None:
    try:
        await trio.to_thread.run_sync(drop, items)
    except OSError as error:
        raise CommandError(
            f"The local state cannot be removed: {error}.", Exit.DISK_REFUSES
        ) from error
    terminal.tell(reset_tables.dropped(items))
