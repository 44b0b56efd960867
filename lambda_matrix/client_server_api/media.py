"""Files of the homeserver's content repository, in pieces ("Content repository").

Theory. The task that reads or writes the file is the caller's, so a caller that is cancelled closes
its file and knows that nothing more is written; the request is a worker's, and is given up then.
A file is asked for with the token (v1.11, "Authenticated media"); homeservers from before that have
only the old, open endpoint. A redirect leads to where the homeserver keeps its files, which is
no place for the token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import trio
from attrs import define, frozen

from lambda_matrix.client_server_api import endpoints
from lambda_matrix.client_server_api.content_address import read_mxc
from lambda_matrix.client_server_api.endpoints import Endpoint
from lambda_matrix.client_server_api.errors import (
    FileTooLarge,
    MatrixError,
    Redirected,
    TooLarge,
    decide_retry,
)
from lambda_matrix.client_server_api.parsing import parse_content_uri, parse_upload_limit
from lambda_matrix.client_server_api.transfer import Incoming, Outgoing, Transfer
from lambda_matrix.client_server_api.transport import Transport
from lambda_matrix.ids import AccessToken

PIECE: Final = 64 * 1024
"""Bytes that are read from a file at once."""
_MOST_REDIRECTS: Final = 3
_UNKNOWN_TYPE: Final = "application/octet-stream"


class FileChanged(ValueError):  # noqa: N818 - named for what happened
    """What was to be uploaded is not of the size that was said: somebody wrote to it meanwhile."""


class ByteSource(Protocol):
    """What is read for an upload; `trio.open_file` and `trio.wrap_file` give such things."""

    async def read(self, most: int, /) -> bytes:
        """Give up to `most` bytes, none at the end."""


class ByteSink(Protocol):
    """What a download is written to; `trio.open_file` and `trio.wrap_file` give such things."""

    async def write(self, piece: bytes, /) -> object:
        """Take the whole piece."""


@frozen
class MediaInfo:
    """What was downloaded: its type, as the homeserver claims, and its size in bytes."""

    content_type: str
    size: int


@define(eq=False)
class Media:
    """The homeserver's content repository, as one session sees it."""

    _transport: Transport
    _token: AccessToken
    _limit: int = 0
    """What a file may have without asking for the limit again."""

    async def upload_limit(self) -> int | None:
        """Bytes of the largest file that the homeserver takes; None where it does not say.

        This is /media/config. A homeserver from before v1.11 is asked twice.
        """
        try:
            body = await self._transport.request(endpoints.MEDIA_CONFIG, token=self._token)
        except MatrixError as error:
            if error.errcode != "M_UNRECOGNIZED":
                raise
            body = await self._transport.request(endpoints.MEDIA_CONFIG_V3, token=self._token)
        limit = parse_upload_limit(body)
        self._limit = 0 if limit is None else limit
        return limit

    async def download(self, mxc: str, to: ByteSink, *, max_bytes: int) -> MediaInfo:
        """Write the file at `mxc` to `to`, piece by piece (/media/download).

        What was written before an error is no whole file. A homeserver from before v1.11 is asked
        twice, and each redirect is a request more.

        Raises:
            ValueError: `mxc` is no `mxc://` address.
            FileTooLarge: It has more than `max_bytes`; no more than that was written.
            MatrixError: As every request; nothing here tries again.
        """
        address = read_mxc(mxc)
        if address is None:
            raise ValueError(f"{mxc!r} is no mxc:// address")
        try:
            return await self._follow(endpoints.download(address), to, max_bytes)
        except MatrixError as error:
            if error.errcode != "M_UNRECOGNIZED":
                raise
        return await self._follow(endpoints.download_v3(address), to, max_bytes)

    async def upload(
        self, source: ByteSource, *, size: int, content_type: str, filename: str | None = None
    ) -> str:
        """Upload a file of `size` bytes, read piece by piece; give its `mxc://` address (/upload).

        Asked again it is another file, which harms nobody. The homeserver's limit is asked for
        before the first: Synapse answers nothing at all to a file that is over it.

        Raises:
            FileTooLarge: The homeserver takes no file as large as this.
            FileChanged: `source` has not `size` bytes.
            MatrixError: As every request; nothing here tries again.
        """
        if size > self._limit:
            limit = await self.upload_limit()
            if limit is not None and size > limit:
                raise FileTooLarge(f"{size} bytes are over the homeserver's limit of {limit}")
        sending, receiving = trio.open_memory_channel[bytes](0)
        transfer = await self._transport.start_upload(
            endpoints.UPLOAD,
            Outgoing(receiving, size),
            content_type=content_type,
            params={} if filename is None else {"filename": filename},
            token=self._token,
        )
        try:
            with sending:
                await _feed(source, sending, size)
            _, body = await _answer(transfer)
        finally:
            transfer.give_up()
        return parse_content_uri(body)

    async def _follow(self, place: Endpoint, to: ByteSink, most: int) -> MediaInfo:
        where: Endpoint | str = place
        for _ in range(_MOST_REDIRECTS):
            try:
                return await self._fetch(where, to, most)
            except Redirected as redirected:
                where = redirected.location
        return await self._fetch(where, to, most)

    async def _fetch(self, place: Endpoint | str, to: ByteSink, most: int) -> MediaInfo:
        sending, receiving = trio.open_memory_channel[bytes](0)
        transfer = await self._transport.start_download(
            place, Incoming(sending, most), token=self._token
        )
        size = 0
        try:
            with receiving:
                async for piece in receiving:
                    size += len(piece)
                    await to.write(piece)
            headers, _ = await _answer(transfer)
        finally:
            transfer.give_up()
        return MediaInfo(headers.get("content-type", _UNKNOWN_TYPE), size)


async def _answer(transfer: Transfer) -> tuple[Mapping[str, str], bytes]:
    """Wait for the answer; its judgement on the file's size has a type of its own."""
    try:
        return await transfer.answer()
    except MatrixError as error:
        if isinstance(decide_retry(error), TooLarge):
            raise FileTooLarge(error.message) from error
        raise


async def _feed(source: ByteSource, sending: trio.MemorySendChannel[bytes], size: int) -> None:
    sent = 0
    try:
        while piece := await source.read(PIECE):
            sent += len(piece)
            if sent > size:
                break
            await sending.send(piece)
    except trio.BrokenResourceError:
        return  # the answer is there already, and it is hardly a yes
    if sent != size:
        raise FileChanged(f"the file has not the {size} bytes that it had")
