"""Pictures: those that are sent in the conversations, and the captures made small."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_COLOURS = 128
_SKY, _SEA, _SAND = (250, 221, 180), (74, 132, 168), (214, 178, 122)


def shrink(path: Path) -> int:
    """Bring a capture down to as many colours as it needs; returns its size in bytes."""
    with Image.open(path) as image:
        few = image.convert("RGB").quantize(
            _COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    few.save(path, optimize=True)
    return path.stat().st_size


def photo() -> bytes:
    """A shore at sunset, as a PNG."""
    width, height, horizon = 640, 360, 215
    image = Image.new("RGB", (width, height), _SEA)
    draw = ImageDraw.Draw(image)
    for y in range(horizon):
        share = y / horizon
        tint = tuple(round(a + (b - a) * share) for a, b in zip((96, 130, 190), _SKY, strict=True))
        draw.line((0, y, width, y), fill=tint)
    draw.ellipse((400, 150, 490, 240), fill=(255, 190, 96))
    draw.rectangle((0, horizon, width, 290), fill=_SEA)
    for step in range(12):
        half = 40 - 2 * step
        y = horizon + 6 + step * 6
        draw.line((445 - half, y, 445 + half, y), fill=(255, 206, 140), width=2)
    draw.polygon([(0, 290), (width, 270), (width, height), (0, height)], fill=_SAND)
    draw.polygon([(120, 262), (260, 262), (236, 284), (140, 284)], fill=(90, 54, 40))
    draw.polygon([(188, 120), (188, 256), (100, 256)], fill=(250, 250, 245))
    draw.polygon([(196, 140), (196, 256), (250, 256)], fill=(236, 232, 222))
    return _png(image)


def chart(title: str, bars: Mapping[str, int]) -> bytes:
    """A bar chart, as a PNG."""
    image = Image.new("RGB", (640, 60 + 56 * len(bars)), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype("DejaVuSans.ttf", 20)
    draw.text((20, 16), title, fill=(30, 30, 40), font=font)
    longest = max(bars.values())
    for row, (name, value) in enumerate(bars.items()):
        y = 60 + 56 * row
        draw.text((20, y + 6), name, fill=(70, 70, 80), font=font)
        right = 150 + round(400 * value / longest)
        draw.rounded_rectangle((150, y, right, y + 36), 6, fill=(91, 75, 214))
        draw.text((right + 10, y + 6), str(value), fill=(30, 30, 40), font=font)
    return _png(image)


def _png(image: Image.Image) -> bytes:
    written = BytesIO()
    image.save(written, "PNG", optimize=True)
    return written.getvalue()
