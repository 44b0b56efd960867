"""What travels with the program: its own file, and the files that are installed beside it."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from lambda_matrix.installation.refusals import NotLikeThisError


def running_pex(environment: Mapping[str, str]) -> Path:
    """Return the file that this program was started from.

    Raises:
        NotLikeThisError: it is not one file.
    """
    named = environment.get("PEX", "")  # told by the PEX's bootstrap to what it starts
    pex = Path(named)
    if not named or not zipfile.is_zipfile(pex):
        raise NotLikeThisError(
            "What is installed is the file lambda-matrix.pex: run the command from it "
            "(python3 lambda-matrix.pex install)."
        )
    return pex.resolve()


@contextmanager
def shipped_files() -> Iterator[Path]:
    """The folder of the files that travel in the program (systemd/ in its sources)."""
    with resources.as_file(resources.files("lambda_matrix.installation") / "files") as folder:
        yield folder
