"""File names that are safe on a disk, in a shell and before the eye, from whatever is claimed."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import count

MAX_NAME = 255
"""Bytes of UTF-8 that a file name can have on the usual file systems."""
_MAX_EXTENSION = 16
"""A longer "extension" is text after a full stop."""
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Cn", "Co"})
"""Controls, marks without form (among them those that turn the direction of text), surrogates,
and characters without an agreed form."""


def safe_name(claimed: str, otherwise: str) -> str:
    """Return a name for a file that came as `claimed`, or `otherwise` if nothing is left of it.

    It has no separator, no character that is not seen, no leading dot, dash or space and no
    trailing dot or space; it is in NFC and at most `MAX_NAME` bytes, the extension kept.
    `otherwise` must be such a name itself. A safe name stays as it is.
    """
    # A separator in a claimed name comes from somebody's path ("C:\fakepath\photo.jpg").
    last = next((part for part in reversed(re.split(r"[/\\]", claimed)) if part.strip()), "")
    spaced = re.sub(r"\s", " ", last)
    seen = "".join(each for each in spaced if unicodedata.category(each) not in _DROPPED)
    name = _trimmed(re.sub(" +", " ", unicodedata.normalize("NFC", seen)))
    stem, extension = _split(name)
    return _fitted(stem, extension) or otherwise


def free_names(name: str) -> Iterator[str]:
    """Yield `name`, then `name (2)`, `name (3)` and so on, numbers before the extension."""
    yield name
    stem, extension = _split(name)
    yield from (_fitted(stem, f" ({number}){extension}") for number in count(2))


def _split(name: str) -> tuple[str, str]:
    """Return the name without its extension, and the extension with its dot (or "")."""
    stem, dot, extension = name.rpartition(".")
    usual = extension.isalnum() and len(extension.encode()) <= _MAX_EXTENSION
    return (stem, dot + extension) if stem and usual else (name, "")


def _fitted(stem: str, ending: str) -> str:
    """Return `stem` and `ending`, the stem cut between characters so that they fit."""
    room = MAX_NAME - len(ending.encode())
    cut = stem.encode()[:room].decode(errors="ignore")
    return _trimmed(cut + ending)


def _trimmed(name: str) -> str:
    return name.lstrip(" .-").rstrip(" .")
