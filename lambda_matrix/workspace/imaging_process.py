"""The process that looks into one file of a stranger: `python -m` this, the file on stdin.

It binds itself before it reads a byte, writes `media_facts.to_bytes` to stdout, and ends. Whatever
goes wrong is a traceback on stderr and exit status 1; whatever goes very wrong ends this process
and no other.
"""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Final

from tinytag import TinyTag, UnsupportedFormatError

from lambda_matrix.workspace.media_facts import MediaFacts, to_bytes
from lambda_matrix.workspace.thumbnails import facts_of_image

_LIMITS: Final = (
    (resource.RLIMIT_AS, 384 * 2**20),  # the largest picture, what is made of it, and Python
    (resource.RLIMIT_CPU, 10),
    (resource.RLIMIT_FSIZE, 0),
    (resource.RLIMIT_CORE, 0),
    (resource.RLIMIT_NOFILE, 16),
)
_LONGEST: Final = 10_000_000.0
"""Seconds. A file that claims more is wrong."""


def main() -> None:
    """Look into the file on stdin, which is of the kind that the argument names."""
    bind()
    with open(0, "rb", closefd=False) as file:
        file.seek(0)  # the descriptor, and so its offset, is shared with who opened it
        told = to_bytes(facts_of(file, sys.argv[1]))
    sys.stdout.buffer.write(told)


def bind() -> None:
    """Limit this process for good, and offer it first should memory run out."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    for kind, most in _LIMITS:
        resource.setrlimit(kind, (most, most))


def facts_of(file: BinaryIO, kind: str) -> MediaFacts:
    """Return what there is to know of an image, or of a sound or a film: its duration.

    Raises:
        Exception: whatever the libraries make of a broken or dangerous file.
    """
    return facts_of_image(file) if kind == "image" else _facts_of_sound(file)


def _facts_of_sound(file: BinaryIO) -> MediaFacts:
    try:
        seconds = TinyTag.get(file_obj=file, tags=False).duration
    except UnsupportedFormatError:  # WebM and Matroska, for example
        return MediaFacts()
    known = seconds is not None and 0 < seconds < _LONGEST
    return MediaFacts(duration_ms=round(seconds * 1000) if seconds and known else None)


if __name__ == "__main__":
    main()
