"""Pictures for tests, good ones and bad ones."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable

from PIL import Image

from lambda_matrix.workspace.media_facts import Thumbnail


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, form, **options)
    return written.getvalue()


def gradient(width: int, height: int, mode: str = "RGB") -> Image.Image:
    plain = Image.linear_gradient("L").resize((width, height))
    image = plain.convert(mode)
    if "A" in mode:
        image.putalpha(plain)
    return image


def noise(width: int, height: int) -> Image.Image:
    some = random.Random(1)  # noqa: S311 - the same noise each time
    return Image.frombytes("RGB", (width, height), some.randbytes(width * height * 3))


def decoded(thumbnail: Thumbnail | None) -> Image.Image:
    assert thumbnail is not None
    image = Image.open(io.BytesIO(thumbnail.data))
    image.load()
    assert image.get_format_mimetype() == thumbnail.mime_type
    assert image.size == (thumbnail.width, thumbnail.height)
    return image


def png(width: int, height: int, data: bytes) -> bytes:
    """A PNG that claims a size and has whatever data."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )  # fmt: skip

    header = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )  # fmt: skip


def bomb() -> bytes:
    """40,000 times 40,000 pixels in a megabyte and a half."""
    squeezed = zlib.compressobj(9)
    row = b"\0" * (1 + 40_000 * 4)
    return png(40_000, 40_000, b"".join(squeezed.compress(row) for _ in range(400)))


def huge_gif() -> bytes:
    head = struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0)
    return b"GIF89a" + head + b"\0" * 6 + b"," + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)


def text_bomb() -> bytes:
    """A compressed text beside a small picture."""
    content = b"zTXt" + b"c\0\0" + zlib.compress(b"\0" * 300_000_000, 9)
    extra = struct.pack(">I", len(content) - 4) + content + struct.pack(">I", zlib.crc32(content))
    plain = png(900, 900, zlib.compress((b"\0" + b"\0" * 3600) * 900))
    return plain[:33] + extra + plain[33:]


HARMFUL: dict[str, Callable[[], bytes]] = {
    "bomb": bomb,
    "header": lambda: png(2**31 - 1, 2**31 - 1, b""),
    "just over the limit": lambda: encoded(Image.new("1", (10_000, 5_001)), "PNG"),
    "text": text_bomb,
    "gif": huge_gif,
    "truncated png": lambda: encoded(noise(300, 300), "PNG")[:50_000],
    "truncated jpeg": lambda: encoded(noise(900, 900), "JPEG")[:50_000],
    "no picture": lambda: b"\xff\xd8\xff\xe0" + bytes(1000),
    "garbled webp": lambda: b"RIFF\xff\xff\xff\x7fWEBPVP8 " + bytes(1000),
}

PIXEL = png(1, 1, zlib.compress(bytes(5)))
