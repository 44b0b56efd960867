"""Draw the bot's picture: a lambda, light on violet. Writes lambda_matrix/surface/avatar.png.

    python tools/draw_avatar.py

Strokes are distances to line segments, so that edges are smooth without any library.
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

SIZE = 256
TOP, BOTTOM = (108, 76, 214), (62, 40, 148)
GLYPH = (255, 250, 240)
WIDTH = 11.5
"""Half the width of a stroke, in pixels."""
STROKES = (
    ((86.0, 62.0), (102.0, 62.0)),
    ((102.0, 62.0), (170.0, 194.0)),
    ((170.0, 194.0), (182.0, 194.0)),
    ((128.0, 114.0), (86.0, 194.0)),
)

Point = tuple[float, float]


def distance(point: Point, start: Point, end: Point) -> float:
    """Return how far the point is from the segment."""
    (x, y), (ax, ay), (bx, by) = point, start, end
    dx, dy = bx - ax, by - ay
    along = ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)
    along = min(max(along, 0.0), 1.0)
    return math.hypot(x - ax - along * dx, y - ay - along * dy)


def pixel(x: int, y: int) -> bytes:
    """Return the colour of a pixel: the glyph over a background that darkens downwards."""
    centre = (x + 0.5, y + 0.5)
    nearest = min(distance(centre, *stroke) for stroke in STROKES)
    cover = min(max(WIDTH - nearest + 0.5, 0.0), 1.0)
    down = y / (SIZE - 1)
    return bytes(
        round(cover * light + (1 - cover) * (top + down * (bottom - top)))
        for light, top, bottom in zip(GLYPH, TOP, BOTTOM, strict=True)
    )


def png() -> bytes:
    """Return the picture as a PNG: 8-bit RGB, each line as differences to the one above."""
    above = bytes(3 * SIZE)
    lines = []
    for y in range(SIZE):
        line = b"".join(pixel(x, y) for x in range(SIZE))
        lines.append(b"\x02" + bytes((a - b) % 256 for a, b in zip(line, above, strict=True)))
        above = line
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    body = zlib.compress(b"".join(lines), 9)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


if __name__ == "__main__":
    place = Path(__file__).parents[1] / "lambda_matrix/surface/avatar.png"
    place.write_bytes(png())
