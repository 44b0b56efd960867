"""The rehearsal's files for people: right ones, and each kind of wrong one. No I/O."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from lambda_matrix.reference.saying import answer, number_of, pieces, say, what_came
from lambda_matrix.reference.steps import Question, Step, WriteFile
from lambda_matrix.reference.wire import Custom
from lambda_matrix.reference.workspace import folder_of

_SIDE: Final = 96
_LARGE: Final = 1200
"""Pixels of a picture's width and height; clients show the large one by a thumbnail."""
_RATE: Final = 8000
"""Samples of sound a second."""


def give_file(question: Question) -> Iterator[Step]:
    """Write a file and give it to the person, or give one that is not there to be had."""
    if question.workspace is None:
        yield from answer(question, "This agent has no workspace, so it can give no files.")
        return
    kind = question.argument.split(maxsplit=1)[0].casefold() if question.argument else ""
    position = number_of(question)
    folder = folder_of(question.thread_id)
    if kind in _WRONG:
        path = _WRONG[kind].format(folder=folder)
    else:
        ending, content = _CONTENTS.get(kind, _CONTENTS[""])
        path = f"{folder}/rehearsal-{position}.{ending}"
        yield WriteFile(question.workspace, path, content(question))
        if kind == "mount":
            path = f"/workspace/{path}"
    yield from say(f"{question.key}-answer", pieces(f"Here is a file: `{path}`."))
    yield Custom("file", {"path": path, "caption": f"Rehearsal file {position}"})


def _text(question: Question) -> bytes:
    return (what_came(question) + "\n").encode("utf-8", errors="replace")


def _picture(side: int) -> bytes:
    """Draw a square that runs from blue to red and from dark to green, as PNG."""
    row = bytearray(3 * side)
    row[0::3] = bytes(x * 255 // side for x in range(side))
    row[2::3] = bytes([160]) * side
    rows = bytearray()
    for y in range(side):
        row[1::3] = bytes([y * 255 // side]) * side
        rows += b"\0" + row
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _sound(_: Question) -> bytes:
    """Make a second of a tone of 500 Hz, as WAV."""
    period = _RATE // 500
    samples = bytes(192 if at % period < period // 2 else 64 for at in range(_RATE))
    form = struct.pack("<HHIIHH", 1, 1, _RATE, _RATE, 1, 8)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form
    body += b"data" + struct.pack("<I", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", len(body)) + body


_CONTENTS: Mapping[str, tuple[str, Callable[[Question], bytes]]] = {
    "": ("txt", _text),
    "image": ("png", lambda _: _picture(_SIDE)),
    "photo": ("png", lambda _: _picture(_LARGE)),
    "audio": ("wav", _sound),
    "empty": ("bin", lambda _: b""),
}
_WRONG: Mapping[str, str] = {
    "missing": "{folder}/never-written.txt",
    "outside": "../outside.txt",
    "absolute": "/etc/hostname",
    "foreign": "chats/0/rehearsal-1.txt",
    "folder": "{folder}",
}
FILE_KINDS = "|".join([*(kind for kind in _CONTENTS if kind), "mount", *_WRONG])
"""What can stand after the word, as the list of words shows it."""
