"""What is found out about pictures; those made to harm are in `test_imaging`, in a process."""

from __future__ import annotations

import tempfile

import pytest
from PIL import Image, ImageStat

from lambda_matrix.workspace.media_facts import MAX_THUMBNAIL, MediaFacts
from lambda_matrix.workspace.thumbnails import facts_of_image
from tests.workspace.pictures import decoded, encoded, gradient, noise


def described(content: bytes) -> MediaFacts:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        return facts_of_image(file)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP"])
def test_a_small_picture_is_its_own_thumbnail(form: str) -> None:
    facts = described(encoded(gradient(120, 80), form))
    assert facts == MediaFacts(120, 80)


@pytest.mark.parametrize(
    ("mode", "form", "thumbnail_type"),
    [
        ("RGB", "JPEG", "image/jpeg"),
        ("L", "JPEG", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("RGB", "PNG", "image/jpeg"),
        ("RGBA", "PNG", "image/png"),
        ("LA", "PNG", "image/png"),
        ("P", "PNG", "image/jpeg"),
        ("I;16", "PNG", "image/jpeg"),
        ("RGBA", "WEBP", "image/png"),
        ("P", "GIF", "image/jpeg"),
    ],
)
def test_a_large_picture_has_a_thumbnail(mode: str, form: str, thumbnail_type: str) -> None:
    facts = described(encoded(gradient(1600, 800, mode), form))
    assert (facts.width, facts.height) == (1600, 800)
    image = decoded(facts.thumbnail)
    assert image.size == (800, 400)
    assert Image.MIME[image.format or ""] == thumbnail_type


def test_a_picture_that_does_not_compress_is_made_to() -> None:
    facts = described(encoded(noise(900, 700), "PNG"))
    thumbnail = facts.thumbnail
    assert thumbnail is not None
    assert len(thumbnail.data) <= MAX_THUMBNAIL
    decoded(thumbnail)


def test_a_picture_that_could_be_seen_through_but_is_not_becomes_jpeg() -> None:
    picture = gradient(900, 900)
    picture.putalpha(255)
    facts = described(encoded(picture, "PNG"))
    assert decoded(facts.thumbnail).mode == "RGB"


def test_a_very_large_picture_is_made_smaller_roughly_first() -> None:
    facts = described(encoded(gradient(4000, 1000, "RGBA"), "PNG"))
    assert (facts.width, facts.height) == (4000, 1000)
    assert decoded(facts.thumbnail).size == (800, 200)


def test_what_is_seen_through_gets_white_behind_it_if_it_must_be_jpeg() -> None:
    picture = noise(900, 700)
    picture.putalpha(128)
    facts = described(encoded(picture, "PNG"))
    image = decoded(facts.thumbnail)
    assert image.mode == "RGB"
    assert min(ImageStat.Stat(image).mean) > 170


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_upright_and_tells_no_more_than_itself(orientation: int) -> None:
    picture = Image.new("RGB", (1200, 600), "blue")
    picture.paste("red", (0, 0, 600, 600))
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "a camera's maker"
    content = encoded(picture, "JPEG", exif=exif, comment=b"where I live")
    facts = described(content)
    lying = orientation >= 5
    assert (facts.width, facts.height) == ((600, 1200) if lying else (1200, 600))
    image = decoded(facts.thumbnail)
    assert image.size == ((300, 600) if lying else (800, 400))
    assert facts.thumbnail is not None
    assert not image.getexif()
    for private in (b"camera", b"live", b"Exif"):
        assert private not in facts.thumbnail.data
    # Where the camera's left half, the red one, is to be seen (EXIF 2.32, 4.6.4, Orientation).
    x, y = {
        1: (10, 10), 2: (-10, 10), 3: (-10, 10), 4: (10, 10),
        5: (10, 10), 6: (10, 10), 7: (10, -10), 8: (10, -10),
    }[orientation]  # fmt: skip
    pixel = image.getpixel((x % image.width, y % image.height))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
    assert pixel[2] < 50


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_a_moving_picture_the_first_one_is_shown(form: str) -> None:
    frames = [Image.new("RGB", (900, 900), colour) for colour in ("red", "green", "blue")]
    content = encoded(frames[0], form, save_all=True, append_images=frames[1:])
    facts = described(content)
    assert (facts.width, facts.height) == (900, 900)
    pixel = decoded(facts.thumbnail).convert("RGB").getpixel((300, 300))
    assert isinstance(pixel, tuple)
    assert pixel[0] > 200
