"""Files that root makes in the state directory, given to whoever the service runs as.

Under systemd the service is a user of its own, and its state directory belongs to that user. An
operator gives commands as root; a file that root left there the service could not open.
"""

from __future__ import annotations

import os
from pathlib import Path

_ROOT = 0


def give_to_owner(directory: Path) -> None:
    """Give what belongs to root in `directory` to its owner. As anybody else, do nothing."""
    if os.geteuid() != _ROOT or not directory.is_dir():
        return
    owner = directory.stat()
    for path in directory.iterdir():
        if path.lstat().st_uid == _ROOT != owner.st_uid:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
