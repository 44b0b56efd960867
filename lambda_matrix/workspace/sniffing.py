"""What a file is, by its first bytes; what was claimed counts only where they cannot tell."""

from __future__ import annotations

import codecs
import re
from typing import Final, Literal

import filetype  # type: ignore[import-untyped] # it has no types; what it returns is checked here
from attrs import frozen

HEAD: Final = 8192
"""Bytes from the beginning of a file that are enough to tell what it is."""

Kind = Literal["image", "audio", "video", "document"]

_SHOWN = frozenset(
    f"image/{each}" for each in ("jpeg", "png", "gif", "webp", "avif", "bmp")
)  # what clients and models show as images; TIFF, HEIC and SVG are documents
_TEXT = re.compile(
    r"text/[\w.+-]+|image/svg\+xml|application/"
    r"(?:[\w.-]+\+(?:json|xml)|json|xml|javascript|yaml|toml|sql|x-sh|x-yaml|x-ndjson)"
)
_IN_TEXT = (
    (b"%PDF-", "application/pdf"),
    (b"{\\rtf", "application/rtf"),
    (b"%!PS", "application/postscript"),
)
"""Formats that may look like text, and are none."""
_CONTAINERS = frozenset({"mp4", "webm", "ogg", "3gpp"})
"""What holds sound, pictures or both: the first bytes tell only which container it is."""
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


@frozen
class Media:
    """What a file is: its media type, and how it is shown."""

    mime_type: str
    kind: Kind

    @property
    def nameless(self) -> str:
        """The name of a file of this type that came without one."""
        match self.mime_type:
            case "application/octet-stream":  # the library's first of these is a font
                return self.kind
            case "text/plain":
                return f"{self.kind}.txt"
            case other:
                found = filetype.get_type(mime=other)
                return f"{self.kind}.{found.extension}" if found else self.kind


def media_of(head: bytes, claimed: str = "") -> Media:
    """Tell what begins with `head` (the first `HEAD` bytes, or all), and was said to be `claimed`.

    Never raises. The name of the file is not asked.
    """
    claimed = claimed.partition(";")[0].strip().lower()
    mime_type = _text(head, claimed) if _is_text(head) else _binary(head, claimed)
    return Media(mime_type, _kind(mime_type))


def _is_text(head: bytes) -> bool:
    """Tell whether it is UTF-8 as people write it; a character cut off at the end is none amiss."""
    if _CONTROL.search(head):
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD)
    except UnicodeDecodeError:
        return False
    return True


def _text(head: bytes, claimed: str) -> str:
    for beginning, mime_type in _IN_TEXT:
        if head.startswith(beginning):
            return mime_type
    return claimed if _TEXT.fullmatch(claimed) else "text/plain"


def _binary(head: bytes, claimed: str) -> str:
    # A brand that the library does not know is still the container of films and voices.
    guess = filetype.guess(head)
    found = guess.mime if guess else "video/mp4" if head[4:8] == b"ftyp" else ""
    mime_type = _USUAL.get(found, found) or "application/octet-stream"
    container = mime_type.partition("/")[2]
    if container in _CONTAINERS and claimed in {f"audio/{container}", f"video/{container}"}:
        return claimed
    return mime_type


_USUAL = {
    "image/apng": "image/png",
    "audio/x-wav": "audio/wav",
    "audio/x-flac": "audio/flac",
}
"""Names that everybody knows, for those of the library."""


def _kind(mime_type: str) -> Kind:
    if mime_type in _SHOWN:
        return "image"
    match mime_type.partition("/")[0]:
        case "audio":
            return "audio"
        case "video":
            return "video"
        case _:
            return "document"
