"""Secrets in files that are named like them: what systemd calls credentials (systemd.exec(5)).

They are kept in one folder beside the configuration, which root alone may read:
`/etc/lambda-matrix/credentials/password`. A unit hands over the whole folder
(`LoadCredential=lambda-matrix:/etc/lambda-matrix/credentials`), and each file arrives as
`lambda-matrix_<name>`; or single ones by their names (`LoadCredential=password:/some/file`). What
is in the folder is found without a line in the unit for each. A command that is given by hand has
nobody who hands over, and reads the folder itself.

An empty credential is an absent one: systemd has no other way to say that a file may be missing
(`SetCredential=` beside `LoadCredential=`).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_FOLDER: Final = "credentials"
_PREFIX: Final = "lambda-matrix_"


def credential_folder(configuration: Path) -> Path:
    """Return the folder of the credentials that go with a file of the configuration."""
    return configuration.absolute().parent / _FOLDER


def find_credential(
    name: str, environment: Mapping[str, str], configuration: Path | None = None
) -> Path | None:
    """Return the file of a credential; None if there is none, or it is empty.

    One that cannot be looked at is returned, so that whoever reads it can say why.

    Args:
        name: of the credential.
        environment: where systemd says what it has handed over (`CREDENTIALS_DIRECTORY`).
        configuration: the file beside which credentials are looked for if nobody hands over.
    """
    folder = environment.get("CREDENTIALS_DIRECTORY")
    files: list[Path] = []
    if folder:
        files = [Path(folder, name), Path(folder, _PREFIX + name)]
    elif configuration is not None:
        files = [credential_folder(configuration) / name]
    return next((file for file in files if not _is_absent(file)), None)


def _is_absent(file: Path) -> bool:
    try:
        return not file.read_bytes().strip()
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
