"""A secret's file, written: for its owner alone from its first byte on, and whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from lambda_matrix.exits import CommandError, Exit
from lambda_matrix.secret import Secret
from lambda_matrix.whole_file import replacing

_FOLDER_MODE = 0o700
_MODE = 0o600


def check_place(path: Path) -> None:
    """Raise CommandError unless a file can be written there: before anybody is asked for it."""
    folder = next(each for each in path.parents if each.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        raise CommandError(
            f"{path} cannot be written: give this command as root.", Exit.CONFIGURATION
        )


def write_secret(path: Path, secret: Secret) -> None:
    """Write the secret, alone on one line; what was there before stays until then.

    Raises:
        CommandError: it cannot be written.
    """
    try:
        path.parent.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
        with replacing(path, _MODE) as file:
            file.write(f"{secret.reveal()}\n".encode())
    except OSError as error:
        raise CommandError(
            f"{path} cannot be written: {error.strerror}.", Exit.DISK_REFUSES
        ) from error
