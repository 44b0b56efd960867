"""What is found out about a picture, a sound or a film, and how the process that looks tells it."""

from __future__ import annotations

import struct
from typing import Final, Literal

from attrs import frozen

MAX_THUMBNAIL: Final = 100_000
"""Bytes of a thumbnail, at most."""

_HEADER = struct.Struct("!IIQBII")
_TYPES: tuple[Literal["image/jpeg", "image/png"], ...] = ("image/jpeg", "image/png")
_MOST = 2**31
"""No width, height or duration is as large."""
MAX_TOLD: Final = _HEADER.size + MAX_THUMBNAIL


@frozen
class Thumbnail:
    """A small picture, upright and without what its original told besides the picture."""

    data: bytes
    mime_type: Literal["image/jpeg", "image/png"]
    width: int
    height: int


@frozen
class MediaFacts:
    """What is known of a file; None is "not known".

    Width and height are those of the picture as it is seen, turned upright. A small picture has no
    thumbnail: it is its own.
    """

    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    thumbnail: Thumbnail | None = None


def to_bytes(facts: MediaFacts) -> bytes:
    """Return what `from_bytes` reads: numbers of fixed size, 0 for "not known", and the picture."""
    small = facts.thumbnail
    kind, width, height, data = (
        (0, 0, 0, b"")
        if small is None
        else (1 + _TYPES.index(small.mime_type), small.width, small.height, small.data)
    )
    numbers = (facts.width or 0, facts.height or 0, facts.duration_ms or 0)
    return _HEADER.pack(*numbers, kind, width, height) + data


def from_bytes(told: bytes) -> MediaFacts:
    """Read what the process told. It looked into a stranger's file, so it is not trusted.

    Raises:
        ValueError: that is none of what it can say.
    """
    if not _HEADER.size <= len(told) <= MAX_TOLD:
        raise ValueError(f"{len(told)} bytes are no facts")
    *numbers, kind, small_width, small_height = _HEADER.unpack_from(told)
    data = told[_HEADER.size :]
    if max(*numbers, small_width, small_height) >= _MOST or kind > len(_TYPES):
        raise ValueError("numbers that cannot be")
    if bool(kind) != bool(data and small_width and small_height):
        raise ValueError("half a thumbnail")
    thumbnail = Thumbnail(data, _TYPES[kind - 1], small_width, small_height) if kind else None
    width, height, duration = (each or None for each in numbers)
    return MediaFacts(width, height, duration, thumbnail)
