"""Files that came with messages, made ready for a model: pictures and texts. Blocking; no Trio."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from lambda_matrix.reference.run_input import Attachment, Message
from lambda_matrix.reference.safe_files import UnsafePathError
from lambda_matrix.reference.workspace import read_attachment

_MOST_PICTURES: Final = 4
"""The newest of the conversation are passed; each costs as much as pages of text."""
_LARGEST_PICTURE: Final = 8 * 1024 * 1024
_LARGEST_TEXT: Final = 20_000
"""Bytes of a document that goes into the conversation as it is."""
_PICTURES: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
)
"""What models take, by how the file begins; WebP has its name further in."""


@frozen
class Picture:
    """An image as a data URL."""

    url: str


@frozen
class Excerpt:
    """The text of a document."""

    text: str


@frozen
class Unusable:
    """A file that was to be passed and cannot be: `why` ends a sentence."""

    why: str


Enclosure = Picture | Excerpt | Unusable
Place = tuple[str, int]
"""A message's id, and which of its attachments, from 0."""


def enclose(
    workspace: Path | None, conversation: Sequence[Message], *, images: bool, texts: bool
) -> Mapping[Place, Enclosure]:
    """Read what a model is to be shown of the files in a conversation.

    `images` are passed if the model takes them. The `texts` of documents are passed if it has no
    tool to read them; those that came inline are in no folder and are passed in any case.
    """
    enclosures: dict[Place, Enclosure] = {}
    pictures = 0
    for message in reversed(conversation):
        for index, attachment in enumerate(message.attachments):
            if attachment.kind == "image" and images and pictures < _MOST_PICTURES:
                enclosure = _picture(workspace, attachment)
                enclosures[message.id, index] = enclosure
                pictures += isinstance(enclosure, Picture)
            elif attachment.kind == "document" and (texts or attachment.data is not None):
                enclosures[message.id, index] = _excerpt(workspace, attachment)
    return enclosures


def _picture(workspace: Path | None, attachment: Attachment) -> Picture | Unusable:
    try:
        content = read_attachment(workspace, attachment, _LARGEST_PICTURE)
    except (UnsafePathError, OSError) as error:
        return Unusable(f"it cannot be opened ({_why(error)})")
    mime_type = _picture_type(content)
    if mime_type is None:
        return Unusable("its format is none that can be looked at")
    return Picture(f"data:{mime_type};base64,{base64.b64encode(content).decode()}")


def _picture_type(content: bytes) -> str | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for head, kind in _PICTURES if content.startswith(head)), None)


def _excerpt(workspace: Path | None, attachment: Attachment) -> Excerpt | Unusable:
    try:
        content = read_attachment(workspace, attachment, _LARGEST_TEXT)
    except (UnsafePathError, OSError) as error:
        return Unusable(f"it cannot be opened ({_why(error)})")
    text = as_text(content)
    return Unusable("it is not text") if text is None else Excerpt(text)


def as_text(content: bytes) -> str | None:
    """Return the text of a file, or None if it is none (UTF-8 without NUL is)."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _why(error: UnsafePathError | OSError) -> str:
    if isinstance(error, OSError):
        return (error.strerror or "it cannot be read").lower()
    return str(error)
