"""The workspace as the agent sees it: a thread's own folder, and files that came with messages.

Paths on the wire are relative to the workspace (`chats/17/cat.png`). Blocking; no Trio.
"""

from __future__ import annotations

import base64
import binascii
import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from attrs import frozen

from lambda_matrix.reference.run_input import Attachment, Message
from lambda_matrix.reference.safe_files import UnsafePathError, open_file, split_path

_MOUNTS: Final = ("/workspace/", "/agents/")
"""Where the two sides have the workspace mounted; people and models write such paths."""


def folder_of(thread_id: str) -> str:
    """Return the path of a thread's folder in the workspace."""
    return f"chats/{thread_id}"


def parts_of(place: str) -> tuple[str, ...]:
    """Split a path in the workspace, with or without the name of its mount.

    Raises:
        UnsafePathError: see `split_path`.
    """
    for mount in _MOUNTS:
        place = place.removeprefix(mount)
    return split_path(place)


def lent_in(conversation: Iterable[Message], thread_id: str) -> frozenset[str]:
    """Return the places of files that came with messages from outside the thread's own folder."""
    own = f"{folder_of(thread_id)}/"
    places = set()
    for message in conversation:
        for attachment in message.attachments:
            with suppress(UnsafePathError):
                places.add("/".join(parts_of(attachment.place)))
    return frozenset(place for place in places if not place.startswith(own))


def read_place(workspace: Path | None, place: str, limit: int) -> bytes:
    """Return a file's content.

    Raises:
        UnsafePathError: the path is none.
        OSError: there is no such file, or it has more than `limit` bytes.
    """
    if workspace is None:
        raise FileNotFoundError(errno.ENOENT, "there is no workspace")
    with open_file(workspace, parts_of(place)) as file:
        if os.fstat(file.fileno()).st_size > limit:
            raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        return file.read(limit)


def read_attachment(workspace: Path | None, attachment: Attachment, limit: int) -> bytes:
    """Return the content of a file that came with a message, inline or in the workspace.

    Raises:
        UnsafePathError: its path is none, or its text is no base64.
        OSError: see `read_place`.
    """
    if attachment.data is None:
        return read_place(workspace, attachment.place, limit)
    try:
        content = base64.b64decode(attachment.data, validate=True)
    except (binascii.Error, ValueError):
        raise UnsafePathError("the inline data is not base64") from None
    if len(content) > limit:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
    return content


@frozen
class Arrival:
    """A file that came with a message, as it was found: `size` and `digest`, or a `fault`.

    `digest` is the beginning of its SHA-256, by which two contents can be told apart.
    """

    attachment: Attachment
    size: int = 0
    digest: str = ""
    fault: str | None = None


_LONGEST_LOOK: Final = 256 * 1024 * 1024


def look_at(workspace: Path | None, attachment: Attachment) -> Arrival:
    """Read an attachment to its end, and tell what it is."""
    try:
        content = read_attachment(workspace, attachment, _LONGEST_LOOK)
    except UnsafePathError as error:
        return Arrival(attachment, fault=str(error))
    except OSError as error:
        return Arrival(attachment, fault=(error.strerror or "it cannot be read").lower())
    return Arrival(attachment, len(content), sha256(content).hexdigest()[:8])
