"""`mxc://` addresses of files in homeservers' media repositories (10.9, "Content repository")."""

from __future__ import annotations

import re
from typing import Final

from attrs import frozen

_MXC: Final = re.compile(r"mxc://([0-9A-Za-z\[][0-9A-Za-z.:\[\]-]{0,254})/([0-9A-Za-z_-]{1,255})")
"""A server name (Appendices, 4.1), and an id of its characters alone: nothing that bends a path."""


@frozen
class ContentAddress:
    """Where a file is: the homeserver that it was uploaded to, and its id there."""

    server: str
    media_id: str


def read_mxc(text: str) -> ContentAddress | None:
    """Read `mxc://<server name>/<media id>`; None where it is something else."""
    found = _MXC.fullmatch(text)
    return None if found is None else ContentAddress(found[1], found[2])
