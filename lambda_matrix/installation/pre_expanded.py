"""The stricter form: the program unpacked by root, once, where no service can change it.

The service then has no folder that it can both write to and run code from. Each version has a
folder of its own, and a link leads to the one in force: a service that runs keeps what it was
started from until it is restarted.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final

from lambda_matrix.installation import layout
from lambda_matrix.installation.placing import Placing
from lambda_matrix.installation.programs import Programs

_NAME_LENGTH: Final = 12


def is_in_force(placing: Placing) -> bool:
    """Tell whether the installation has this form."""
    return placing.at(layout.VENV).is_symlink()


def expand(programs: Programs, pex: Path) -> None:
    """Unpack the program, put it in force, and remove what is older than the one before.

    Raises:
        InstallationError: it cannot be unpacked.
    """
    placing = programs.placing
    with pex.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    venv = layout.VENVS / digest[:_NAME_LENGTH]
    before = _in_force(placing)
    if before == venv and (placing.at(venv) / "bin/python").exists():  # not after another Python
        return
    _remove_all(placing, but=before if before != venv else None)
    if not placing.dry_run:
        placing.make_folder(placing.at(layout.VENVS))
    with tempfile.TemporaryDirectory() as scratch:
        tools = {"PEX_TOOLS": "1", "PEX_ROOT": scratch}
        unpack = (str(placing.at(layout.PEX)), "venv", "--compile", str(placing.at(venv)))
        programs.do(*unpack, environment=tools)
    placing.link(layout.VENV, venv)


def give_up(placing: Placing) -> None:
    """Go back to the usual form; the next installation removes what may still be at work."""
    if is_in_force(placing):
        placing.remove(layout.VENV)
    else:
        placing.remove(layout.VENVS)


def _in_force(placing: Placing) -> PurePosixPath | None:
    place = placing.at(layout.VENV)
    return layout.VENVS / place.readlink().name if place.is_symlink() else None


def _remove_all(placing: Placing, *, but: PurePosixPath | None) -> None:
    folder = placing.at(layout.VENVS)
    for found in sorted(folder.iterdir()) if folder.is_dir() else ():
        if layout.VENVS / found.name != but:
            placing.remove(layout.VENVS / found.name)
