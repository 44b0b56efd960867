"""What is found out about sounds and films. (Its `main` is run by `test_imaging`.)"""

from __future__ import annotations

import io
import struct
import tempfile
import wave

import pytest

from lambda_matrix.workspace.imaging_process import facts_of
from lambda_matrix.workspace.media_facts import MediaFacts
from tests.workspace.pictures import PIXEL


def described(content: bytes) -> MediaFacts:
    return facts_of(io.BytesIO(content), "audio")


def test_how_long_a_sound_lasts() -> None:
    written = io.BytesIO()
    with wave.open(written, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 12_000))
    assert described(written.getvalue()) == MediaFacts(duration_ms=1500)


def film(scale: int, length: int) -> bytes:
    """An MP4 with nothing but the header of a film (ISO/IEC 14496-12, 8.2.2)."""
    header = bytes(12) + struct.pack(">II", scale, length) + bytes(80)
    box = struct.pack(">I", 8 + len(header)) + b"mvhd" + header
    kind = struct.pack(">I", 24) + b"ftypisom" + bytes(4) + b"isommp42"
    return kind + struct.pack(">I", 8 + len(box)) + b"moov" + box


@pytest.mark.parametrize(
    ("scale", "length", "milliseconds"), [(1000, 2500, 2500), (1, 2**32 - 1, None), (1000, 0, None)]
)
def test_how_long_a_film_lasts(scale: int, length: int, milliseconds: int | None) -> None:
    facts = described(film(scale, length))
    assert facts == MediaFacts(duration_ms=milliseconds)


def test_what_is_not_known_of_a_film_is_left_out() -> None:
    webm = b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84webm"
    assert described(webm) == MediaFacts()


def test_a_picture_is_looked_at_otherwise() -> None:
    with tempfile.TemporaryFile() as file:
        file.write(PIXEL)
        assert facts_of(file, "image") == MediaFacts(1, 1)
