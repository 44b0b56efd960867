"""The bot's picture: on its profile, and in the rooms that it makes.

It is uploaded once: its address is kept under the digest of its content, and only another content
is another upload. Where the database is lost, the picture that the profile shows is compared: to
set another one has a homeserver tell it to every room.
"""

import hashlib
import io
import logging
from importlib import resources
from pathlib import Path

import trio
from attrs import frozen

from lambda_matrix.client_server_api.client import Client
from lambda_matrix.client_server_api.errors import MatrixError
from lambda_matrix.store import meta
from lambda_matrix.store.store import Store

logger = logging.getLogger(__name__)

LARGEST = 1024 * 1024
"""Bytes of a picture; clients show it the size of a fingernail."""
_BEGINNINGS = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"WEBP", 8, "image/webp"),
)


class AvatarError(Exception):
    """The file is no picture that can be used; the message is one sentence for the operator."""


@frozen
class Picture:
    """A picture, and its media type."""

    content: bytes
    mime_type: str

    @property
    def digest(self) -> str:
        """What tells it from any other picture."""
        return hashlib.sha256(self.content).hexdigest()


def read_picture(path: Path | None) -> Picture:
    """Return the picture in the file; None is the one that comes with the service.

    Raises:
        AvatarError: the file cannot be used.
    """
    if path is None:
        bundled = resources.files("lambda_matrix.surface") / "avatar.png"
        return Picture(bundled.read_bytes(), "image/png")
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise AvatarError(f"The picture {path} cannot be read: {error.strerror}.") from error
    if len(content) > LARGEST:
        raise AvatarError(f"The picture {path} has more than {LARGEST} bytes.")
    for beginning, place, mime_type in _BEGINNINGS:
        if content.startswith(beginning, place):
            return Picture(content, mime_type)
    raise AvatarError(f"The picture {path} is no PNG, JPEG or WebP.")


async def show(client: Client, store: Store, picture: Picture) -> None:
    """Have the bot's profile show the picture; a homeserver that refuses is told in the journal."""
    try:
        shown = await client.account.avatar_url(client.session.user_id)
        mxc = await store.transact(meta.avatar, picture.digest)
        if mxc is None:
            if shown is not None and await _content(client, shown) == picture.content:
                mxc = shown
            else:
                mxc = await _upload(client, picture)
            await store.transact(meta.set_avatar, picture.digest, mxc)
        if shown != mxc:
            await client.account.set_avatar_url(mxc)
    except MatrixError as error:
        logger.warning("picture ([service] avatar_file) not shown: %s", error)


async def _content(client: Client, mxc: str) -> bytes | None:
    """Return what is at an address; None where it cannot be had."""
    content = io.BytesIO()
    try:
        await client.media.download(mxc, trio.wrap_file(content), max_bytes=LARGEST)
    except MatrixError as error:
        logger.info("the picture %s cannot be compared: %s", mxc, error)
        return None
    return content.getvalue()


async def _upload(client: Client, picture: Picture) -> str:
    return await client.media.upload(
        trio.wrap_file(io.BytesIO(picture.content)),
        size=len(picture.content),
        content_type=picture.mime_type,
    )
