"""Pictures decoded, turned upright and made small. Runs in a process of its own (ADR 0009)."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from itertools import product
from typing import BinaryIO, Final, Literal

from PIL import AvifImagePlugin, Image, ImageOps

from lambda_matrix.workspace.media_facts import MAX_THUMBNAIL, MediaFacts, Thumbnail

MAX_PIXELS: Final = 50_000_000
"""Of a picture that is decoded: about 200 MB. What claims more is not begun."""
_FORMATS: Final = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP")
"""Those that are shown in chats. Each further one is a decoder more for strangers to try."""
_BOXES: Final = ((800, 600), (400, 300), (200, 150))
_QUALITIES: Final = (80, 60, 40)
_ORIENTATION: Final = 0x0112
_LYING: Final = frozenset({5, 6, 7, 8})
"""Orientations of EXIF in which width and height change places."""


def facts_of_image(file: BinaryIO) -> MediaFacts:
    """Decode the picture and return its size, and a thumbnail if it is large.

    Raises:
        Exception: whatever Pillow makes of a broken or dangerous picture.
    """
    # More threads than one would need more memory than this process may have.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(file, formats=_FORMATS)
    lying = image.getexif().get(_ORIENTATION, 1) in _LYING
    width, height = image.size[::-1] if lying else image.size
    if _fits(width, height, os.fstat(file.fileno()).st_size):
        image.load()
        return MediaFacts(width, height)
    return MediaFacts(width, height, thumbnail=_thumbnail(image, lying=lying))


def _fits(width: int, height: int, size: int) -> bool:
    """Tell whether a picture is so small that it needs no thumbnail."""
    return width <= _BOXES[0][0] and height <= _BOXES[0][1] and size <= MAX_THUMBNAIL


def _thumbnail(image: Image.Image, *, lying: bool) -> Thumbnail | None:
    box = _BOXES[0][::-1] if lying else _BOXES[0]
    if image.mode not in {"L", "RGB"}:
        image = _in_colours(image)
    image.thumbnail(box, reducing_gap=2.0)
    upright = ImageOps.exif_transpose(image)
    upright.info.clear()  # EXIF, profiles and comments would go along
    return next(_encoded(upright), None)


def _in_colours(image: Image.Image) -> Image.Image:
    """Return it as RGB, or RGBA if something of it can be seen through.

    It is made a few times as large as a thumbnail first, roughly, for there is no memory for a
    second picture of that size.
    """
    rough = 4 * max(_BOXES[0])
    if max(image.size) > rough:
        image = ImageOps.contain(image, (rough, rough), Image.Resampling.NEAREST)
    image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    opaque = image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)
    return image.convert("RGB") if opaque else image


def _encoded(image: Image.Image) -> Iterator[Thumbnail]:
    """Yield the thumbnails that are small enough, the best first."""
    if image.mode == "RGBA":
        yield from _fitting(image, "image/png")
        background = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(background, image).convert("RGB")
    for box, quality in product(_BOXES, _QUALITIES):
        image.thumbnail(box)
        yield from _fitting(image, "image/jpeg", quality)


def _fitting(
    image: Image.Image, mime_type: Literal["image/jpeg", "image/png"], quality: int = 0
) -> Iterator[Thumbnail]:
    written = io.BytesIO()
    if mime_type == "image/png":
        image.save(written, "PNG")
    else:
        image.save(written, "JPEG", quality=quality)
    if written.tell() <= MAX_THUMBNAIL:
        yield Thumbnail(written.getvalue(), mime_type, image.width, image.height)
