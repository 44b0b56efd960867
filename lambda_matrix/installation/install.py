"""`lambda-matrix install`: this file, its units and its settings put in place; also to upgrade."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import click

from lambda_matrix.installation import layout, pre_expanded
from lambda_matrix.installation.placing import Placing
from lambda_matrix.installation.refusals import NotLikeThisError
from lambda_matrix.installation.shipped import running_pex, shipped_files
from lambda_matrix.installation.systemd import Systemd, systemd_of
from lambda_matrix.options import examples

_ROOT_USER = 0
_FIRST_STEPS = f"""
What is left to do:
  1. Say who is who in {layout.CONFIGURATION}/config.toml: the homeserver, the bot, who may use it.
  2. Have the bot's password kept: lambda-matrix login
  3. With the bundled agent on this machine:
       systemctl enable --now {layout.STACK}
     With an agent elsewhere, which {layout.CONFIGURATION}/agents.toml names:
       systemctl enable --now {layout.SERVICE}
lambda-matrix doctor says what is missing."""


@click.command(
    short_help="Install this file with its units, or upgrade to it.",
    epilog=examples(
        "python3 lambda-matrix.pex install --dry-run", "python3 lambda-matrix.pex install"
    ),
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, exists=True, file_okay=False, resolve_path=True),
    default=Path("/"),
    help="Install below this folder, for a package or an image; no systemd is asked.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done; change nothing.")
@click.option(
    "--pre-expanded/--no-pre-expanded",
    "pre_expand",
    default=None,
    help="Unpack the program now, as root, so that the service has no folder that it can both "
    "write to and run code from. An upgrade leaves this as it is.",
)
def install(root: Path, *, dry_run: bool, pre_expand: bool | None) -> None:
    """Install the file that this command is run from, with its units, or upgrade to it.

    Configuration that is there already is left alone, and nothing is started or restarted. What was
    installed before is kept as lambda-matrix.pex.previous: run `install` from that file to go back.

    Exit status 2: it cannot be done like this. 73: the disk or systemd refuses; run it again.
    """
    placing = Placing(root, dry_run, click.echo)
    refuse_all_but_root(placing)
    pex = running_pex(os.environ)
    with placing.alone(layout.LIBRARY), shipped_files() as files:
        put_in_place(systemd_of(placing), pex, files, pre_expand=pre_expand)


def refuse_all_but_root(placing: Placing) -> None:
    """Raise `NotLikeThisError` if somebody else than root is to change the machine itself."""
    if placing.is_the_machine and not placing.dry_run and os.geteuid() != _ROOT_USER:
        raise NotLikeThisError("This changes the machine: run it as root (or with --dry-run).")


def put_in_place(
    systemd: Systemd, pex: Path, files: Path, *, pre_expand: bool | None = None
) -> None:
    """Install the program with the `files` that go with it; `pre_expand` None is: as it is now.

    Raises:
        InstallationError: it cannot go on, and why. Done again, it goes on from there.
    """
    placing = systemd.programs.placing
    if pre_expand is None:
        pre_expand = pre_expanded.is_in_force(placing)
    if pre_expand and not placing.is_the_machine:
        raise NotLikeThisError("--pre-expanded works on the machine itself, not below a --root.")
    pieces = layout.PIECES + (layout.DROP_INS if pre_expand else ())
    before = read_manifest(placing)
    now = [layout.COMMAND, *layout.PROGRAM, *(piece.target for piece in pieces)]
    _write_manifest(placing, [*now, *(path for path in before if path not in now)])
    placing.put(pex, layout.PEX, 0o755, keep_as=layout.PREVIOUS_PEX)
    placing.link(layout.COMMAND, layout.PEX)
    if pre_expand:
        pre_expanded.expand(systemd.programs, pex)
    else:
        pre_expanded.give_up(placing)
    _put_files(placing, files, pieces)
    for path in before:
        if path not in now:
            placing.remove(path)
    _write_manifest(placing, now)
    systemd.take_up()
    _tell_next_steps(systemd, is_first=not before)


def read_manifest(placing: Placing) -> list[PurePosixPath]:
    """Return the paths of an earlier installation; nothing if there was none."""
    manifest = placing.at(layout.MANIFEST)
    if not manifest.exists():
        return []
    return [PurePosixPath(line) for line in manifest.read_text(encoding="utf-8").splitlines()]


def _write_manifest(placing: Placing, paths: Sequence[PurePosixPath]) -> None:
    placing.put_text("".join(f"{path}\n" for path in paths), layout.MANIFEST)


def _put_files(placing: Placing, files: Path, pieces: Sequence[layout.Piece]) -> None:
    for piece in pieces:
        placing.put(files / piece.source, piece.target)
        own = layout.OPERATORS_UNITS / piece.target.name
        if placing.at(own).is_file():
            placing.say("beware", f"{own} is yours, and is used instead; remove it for this one")
    for piece in layout.SETTINGS:
        if placing.at(piece.target).exists():
            placing.say("left", f"{piece.target} (yours)")
        else:
            placing.put(files / piece.source, piece.target)


def _tell_next_steps(systemd: Systemd, *, is_first: bool) -> None:
    placing, active = systemd.programs.placing, systemd.active_services()
    if placing.dry_run:
        placing.tell("Nothing was changed (--dry-run).")
    elif active:
        placing.tell(f"To have it run: systemctl restart {' '.join(active)}")
    elif is_first:
        placing.tell(_FIRST_STEPS)
    else:
        # Not "start": one that waits for the homeserver is starting already, from the older file.
        placing.tell(f"To have it run: systemctl restart {layout.SERVICE} (or {layout.STACK})")
