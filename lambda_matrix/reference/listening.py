"""Voice messages: what is said in them, by the endpoint's audio API."""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath
from typing import Final

import trio
from attrs import evolve, frozen

from lambda_matrix.reference.endpoint import Endpoint, transcribe
from lambda_matrix.reference.model_errors import ModelError, ModelFault
from lambda_matrix.reference.run_input import Attachment, Message
from lambda_matrix.reference.safe_files import UnsafePathError
from lambda_matrix.reference.workspace import read_attachment

_log = logging.getLogger(__name__)

_LARGEST_SOUND: Final = 25 * 1024 * 1024
"""Bytes; larger ones are refused by the endpoints that there are."""
_NOT_UNDERSTOOD: Final = frozenset({ModelFault.REFUSED, ModelFault.GARBLED})
_ENDINGS: Final = {"mpeg": "mp3", "mp4": "m4a", "x-m4a": "m4a", "x-wav": "wav", "wave": "wav"}
"""Of file names, by which endpoints know a format; other types are their own endings."""


@frozen
class Listener:
    """Has sound transcribed by a model of the endpoint."""

    endpoint: Endpoint
    model: str
    workspace: Path | None

    async def hear(self, message: Message) -> Message:
        """Return the message with transcripts, without the sound itself.

        What cannot be read or understood stays without one.

        Raises:
            ModelError: the endpoint cannot be used now, so that asking again may help.
        """
        attachments = [await self._hear(one) for one in message.attachments]
        return evolve(message, attachments=tuple(attachments))

    async def _hear(self, attachment: Attachment) -> Attachment:
        if attachment.kind != "audio" or attachment.transcript is not None:
            return attachment
        try:
            sound = await trio.to_thread.run_sync(
                read_attachment, self.workspace, attachment, _LARGEST_SOUND
            )
            text = await transcribe(self.endpoint, self.model, _file_name(attachment), sound)
        except (UnsafePathError, OSError) as error:
            _log.warning("a voice message cannot be read: %s", error)
            return attachment
        except ModelError as error:
            if error.fault not in _NOT_UNDERSTOOD:
                raise
            _log.warning("a voice message was not understood: %s", error)
            return attachment
        return evolve(attachment, transcript=text, data=None)


def _file_name(attachment: Attachment) -> str:
    name = PurePosixPath(attachment.place).name
    if PurePosixPath(name).suffix:
        return name
    subtype = (attachment.mime_type or "audio/ogg").partition("/")[2].partition(";")[0].strip()
    return f"voice.{_ENDINGS.get(subtype, subtype or 'ogg')}"
