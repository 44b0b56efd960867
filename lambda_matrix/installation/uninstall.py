"""`lambda-matrix uninstall`: what was installed taken away; with `--purge` what it left as well."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Final

import click

from lambda_matrix.installation import layout
from lambda_matrix.installation.install import read_manifest, refuse_all_but_root
from lambda_matrix.installation.placing import Placing
from lambda_matrix.installation.refusals import NotAgreedError, NotLikeThisError
from lambda_matrix.installation.systemd import Systemd, systemd_of
from lambda_matrix.options import examples

_LEFT_BEHIND: Final = (layout.CONFIGURATION, *layout.DATA, layout.WORKSPACES / "main")


@click.command(
    short_help="Stop the service and remove what was installed.",
    epilog=examples("lambda-matrix uninstall --dry-run", "lambda-matrix uninstall --purge"),
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    default=Path("/"),
    help="Uninstall what is below this folder; no systemd is asked.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option(
    "--purge",
    is_flag=True,
    help="Remove the configuration, the secrets, the state, the workspace and its group, too.",
)
@click.option("--yes", is_flag=True, help="Do not ask before --purge.")
def uninstall(root: Path, *, dry_run: bool, purge: bool, yes: bool) -> None:
    """Stop the service and remove what was installed, and nothing else.

    Configuration, state and people's files stay, for another installation, unless --purge is given.
    The bot's rooms stay on the homeserver in any case (`lambda-matrix reset` is for those).

    Exit status 2: it cannot be done like this. 73: the disk or systemd refuses; run it again. 130:
    the answer to its question was no.
    """
    placing = Placing(root, dry_run, click.echo)
    refuse_all_but_root(placing)
    installed = read_manifest(placing)
    if not installed and not purge:
        raise NotLikeThisError(f"Nothing is installed here: there is no {layout.MANIFEST}.")
    left = [path for path in _LEFT_BEHIND if _is_there(placing, path)] if purge else []
    if left and not (yes or dry_run):
        _ask(left)
    systemd = systemd_of(placing)
    with placing.alone(layout.LIBRARY):
        take_away(systemd, installed, left)
    if purge:
        systemd.drop_group()
    placing.tell("Nothing was changed (--dry-run)." if dry_run else "Done.")


def take_away(systemd: Systemd, installed: list[PurePosixPath], left: list[PurePosixPath]) -> None:
    """Stop the service, and remove what was `installed` and what it `left` behind.

    Raises:
        InstallationError: it cannot go on, and why. Done again, it goes on from there.
    """
    placing = systemd.programs.placing
    systemd.end()
    for path in (*layout.CACHES, *left):
        placing.remove(path)
    if left:
        placing.remove_if_empty(layout.WORKSPACES)
    for path in sorted(installed, key=lambda path: path == layout.MANIFEST):  # last: to go on by
        placing.remove(path)
    for folder in layout.FOLDERS:
        placing.remove_if_empty(folder)
    systemd.let_go()


def _is_there(placing: Placing, path: PurePosixPath) -> bool:
    place = placing.at(path)
    return place.exists() or place.is_symlink()


def _ask(left: list[PurePosixPath]) -> None:
    click.echo("These go for good, with all that is in them:")
    for path in left:
        click.echo(f"  {path}")
    try:
        agreed = click.confirm("Remove them?", err=True)
    except click.Abort:  # nobody is there to answer
        click.echo(err=True)
        agreed = False
    if not agreed:
        raise NotAgreedError("Nothing was changed.")
